"""What inputs share: omitted values, external ids, and the origin of a request."""

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.changes import Origin
from resolvers.references import ByExternalId
from schema.grammar.declaring import input_type
from schema.grammar.fields import described
from schema.grammar.references import ExternalIdInput

T = TypeVar("T")

Input = Annotated[T, strawberry.argument(description="What to do, and with what.")]
"""The argument of a mutation."""


@input_type(
    description="On whose behalf, why and from where; kept in the history, no source of rights."
)
class OriginInput:
    when: datetime | None = described("When it happened at the caller's.")
    organization: UUID | None = described("The caller's organization, as the caller knows it.")
    user: UUID | None = described("Who asked, as the caller knows them.")
    proxy: UUID | None = described("On whose behalf, as the caller knows them.")
    description: str | None = described("What it is.")
    reason: str | None = described("Why.")
    source: str | None = described("Which system.")


ORIGIN = "Where it came from; kept in the history."
IDEMPOTENCY_KEY = (
    "Same key and same input: the first answer again. Same key, other input: "
    "IDEMPOTENCY_KEY_REUSED. Kept for 24 hours; at most 255 characters."
)
OVERRIDES = "Rules to set aside on purpose, each with its permission; recorded."
EXPECTED_VERSION = "The version that it must have; else STALE_BOOKING."
EXTERNAL_IDS = "The source systems' keys of it; a list replaces."


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
    """Return the fields of an input that were given and are not null, by their Python names."""
    values = {
        field.name: getattr(given, field.name)
        for field in dataclasses.fields(given)
        if field.name not in without
    }
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if value is not None and value is not UNSET
    }
