"""Counts seats in memory while a batch takes and frees them. Pure: the database was read before.

The rows of the events and rooms are locked, so no other transaction takes a seat in the meantime.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from resolvers.refusals import EventFull, RoomFull
from resolvers.storage.tables import Booking, Event, Room
from resolvers.storage.tables.bookings import SEATED
from resolvers.times import later
from resolvers.values import frozen

UNKNOWN_LENGTH = timedelta(minutes=1)
"""The assumed length of a booking without an end, for conflicts and rooms."""

Span = tuple[datetime, datetime]
"""The start (inclusive) and the end (exclusive) of a period."""


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def peak(spans: Iterable[tuple[Span, int]], within: Span) -> int:
    """Return the most seats taken at one time within a span, given spans and the seats that each
    takes.
    """
    steps: list[tuple[datetime, int]] = []
    for span, count in spans:
        if overlap(span, within):
            steps += [(max(span[0], within[0]), count), (span[1], -count)]
    taken = most = 0
    for _, step in sorted(steps):  # at one instant, seats are freed before others are taken
        taken += step
        most = max(most, taken)
    return most


def span_of(booking: Booking) -> Span | None:
    """Return when the booking occupies its candidate and its room; None without a time.

    A window does not occupy them: only its session does, once it has started.
    """
    start = booking.start_at if booking.opens_at is None else booking.session_started_at
    if start is None:
        return None
    return start, booking.busy_until_at or later(start, UNKNOWN_LENGTH)


def takes_seat(booking: Booking) -> bool:
    return booking.status in SEATED


@frozen
class SeatLimits:
    """The seats of an event and a room, and which of the limits is ignored."""

    event: Event | None
    room: Room | None
    ignore_event: bool = False


def span_of_event(event: Event) -> Span | None:
    """Return when a booking without extra time occupies a room, at an event with a fixed time."""
    if event.on_demand or event.start_at is None:
        return None
    shortest = later(event.start_at, UNKNOWN_LENGTH)
    return event.start_at, max(event.end_at or event.start_at, shortest)


class Seats:
    """The seats of the locked events and rooms.

    For a room with a window, only the seats that are taken within the window are known.
    """

    def __init__(self, windows: Mapping[UUID, Span] | None = None) -> None:
        self._windows = windows or {}
        self._taken: dict[UUID, int] = {}
        self._in_room: defaultdict[UUID, dict[Span, int]] = defaultdict(dict)

    def add_event(self, event_id: UUID, taken: int) -> None:
        self._taken[event_id] = taken

    def add_room(self, room_id: UUID, span: Span, taken: int) -> None:
        """Add seats that are taken in a room for a span to those counted before."""
        spans = self._in_room[room_id]
        spans[span] = spans.get(span, 0) + taken

    def taken(self, event_id: UUID) -> int:
        return self._taken.get(event_id, 0)

    def peak(self, room_id: UUID, within: Span) -> int:
        """Return the most seats taken at one time within a span, which must be in the room's
        window.
        """
        start, end = self._windows.get(room_id, within)
        if within[0] < start or end < within[1]:
            raise AssertionError(f"{within} is outside the room's window {(start, end)}")
        return peak(self._in_room[room_id].items(), within)

    def take(self, booking: Booking) -> None:
        self._change(booking, +1)

    def free(self, booking: Booking) -> None:
        self._change(booking, -1)

    def _change(self, booking: Booking, by: int) -> None:
        if not takes_seat(booking):
            return
        if booking.event_id is not None:
            self._taken[booking.event_id] = self.taken(booking.event_id) + by
        if booking.room_id is not None and (span := span_of(booking)) is not None:
            self.add_room(booking.room_id, span, by)

    def require_free(self, booking: Booking, limits: SeatLimits, *path: str) -> None:
        """Require a free seat at the booking's event and, for its time, in its room.

        Raises: EventFull, RoomFull.
        """
        event, room = limits.event, limits.room
        if event is not None and event.capacity_maximum is not None and not limits.ignore_event:
            taken = self.taken(event.id)
            if taken >= event.capacity_maximum:
                raise EventFull(*path, capacity=event.capacity_maximum, taken=taken)
        span = span_of(booking)
        if room is not None and span is not None:
            taken = self.peak(room.id, span)
            if taken >= room.capacity:
                raise RoomFull(*path, capacity=room.capacity, taken=taken)
