"""The minutes that accommodations add; domain.md, sections 2.2 and 2.4."""

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.bookings.accommodations import ExtraMinutes, effective_minutes, extra, recomputed
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Accommodation
from resolvers.vocabulary import AccommodationScope

S = AccommodationScope


@pytest.mark.parametrize(
    ("scope", "minutes", "percentage", "expected"),
    [
        (S.TEST_TIME, 30, 25, 30),  # minutes win [001]
        (S.TEST_TIME, 0, 25, 0),
        (S.TEST_TIME, None, 25, 25),
        (S.TEST_TIME, None, None, 0),
        (S.TEST_TIME, 999, None, 999),
        (S.BREAK_TIME, None, 25, 5),
        (S.UNSCHEDULED_BREAK, None, 26, 6),  # 5.2 minutes, rounded up
        (S.OTHER, 30, 25, 0),
    ],
)
def test_effective_minutes(
    scope: AccommodationScope, minutes: int | None, percentage: int | None, expected: int
) -> None:
    """Minutes are computed for a test of 100 minutes with breaks of 20."""
    came_to = effective_minutes(scope, minutes, percentage, duration_minutes=100, break_minutes=20)

    assert came_to == expected


@given(st.integers(0, 100_000), st.integers(0, 999))
def test_percentages_are_rounded_up_exactly(duration: int, percentage: int) -> None:
    """Percentages are rounded up to a minute, exactly."""
    came_to = effective_minutes(
        S.TEST_TIME, None, percentage, duration_minutes=duration, break_minutes=0
    )

    assert came_to == ceil(Fraction(duration * percentage, 100))


def test_of_an_unknown_duration_a_percentage_is_nothing() -> None:
    """Without a known duration, a percentage adds nothing; minutes still count."""
    unknown: dict[str, Any] = {"duration_minutes": None, "break_minutes": 0}

    assert effective_minutes(S.TEST_TIME, None, 50, **unknown) == 0
    assert effective_minutes(S.TEST_TIME, 15, 50, **unknown) == 15


def granted(scope: AccommodationScope, effective: int, **values: Any) -> Any:
    return new_row(
        Accommodation, scope=scope, type=scope.value, effective_minutes=effective, **values
    )


def test_time_and_breaks_are_added_apart() -> None:
    """Extra time and breaks are added separately; both kinds of breaks count as breaks, and OTHER
    adds nothing.
    """
    minutes = [(S.TEST_TIME, 1), (S.TEST_TIME, 2), (S.BREAK_TIME, 4), (S.UNSCHEDULED_BREAK, 8)]

    total = extra([*(granted(*one) for one in minutes), granted(S.OTHER, 16)])

    assert total == ExtraMinutes(time_minutes=3, break_minutes=12)
    assert extra([]) == ExtraMinutes()


def test_for_another_length_only_percentages_change() -> None:
    """For another length, only percentages are computed again."""
    share = granted(S.TEST_TIME, 25, extra_time_percentage=25, name="share")
    fixed = granted(S.TEST_TIME, 30, time_extension_minutes=30, extra_time_percentage=25)

    after = recomputed([share, fixed], duration_minutes=50, break_minutes=0)

    assert [a.effective_minutes for a in after] == [13, 30]
    assert after[0].name == "share"
    assert after[1] == fixed
