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


@input_type(description="An object's key in one of the source systems.")
class ExternalIdInput:
    system: SourceSystem = attribute(description="Whose key it is.")
    kind: str = attribute(description="What the key is of, such as student or event.")
    value: str = attribute(description="The key itself.")

    def to_ref(self) -> ByExternalId:
        return ByExternalId(self.system, self.kind, self.value)


@input_type(
    one_of=True,
    description="An object by global id, by its reference or code, or by a source system's key.",
)
class RefInput:
    id: strawberry.ID | None = attribute(default=UNSET, description="Its global id.")
    reference: str | None = attribute(
        default=UNSET, description="Its own reference, code or, for rooms and departments, name."
    )
    external: ExternalIdInput | None = attribute(
        default=UNSET, description="A source system's key."
    )

    def to_ref(self, *types: str) -> Ref:
        """Return the reference to an object of one of these types."""
        if self.id is not UNSET and self.id is not None:
            return ref_of(self.id, *types)
        if self.reference is not UNSET and self.reference is not None:
            return ByReference(self.reference)
        assert isinstance(self.external, ExternalIdInput)
        return self.external.to_ref()


@input_type(one_of=True, description="A test schedule by its global id or by its keycode.")
class TestScheduleRef:
    id: strawberry.ID | None = attribute(default=UNSET, description="Its global id.")
    keycode: str | None = attribute(
        default=UNSET, description="Its keycode: 8 capital letters and digits."
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


REF = Annotated[RefInput, strawberry.argument(description="The object to find.")]

TEST_SCHEDULE_REF = Annotated[
    TestScheduleRef, strawberry.argument(description="The test schedule to find.")
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
