"""Rules of events as tables of cases."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from resolvers.events import rules
from resolvers.refusals import RegistrationClosed
from resolvers.vocabulary import DurationUnit, EventStatus, SeatState

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Of:
    """A test with a duration, or a room with seats."""

    duration_minutes: int = 0
    capacity: int = 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "DRAFT"),
        ({"exam_started": NOW - HOUR}, "DRAFT"),
        ({"on_demand": True}, "SCHEDULED"),
        ({"on_demand": True, "registration_locked": NOW}, "LOCKED"),
        ({"on_demand": True, "exam_started": NOW}, "IN_PROGRESS"),
        ({"start_at": NOW + SECOND}, "SCHEDULED"),
        ({"start_at": NOW + HOUR, "registration_locked": NOW + SECOND}, "SCHEDULED"),
        ({"start_at": NOW + HOUR, "registration_locked": NOW}, "LOCKED"),
        ({"start_at": NOW + HOUR, "exam_started": NOW + SECOND}, "SCHEDULED"),
        ({"start_at": NOW + HOUR, "exam_started": NOW}, "IN_PROGRESS"),
        ({"start_at": NOW}, "IN_PROGRESS"),
        ({"start_at": NOW - MINUTE + SECOND}, "IN_PROGRESS"),
        ({"start_at": NOW - MINUTE}, "COMPLETED"),
        ({"start_at": NOW - HOUR, "end_at": NOW + SECOND}, "IN_PROGRESS"),
        ({"start_at": NOW - HOUR, "end_at": NOW}, "COMPLETED"),
        ({"start_at": NOW - HOUR, "end_at": NOW, "cancelled_at": NOW}, "CANCELLED"),
        ({"cancelled_at": NOW}, "CANCELLED"),
    ],
)
def test_the_status_follows_from_the_times(row_of, values, expected):
    """A time counts from its own instant on, and only a cancellation overrides the clock."""
    assert rules.status(row_of(**values), NOW) is EventStatus(expected)


@pytest.mark.parametrize(
    ("values", "test", "expected"),
    [
        ({}, None, None),
        ({"exam_duration_in_minutes": 50}, Of(60), 50),
        ({}, Of(60), 60),
        ({"duration_quantity": 3, "duration_unit": DurationUnit.HOUR}, Of(60), 60),
        ({"duration_quantity": 3, "duration_unit": DurationUnit.HOUR}, None, 180),
        ({"duration_quantity": 45, "duration_unit": DurationUnit.MINUTE}, None, 45),
        ({"duration_quantity": 2, "duration_unit": DurationUnit.DAY}, None, None),
        ({"duration_unit": DurationUnit.HOUR}, None, None),
        ({"start_at": NOW, "given_end_at": NOW + 2 * HOUR}, None, 120),
        ({"start_at": NOW, "given_end_at": NOW + 90 * SECOND}, None, 1),
        ({"start_at": NOW, "given_end_at": NOW}, None, None),
        ({"start_at": NOW, "given_end_at": NOW + HOUR}, Of(50), 50),
        ({"given_end_at": NOW}, None, None),
    ],
)
def test_the_duration_is_the_first_that_is_known(row_of, values, test, expected):
    """The duration is the first known of the exam's, the test's, a quantity of minutes or hours,
    and the given end.
    """
    assert rules.duration_minutes(row_of(**values), test) == expected


@pytest.mark.parametrize(
    ("values", "test", "expected"),
    [
        ({"start_at": NOW}, None, None),
        ({"start_at": NOW, "given_end_at": NOW + HOUR}, Of(20), NOW + HOUR),
        ({"start_at": NOW, "exam_duration_in_minutes": 30}, Of(20), NOW + 30 * MINUTE),
        ({"start_at": NOW}, Of(20), NOW + 20 * MINUTE),
        ({"exam_duration_in_minutes": 30}, None, None),
        ({"given_end_at": NOW}, None, NOW),
    ],
)
def test_the_end_is_as_given_or_after_the_duration(row_of, values, test, expected):
    """Without an end and a duration, the end is unknown."""
    assert rules.end_of(row_of(**values), test) == expected


LATER = {"start_at": NOW + 5 * HOUR}


@pytest.mark.parametrize(
    ("values", "deadline"),
    [
        (LATER, "open"),
        ({"on_demand": True}, "open"),
        ({**LATER, "registration_start": NOW}, "open"),
        ({**LATER, "registration_start": NOW + SECOND}, NOW + SECOND),
        ({**LATER, "registration_deadline": NOW}, "open"),
        ({**LATER, "registration_deadline": NOW - SECOND}, NOW - SECOND),
        ({**LATER, "registration_locked": NOW + SECOND}, "open"),
        ({**LATER, "registration_locked": NOW}, NOW),
        ({"start_at": NOW + SECOND}, "open"),
        ({"start_at": NOW}, NOW),
        ({"on_demand": True, "registration_locked": NOW - HOUR}, NOW - HOUR),
        ({"start_at": NOW - HOUR, "registration_locked": NOW - 2 * HOUR}, NOW - 2 * HOUR),
    ],
)
def test_registration_is_open_inside_its_window(row_of, values, deadline):
    """The deadline is inclusive; a refusal names what closed the window or will open it."""
    event = row_of(**values)

    assert rules.registration_open(event, NOW) is (deadline == "open")
    if deadline == "open":
        assert rules.require_open(event, NOW) is False
    else:
        with pytest.raises(RegistrationClosed) as refused:
            rules.require_open(event, NOW, "event")
        assert refused.value.deadline == deadline
        assert refused.value.path == ("event",)
        assert rules.require_open(event, NOW, ignore_window=True) is True


@pytest.mark.parametrize("values", [{}, {**LATER, "cancelled_at": NOW}])
def test_a_draft_or_cancelled_event_is_never_open(row_of, values):
    """An override of the window does not open a draft or cancelled event."""
    event = row_of(**values)

    assert not rules.registration_open(event, NOW)
    with pytest.raises(RegistrationClosed) as refused:
        rules.require_open(event, NOW, ignore_window=True)
    assert refused.value.deadline == values.get("cancelled_at")


@pytest.mark.parametrize(
    ("maximum", "room", "taken", "peak", "expected"),
    [
        (None, None, 500, 0, (None, None, "FREE")),
        (20, None, 17, 0, (20, 3, "FREE")),
        (20, None, 18, 0, (20, 2, "LIMITED")),
        (20, None, 20, 0, (20, 0, "FULL")),
        (20, None, 21, 0, (20, 0, "FULL")),
        (9, None, 8, 0, (9, 1, "FREE")),
        (10, None, 9, 0, (10, 1, "LIMITED")),
        (None, 30, 5, 12, (30, 18, "FREE")),
        (20, 30, 5, 12, (20, 15, "FREE")),
        (20, 30, 5, 29, (20, 1, "LIMITED")),
        (40, 30, 5, 5, (30, 25, "FREE")),
        (40, 30, 5, 30, (30, 0, "FULL")),
    ],
)
def test_the_smaller_limit_counts(row_of, maximum, room, taken, peak, expected):
    """The smaller capacity and the smaller number of free seats are shown, never below 0."""
    event = row_of(start_at=NOW + HOUR, capacity_maximum=maximum)
    there = None if room is None else Of(capacity=room)

    seats = rules.seats(event, there, taken=taken, peak_in_room=peak, now=NOW)

    assert (seats.capacity, seats.free, seats.state.value) == expected
    assert seats.taken == taken


def test_seats_are_closed_when_registration_is(row_of):
    """An event that is closed for registration says so, however many seats are free."""
    event = row_of(start_at=NOW, capacity_maximum=10)

    assert rules.seats(event, None, taken=0, peak_in_room=0, now=NOW).state is SeatState.CLOSED


def test_an_event_on_demand_has_only_its_own_capacity(row_of):
    """An on-demand event has no room limit, since the room's free seats depend on the time."""
    event = row_of(on_demand=True, capacity_maximum=50)

    seats = rules.seats(event, Of(capacity=2), taken=1, peak_in_room=2, now=NOW)

    assert (seats.capacity, seats.free) == (50, 49)


@pytest.mark.parametrize(
    ("minimum", "taken", "below"), [(None, 0, False), (3, 2, True), (3, 3, False)]
)
def test_too_few_is_shown(row_of, minimum, taken, below):
    """A minimum restricts nothing; the seats show that it is not reached."""
    event = row_of(start_at=NOW + HOUR, capacity_minimum=minimum)

    seats = rules.seats(event, None, taken=taken, peak_in_room=0, now=NOW)

    assert seats.below_minimum is below
