"""Exam accommodations: the rules for granting them, and the minutes that they add. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from resolvers import checks
from resolvers.changes import Cause
from resolvers.refusals import AccommodationTypeEmpty, ValidationErrors
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Accommodation, Booking
from resolvers.texts import folded, normalized
from resolvers.values import frozen
from resolvers.vocabulary import AccommodationScope

BREAKS = 99
PERCENT = 999


class Terms(Protocol):
    """The accommodation to grant, from a command."""

    @property
    def type(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def time_extension_minutes(self) -> int | None: ...
    @property
    def extra_time_percentage(self) -> int | None: ...
    @property
    def extra_breaks_per_section(self) -> int | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def scope(self) -> AccommodationScope: ...


@frozen(kw_only=True)
class InitialAccommodation:
    """An accommodation of a new booking."""

    type: str | None
    name: str | None = None
    time_extension_minutes: int | None = None
    extra_time_percentage: int | None = None
    extra_breaks_per_section: int | None = None
    reason: str | None = None
    scope: AccommodationScope = AccommodationScope.TEST_TIME


def type_of(terms: Terms) -> str:
    """The type in its normal form, as it is stored."""
    return normalized(terms.type or "")


def is_of_type(accommodation: Accommodation, kind: str) -> bool:
    """The type for comparison; case does not matter."""
    return folded(normalized(accommodation.type)) == folded(normalized(kind))


def check_terms(terms: Terms, stage: ValidationErrors, *path: str) -> None:
    """Refusals: AccommodationTypeEmpty, WrongLength, OutOfRange."""
    kind = type_of(terms)
    if not kind:
        stage.add(AccommodationTypeEmpty(*path, "type"))
    else:
        stage.of(checks.code, kind, *path, "type")
    stage.of(checks.text, terms.name, *path, "name", most=checks.NAME)
    stage.of(checks.text, terms.reason, *path, "reason", most=checks.REASON)
    for name, value, most in (
        ("time_extension_minutes", terms.time_extension_minutes, checks.EXTRA_MINUTES),
        ("extra_time_percentage", terms.extra_time_percentage, PERCENT),
        ("extra_breaks_per_section", terms.extra_breaks_per_section, BREAKS),
    ):
        stage.of(checks.number, value, *path, name, least=0, most=most)


def accommodation_for(
    terms: Terms, booking: Booking, cause: Cause, *, key: UUID, break_minutes: int, now: datetime
) -> Accommodation:
    """Return the accommodation as granted to a booking; `break_minutes` are those of its test."""
    minutes = effective_minutes(
        terms.scope,
        terms.time_extension_minutes,
        terms.extra_time_percentage,
        duration_minutes=booking.duration_minutes,
        break_minutes=break_minutes,
    )
    return new_row(
        Accommodation,
        organization_id=booking.organization_id,
        id=key,
        booking_id=booking.id,
        type=type_of(terms),
        name=terms.name,
        scope=terms.scope,
        time_extension_minutes=terms.time_extension_minutes,
        extra_time_percentage=terms.extra_time_percentage,
        effective_minutes=minutes,
        extra_breaks_per_section=terms.extra_breaks_per_section,
        reason=terms.reason,
        granted_at=now,
        **cause.as_columns("granted_by"),
    )


@frozen
class ExtraMinutes:
    """Return the minutes that all accommodations of a booking add."""

    time_minutes: int = 0
    break_minutes: int = 0


def effective_minutes(
    scope: AccommodationScope,
    minutes: int | None,
    percentage: int | None,
    *,
    duration_minutes: int | None,
    break_minutes: int,
) -> int:
    """Minutes win over percentage `[001]`; a percentage of breaks is one of the test's breaks.

    Rounded up.
    """
    if scope is AccommodationScope.OTHER:
        return 0
    if minutes is not None:
        return minutes
    whole = (duration_minutes or 0) if scope is AccommodationScope.TEST_TIME else break_minutes
    return -(-whole * (percentage or 0) // 100)


def recomputed(
    accommodations: Iterable[Accommodation], *, duration_minutes: int | None, break_minutes: int
) -> list[Accommodation]:
    """Return the accommodations, adjusted to another length of the booking."""
    return [
        changed(
            a,
            effective_minutes=effective_minutes(
                a.scope,
                a.time_extension_minutes,
                a.extra_time_percentage,
                duration_minutes=duration_minutes,
                break_minutes=break_minutes,
            ),
        )
        for a in accommodations
    ]


def extra(accommodations: Iterable[Accommodation]) -> ExtraMinutes:
    """Return the total of the accommodations."""
    time = breaks = 0
    for a in accommodations:
        if a.scope is AccommodationScope.TEST_TIME:
            time += a.effective_minutes
        elif a.scope is not AccommodationScope.OTHER:
            breaks += a.effective_minutes
    return ExtraMinutes(time, breaks)
