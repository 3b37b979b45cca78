"""What inputs share: omitted values, external ids, and the origin of a request."""

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from strawberry import UNSET
from strawberry.types.base import StrawberryType, get_object_definition

from resolvers.changes import Origin
from resolvers.references import ByExternalId
from schema.grammar.declaring import input_type
from schema.grammar.fields import described
from schema.grammar.references import ExternalIdInput

T = TypeVar("T")


@input_type(
    description="Optional audit information about the calling system. Stored with the "
    "change; never grants rights."
)
class OriginInput:
    when: datetime | None = described("Time of the action in the calling system.")
    organization: UUID | None = described("Organization in the calling system.")
    user: UUID | None = described("User in the calling system who requested the action.")
    proxy: UUID | None = described(
        "User in the calling system on whose behalf the action was requested."
    )
    description: str | None = described("What was done, in the calling system's words.")
    reason: str | None = described("Why it was done, in the calling system's words.")
    source: str | None = described("Name of the calling system.")


ORIGIN = (
    "Optional audit information about the calling system. Stored with the change; never grants "
    "rights."
)
IDEMPOTENCY_KEY = (
    "Key of your choice that makes retries safe, at most 255 characters. The same key "
    "with the same input returns the first result; with other input, the error "
    "IDEMPOTENCY_KEY_REUSED. Keys are stored for 24 hours."
)
OVERRIDES = (
    "Rules to disable for this operation. Each one needs its permission, is stored in the "
    "history and returns a warning."
)
EXPECTED_VERSION = (
    "The `version` that you read. If it has changed since then, nothing is written and the error "
    "is STALE_BOOKING."
)
EXTERNAL_IDS = "Keys of the object in other systems. A list replaces the stored one."


def input_description(declared: StrawberryType | type) -> str:
    """Return the description of a mutation's `input`: the first sentence of that of its type."""
    described = get_object_definition(declared, strict=True).description
    assert described is not None
    return f"{described.partition('. ')[0].removesuffix('.')}."


def origin_of(value: OriginInput | None) -> Origin | None:
    """Return the origin that the caller sent; None if it was omitted."""
    return Origin(**values_given(value)) if isinstance(value, OriginInput) else None


def external_ids_of_input(
    values: Iterable[ExternalIdInput] | None,
) -> tuple[ByExternalId, ...] | None:
    """Return the source systems' keys; None if they were omitted."""
    if values is None or values is UNSET:
        return None
    return tuple(value.to_ref() for value in values)


def given(value: T) -> T | None:
    """Return an optional input's value; None if it was omitted."""
    return None if value is UNSET else value


def given_tuple(values: Iterable[T] | None) -> tuple[T, ...]:
    """Return an optional list; empty if it was omitted or null."""
    return () if values is None or values is UNSET else tuple(values)


def values_given(given: Any, *without: str) -> dict[str, Any]:
    """Return the fields of an input that were given and are not null, by their Python names.

    Leaves out the idempotency key, which belongs to the request and not to its command.
    """
    values = {
        field.name: getattr(given, field.name)
        for field in dataclasses.fields(given)
        if field.name not in {*without, "idempotency_key"}
    }
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None and value is not UNSET
    }
