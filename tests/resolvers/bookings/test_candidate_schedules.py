"""Candidates' schedules and conflicts in them; domain.md, section 8.4."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.storage.rows import changed
from resolvers.vocabulary import BookingKind, BookingStatus
from tests.resolvers.bookings.conftest import START, booking_row

pytestmark = pytest.mark.both_databases

EVENT, OTHER_EVENT, SOMEBODY = UUID(int=10), UUID(int=11), UUID(int=12)
LIVE = {BookingStatus.PENDING, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS}


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"start_at": at(0)}, True),
        ({"start_at": at(59)}, True),
        ({"start_at": at(60)}, False),
        ({"start_at": at(-60)}, False),
        ({"start_at": at(-59)}, True),
        ({"start_at": at(-60), "busy_until_at": at(1)}, True),  # by its extra time
        ({"start_at": at(60), "end_at": None, "busy_until_at": None}, False),
        ({"start_at": at(59), "end_at": None, "busy_until_at": None}, True),
        ({"start_at": None}, False),
        ({"candidate_id": SOMEBODY}, False),
        ({"kind": BookingKind.REGISTRATION}, True),  # over all four kinds
    ],
)
def test_bookings_of_one_candidate_must_not_overlap(other: dict[str, Any], expected: bool) -> None:
    """Bookings that overlap an hour from START are conflicts."""
    there = booking_row(**other)
    wanted = booking_row()

    assert CandidateSchedules([there]).conflicts(wanted) == ([there] if expected else [])


@pytest.mark.parametrize("status", BookingStatus)
def test_only_live_bookings_conflict(status: BookingStatus) -> None:
    """Ended bookings do not conflict."""
    there = booking_row(status=status)

    assert bool(CandidateSchedules([there]).conflicts(booking_row())) is (status in LIVE)


def test_extra_time_of_the_one_that_is_wanted_counts() -> None:
    """The extra time of the new booking counts: one minute into the next booking is a conflict."""
    candidate_schedules = CandidateSchedules([booking_row(start_at=at(90))])

    assert candidate_schedules.conflicts(booking_row(busy_until_at=at(90))) == []
    assert len(candidate_schedules.conflicts(booking_row(busy_until_at=at(91)))) == 1


@pytest.mark.parametrize(
    ("wanted_event", "other_event", "may_overlap", "expected"),
    [
        (EVENT, EVENT, False, True),
        (EVENT, EVENT, True, False),
        (EVENT, OTHER_EVENT, True, True),
        (None, None, True, True),
    ],
)
def test_at_an_event_that_allows_several_they_may_overlap(
    wanted_event: UUID | None, other_event: UUID | None, may_overlap: bool, expected: bool
) -> None:
    """Bookings may overlap only at an event that allows several."""
    candidate_schedules = CandidateSchedules([booking_row(event_id=other_event)])
    wanted = booking_row(event_id=wanted_event)

    conflicts = candidate_schedules.conflicts(wanted, same_event_may_overlap=may_overlap)

    assert bool(conflicts) is expected


def test_a_newer_version_replaces_the_older() -> None:
    """A booking does not conflict with itself, and moved or ended bookings are removed."""
    first = booking_row()
    candidate_schedules = CandidateSchedules([first])

    itself = candidate_schedules.conflicts(changed(first, busy_until_at=at(90)))
    candidate_schedules.write(changed(first, start_at=at(60), busy_until_at=at(120)))
    moved = candidate_schedules.conflicts(booking_row())
    candidate_schedules.write(changed(first, status=BookingStatus.CANCELLED))

    assert (itself, moved) == ([], [])
    assert candidate_schedules.live(first.candidate_id) == []
    assert len(candidate_schedules.of(first.candidate_id)) == 1


def test_a_diary_is_in_the_order_of_booking() -> None:
    """A schedule is in order of booking, not of start."""
    made = [
        booking_row(created_at=START - timedelta(days=days), start_at=at(days))
        for days in (1, 3, 2)
    ]

    candidate_schedule = CandidateSchedules(made).of(made[0].candidate_id)

    assert candidate_schedule == [made[1], made[2], made[0]]
