"""Converts clients' global ids and references to the domain's `Ref`s.

Nothing is refused here: an unreadable value becomes a `Ref` that is refused together with the other
errors of the same input.
"""

from collections.abc import Iterable
from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers.identity import global_id, parse_global_id
from resolvers.references import ByExternalId, ByKey, ByReference, Ref, Unreadable
from resolvers.vocabulary import SourceSystem
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute


@input_type(description="The key of an object in another system.")
class ExternalIdInput:
    system: SourceSystem = attribute(description="System that uses the key.")
    kind: str = attribute(
        description="What the other system calls the object: `student` (Surpass Scheduler), "
        "`learner` (Shift iQ) …"
    )
    value: str = attribute(description="The key in the other system.")

    def to_ref(self) -> ByExternalId:
        return ByExternalId(self.system, self.kind, self.value)


@input_type(
    one_of=True,
    description="Identifies an object. Give exactly one of: `id`, our `reference`, or "
    "another system's key in `external`.",
)
class RefInput:
    id: strawberry.ID | None = attribute(default=UNSET, description="Global id of the object.")
    reference: str | None = attribute(
        default=UNSET,
        description="Reference of the object. For products and agent offices, its code; "
        "for rooms and departments, its name.",
    )
    external: ExternalIdInput | None = attribute(
        default=UNSET, description="Key of the object in another system."
    )

    def to_ref(self, *types: str) -> Ref:
        """Return the reference to an object of one of these types."""
        if self.id is not UNSET and self.id is not None:
            return ref_of(self.id, *types)
        if self.reference is not UNSET and self.reference is not None:
            return ByReference(self.reference)
        assert isinstance(self.external, ExternalIdInput)
        return self.external.to_ref()


@input_type(
    one_of=True, description="Identifies a test schedule. Give exactly one of: `id` or `keycode`."
)
class TestScheduleRef:
    id: strawberry.ID | None = attribute(
        default=UNSET, description="Global id of the test schedule."
    )
    keycode: str | None = attribute(
        default=UNSET,
        description='Keycode of the test schedule: 8 capital letters and digits, e.g. "K7QX2M9P".',
    )

    def to_ref(self) -> Ref:
        if self.id is not UNSET and self.id is not None:
            return ref_of(self.id, "TestSchedule")
        return ByReference(str(self.keycode))


def ref_of(value: str, *types: str) -> Ref:
    """Return the reference for a global id, which must be of one of these types."""
    parsed = parse_global_id(value)
    if parsed is None:
        return Unreadable(value[:100], "is not a global id")
    if parsed[0] not in types:
        return Unreadable(value[:100], f"is the id of type {parsed[0]}, not {' or '.join(types)}")
    return ByKey(parsed[1], parsed[0])


def refs_of(values: Iterable[str] | None, *types: str) -> tuple[Ref, ...] | None:
    """Return the references for several global ids; None if they were omitted."""
    return None if values is None or values is UNSET else tuple(ref_of(v, *types) for v in values)


def optional_ref(value: RefInput | None, *types: str) -> Ref | None:
    """Return an optional reference; None if it was omitted."""
    return None if value is None or value is UNSET else value.to_ref(*types)


def optional_id(value: str | None, *types: str) -> Ref | None:
    """Return the reference for an optional global id; None if it was omitted."""
    return None if value is None or value is UNSET else ref_of(value, *types)


REF = Annotated[RefInput, strawberry.argument(description="Identifies the object.")]

TEST_SCHEDULE_REF = Annotated[
    TestScheduleRef, strawberry.argument(description="Identifies the test schedule.")
]

__all__ = [
    "REF",
    "TEST_SCHEDULE_REF",
    "ExternalIdInput",
    "RefInput",
    "TestScheduleRef",
    "global_id",
    "optional_id",
    "optional_ref",
    "ref_of",
    "refs_of",
]
