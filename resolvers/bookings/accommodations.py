"""Exam accommodations: how many minutes they come to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation
from resolvers.vocabulary import AccommodationScope


@dataclass(frozen=True, slots=True)
class Extra:
    """The minutes that all accommodations of a booking add."""

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
    """Minutes win over percentage `[001]`; a percentage of breaks counts on the test's breaks.

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
    """The accommodations as they are for a booking of another length."""
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


def extra(accommodations: Iterable[Accommodation]) -> Extra:
    """What the accommodations come to together."""
    time = breaks = 0
    for a in accommodations:
        if a.scope is AccommodationScope.TEST_TIME:
            time += a.effective_minutes
        elif a.scope is not AccommodationScope.OTHER:
            breaks += a.effective_minutes
    return Extra(time, breaks)
