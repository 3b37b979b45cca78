"""Counting seats in memory; domain.md, section 8.4."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.bookings.seats import UNKNOWN_LENGTH, SeatLimits, Seats, Span, overlap, peak, span_of
from resolvers.refusals import EventFull, RoomFull
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Event, Room
from resolvers.vocabulary import BookingStatus
from tests.resolvers.bookings.conftest import START, booking_row

EVENT, ROOM, OTHER = UUID(int=10), UUID(int=11), UUID(int=12)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def span(start: int, end: int) -> Span:
    return at(start), at(end)


@pytest.mark.parametrize(
    ("spans", "within", "expected"),
    [
        ([], (0, 60), 0),
        ([((0, 60), 3)], (0, 60), 3),
        ([((0, 60), 3)], (59, 61), 3),
        ([((0, 60), 3)], (60, 120), 0),  # one ends when the other begins
        ([((0, 60), 3)], (-60, 0), 0),
        ([((0, 60), 1), ((60, 120), 1)], (0, 120), 1),  # a seat is freed before it is taken
        ([((0, 60), 1), ((59, 120), 1)], (0, 120), 2),
        ([((0, 60), 1), ((30, 40), 2), ((50, 90), 3)], (0, 120), 4),
        ([((0, 60), 1), ((30, 40), 2), ((50, 90), 3)], (0, 50), 3),
        ([((0, 60), 1), ((30, 40), 2), ((50, 90), 3)], (60, 120), 3),
        ([((-100, 100), 1), ((-50, 10), 1), ((20, 30), 1)], (0, 15), 2),
        ([((-100, 100), 1), ((-50, 10), 1), ((5, 30), 1)], (0, 15), 3),
        ([((0, 10), 1), ((0, 10), -1)], (0, 10), 0),
    ],
)
def test_the_most_seats_that_are_taken_at_one_time(
    spans: Any, within: tuple[int, int], expected: int
) -> None:
    """Only spans that overlap at the same instant add up."""
    assert peak([(span(*one), count) for one, count in spans], span(*within)) == expected


spans_of_minutes = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1])
)


@given(st.lists(st.tuples(spans_of_minutes, st.integers(1, 3)), max_size=12), spans_of_minutes)
def test_the_peak_is_that_of_the_fullest_minute(
    spans: list[tuple[tuple[int, int], int]], within: tuple[int, int]
) -> None:
    """The peak is the same as when counted minute by minute."""
    most = max(
        sum(count for (start, end), count in spans if start <= minute < end)
        for minute in range(*within)
    )

    assert peak([(span(*one), count) for one, count in spans], span(*within)) == most


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 60), (60, 120), False),
        ((0, 60), (59, 120), True),
        ((0, 60), (10, 20), True),
        ((10, 20), (0, 60), True),
        ((0, 60), (0, 60), True),
        ((0, 60), (70, 80), False),
    ],
)
def test_spans_overlap(one: tuple[int, int], other: tuple[int, int], expected: bool) -> None:
    """A span excludes its last instant; the order does not matter."""
    assert overlap(span(*one), span(*other)) is expected
    assert overlap(span(*other), span(*one)) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, span(0, 60)),
        ({"busy_until_at": at(75)}, span(0, 75)),
        ({"end_at": None, "busy_until_at": None}, (START, START + UNKNOWN_LENGTH)),
        ({"start_at": None, "end_at": None}, None),
    ],
)
def test_when_a_booking_keeps_its_room_busy(values: dict[str, Any], expected: Span | None) -> None:
    """A booking occupies its room including extra time, for a minute if the end is unknown, and
    never without a start.
    """
    assert span_of(booking_row(**values)) == expected


def booked(**values: Any) -> Any:
    return booking_row(event_id=EVENT, room_id=ROOM, **values)


def limits(event: int | None = None, room: int | None = None, **values: bool) -> SeatLimits:
    an_event = new_row(Event, id=EVENT, capacity_maximum=event)
    a_room = None if room is None else new_row(Room, id=ROOM, capacity=room)
    return SeatLimits(an_event, a_room, **values)


@pytest.mark.parametrize(
    ("event", "room", "refusal"),
    [
        (None, None, None),
        (3, 3, None),
        (2, 3, EventFull),
        (3, 2, RoomFull),
        (2, 2, EventFull),
        (1, 3, EventFull),  # already over capacity
        (None, 2, RoomFull),
    ],
)
def test_a_seat_needs_room_in_the_event_and_in_the_room(
    event: int | None, room: int | None, refusal: type[EventFull] | None
) -> None:
    """With two seats taken, both limits apply; the refusal has the capacity and the seats taken."""
    seats = Seats()
    for _ in range(2):
        seats.take(booked())

    if refusal is None:
        seats.require_free(booked(), limits(event, room))
    else:
        with pytest.raises(refusal) as refused:
            seats.require_free(booked(), limits(event, room))
        capacity = event if refusal is EventFull else room
        assert (refused.value.capacity, refused.value.taken) == (capacity, 2)


def test_what_was_loaded_and_what_a_batch_takes_add_up() -> None:
    """The batch's seats are added to the counts loaded from the database."""
    seats = Seats()
    seats.add_event(EVENT, 4)
    seats.add_room(ROOM, span(0, 60), 2)
    seats.add_room(ROOM, span(30, 90), 3)

    seats.take(booked())

    assert seats.taken(EVENT) == 5
    assert seats.peak(ROOM, span(0, 60)) == 6
    assert seats.peak(ROOM, span(60, 90)) == 3
    assert seats.peak(OTHER, span(0, 60)) == 0


def test_the_room_s_limit_is_never_set_aside() -> None:
    """An override applies to the event's limit, never to the room's."""
    seats = Seats()
    seats.take(booked())

    seats.require_free(booked(), limits(1, 2, ignore_event=True))
    with pytest.raises(RoomFull):
        seats.require_free(booked(), limits(1, 1, ignore_event=True))


@pytest.mark.parametrize("status", BookingStatus)
def test_only_what_holds_a_seat_is_counted(status: BookingStatus) -> None:
    """PENDING, CONFIRMED and IN_PROGRESS hold a seat; taking and freeing it restores the count."""
    seats, booking = Seats(), booked(status=status)
    holds = status in {
        BookingStatus.PENDING,
        BookingStatus.CONFIRMED,
        BookingStatus.IN_PROGRESS,
    }

    seats.take(booking)
    taken = (seats.taken(EVENT), seats.peak(ROOM, span(0, 60)))
    seats.free(booking)

    assert taken == ((1, 1) if holds else (0, 0))
    assert (seats.taken(EVENT), seats.peak(ROOM, span(0, 60))) == (0, 0)


def test_online_and_without_a_time_no_room_is_taken() -> None:
    """Online bookings and bookings without a time count at the event only."""
    seats = Seats()

    seats.take(booking_row(event_id=EVENT))
    seats.take(changed(booked(), start_at=None, end_at=None, busy_until_at=None))

    assert seats.taken(EVENT) == 2
    assert seats.peak(ROOM, span(0, 60)) == 0
    seats.require_free(booking_row(event_id=EVENT, start_at=None), limits(3, 0))
