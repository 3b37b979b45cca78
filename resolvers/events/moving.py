"""Moves the bookings of an event with it, and checks for conflicts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from resolvers.bookings.accommodations import ExtraMinutes, extra, recomputed
from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.bookings.facts import booking_facts, payment_facts
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.payment_rules import due_by_start, lapsing_by_start
from resolvers.bookings.seats import (
    UNKNOWN_LENGTH,
    SeatLimits,
    Seats,
    span_of,
    takes_seat,
)
from resolvers.bookings.sittings import as_booked, sitting_at, times
from resolvers.bookings.versions import next_version
from resolvers.events.choices import Choice
from resolvers.outcomes import Warning
from resolvers.refusals import Invalid
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, Event, Payment, Room
from resolvers.times import instant_of, later, wall_time_of
from resolvers.values import frozen
from resolvers.vocabulary import AccommodationScope, WarningCode

MOST_WARNINGS = 10

LENGTH = (
    "duration_minutes",
    "exam_duration_in_minutes",
    "duration_quantity",
    "duration_unit",
    "test_id",
)
"""The columns that determine an event's length."""


@frozen
class EventMove:
    """An event before and after an update, with its new place and test."""

    before: Event
    after: Event
    choice: Choice
    rooms: Mapping[UUID, Room]

    def of(
        self,
        booking: Booking,
        granted: Sequence[Accommodation],
        payment: Payment | None,
        now: datetime,
    ) -> "BookingMove | None":
        """Return a booking after the move, with its accommodations; None if it does not change.

        `payment` is the booking's pending payment; it is then due at the new start at the latest. A
        booking keeps following the event in the values that it has from the event: the test, and
        the centre if it has no room. A room of its own at the same centre stays. Raises: Invalid
        (its room is not at the new centre), NonexistentTime.
        """
        room_id = self._room_of(booking)
        event = self.after if self._says_how_long else as_booked(self.after, booking)
        accommodations = self._for_length(booking, granted)
        moved = changed(
            booking,
            room_id=room_id,
            centre_id=self._centre_of(booking, room_id),
            duration_minutes=event.duration_minutes,
            **self._test_of(booking),
            **_extra_minutes(accommodations),
        )
        moved = lapsing_by_start(changed(moved, **self._times_of(booking, moved, event)))
        if moved == booking:
            return None
        moved = next_version(moved, now)
        paying = None if payment is None else (payment, due_by_start(payment, moved.start_at))
        return BookingMove(booking, moved, tuple(zip(granted, accommodations, strict=True)), paying)

    @property
    def _says_how_long(self) -> bool:
        """Whether the update changes the event's length; if not, bookings keep their lengths."""
        return any(getattr(self.before, name) != getattr(self.after, name) for name in LENGTH)

    def _for_length(
        self, booking: Booking, granted: Sequence[Accommodation]
    ) -> Sequence[Accommodation]:
        """Return the accommodations for the event's new length: some are a percentage of it.

        Those for breaks are a percentage of the test's breaks; a booking may have another test than
        the event.
        """
        before, after = self.before, self.after
        if not self._says_how_long:
            return granted
        breaks = 0 if self.choice.test is None else self.choice.test.break_minutes
        again = recomputed(granted, duration_minutes=after.duration_minutes, break_minutes=breaks)
        if booking.test_id == before.test_id:
            return again
        of_length = AccommodationScope.TEST_TIME
        return [
            new if new.scope is of_length else old for old, new in zip(granted, again, strict=True)
        ]

    def _room_of(self, booking: Booking) -> UUID | None:
        """Raises: Invalid."""
        new = self.after.room_id
        if kind_of(booking).follows_event:
            return new
        if booking.room_id is None:
            return None
        stays = self._is_at_centre(booking.room_id)
        if new is not None and (booking.room_id == self.before.room_id or not stays):
            return new
        if not stays:
            rule = "is not where the rooms of the event's bookings are; name a room there"
            raise Invalid("centre", rule=rule)
        return booking.room_id

    def _is_at_centre(self, room_id: UUID) -> bool:
        if self.after.venue_id == self.before.venue_id:
            return True
        return self.rooms[room_id].centre_id == self.after.venue_id

    def _centre_of(self, booking: Booking, room_id: UUID | None) -> UUID | None:
        if room_id is not None:
            return self.rooms[room_id].centre_id
        follows = booking.centre_id == self.before.venue_id
        return self.after.venue_id if follows else booking.centre_id

    def _test_of(self, booking: Booking) -> dict[str, Any]:
        if self.after.test_id == self.before.test_id or booking.test_id != self.before.test_id:
            return {}
        test = self.choice.test
        return {
            "test_id": self.after.test_id,
            "subject_id": None if test is None else test.subject_id,
        }

    def _times_of(self, was: Booking, booking: Booking, event: Event) -> dict[str, Any]:
        """Return the booking's times, at an event of the booking's length."""
        if kind_of(booking).follows_event:
            return times(sitting_at(event, _extra_of(booking)))
        # online, the booking keeps its time zone, wherever the event is
        zone = booking.time_zone if booking.room_id is None else self.after.time_zone
        if self.after.on_demand:
            return self._own_times(was, booking, zone)
        start, end = event.start_at, event.end_at
        extra = timedelta(minutes=booking.extra_time_minutes + booking.extra_break_minutes)
        busy_until = None
        if start is not None:
            busy_until = later(max(end or start, later(start, UNKNOWN_LENGTH)), extra)
        return _as_columns(zone, start, end, busy_until)

    def _own_times(self, was: Booking, booking: Booking, zone: str) -> dict[str, Any]:
        """Return the booking's own times: the wall time stays, in the new time zone.

        Raises: NonexistentTime.
        """
        same_length = _length(was) == _length(booking)
        if booking.local_start is None or (zone == booking.time_zone and same_length):
            return {}
        start = booking.start_at
        if zone != booking.time_zone:
            start = instant_of(booking.local_start, zone, "centre")
        assert start is not None
        end = None
        if booking.duration_minutes is not None:
            worked = booking.duration_minutes + booking.extra_time_minutes
            end = later(start, timedelta(minutes=worked))
        breaks = timedelta(minutes=booking.extra_break_minutes)
        return _as_columns(zone, start, end, later(end or later(start, UNKNOWN_LENGTH), breaks))


def _as_columns(
    zone: str, start: datetime | None, end: datetime | None, busy_until: datetime | None
) -> dict[str, Any]:
    return {
        "time_zone": zone,
        "local_start": _on_the_wall(start, zone),
        "local_end": _on_the_wall(end, zone),
        "start_at": start,
        "end_at": end,
        "busy_until_at": busy_until,
    }


def _on_the_wall(instant: datetime | None, zone: str) -> datetime | None:
    return None if instant is None else wall_time_of(instant, zone).replace(microsecond=0)


def _length(booking: Booking) -> tuple[int | None, int, int]:
    extra_minutes = booking.extra_time_minutes, booking.extra_break_minutes
    return (booking.duration_minutes, *extra_minutes)


def _extra_of(booking: Booking) -> ExtraMinutes:
    return ExtraMinutes(booking.extra_time_minutes, booking.extra_break_minutes)


class _ExtraMinutes(TypedDict, total=False):
    extra_time_minutes: int
    extra_break_minutes: int


def _extra_minutes(accommodations: Sequence[Accommodation]) -> _ExtraMinutes:
    if not accommodations:
        return {}
    added = extra(accommodations)
    return {"extra_time_minutes": added.time_minutes, "extra_break_minutes": added.break_minutes}


@frozen
class BookingMove:
    """A booking before and after a move, with its accommodations and its payment."""

    before: Booking
    after: Booking
    accommodations: tuple[tuple[Accommodation, Accommodation], ...] = ()
    payment: tuple[Payment, Payment] | None = None

    def facts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the booking's facts for the log, before and after."""
        before, after = booking_facts(self.before), booking_facts(self.after)
        if self.payment is not None:
            before |= payment_facts(self.payment[0])
            after |= payment_facts(self.payment[1])
        return before, after

    @property
    def needs_seat(self) -> bool:
        """Whether the booking needs a seat in another room or at another time."""
        return takes_seat(self.after) and (
            self.before.room_id != self.after.room_id or span_of(self.before) != span_of(self.after)
        )

    @property
    def at_another_time(self) -> bool:
        return span_of(self.before) != span_of(self.after)


def require_seats(
    seats: Seats, moved: Iterable[BookingMove], rooms: Mapping[UUID, Room], *path: str
) -> None:
    """Require seats for the bookings in their rooms once all have left their old ones.

    The count of seats is restored before this returns; `reseat` takes the new seats. Raises:
    RoomFull.
    """
    seekers = [one for one in moved if one.needs_seat]
    taken: list[Booking] = []
    for one in seekers:
        seats.free(one.before)
    try:
        for one in seekers:
            room = None if one.after.room_id is None else rooms[one.after.room_id]
            seats.require_free(one.after, SeatLimits(None, room), *path)
            seats.take(one.after)
            taken.append(one.after)
    finally:
        for booking in taken:
            seats.free(booking)
        for one in seekers:
            seats.take(one.before)


def reseat(
    seats: Seats, candidate_schedules: CandidateSchedules, moved: Iterable[BookingMove]
) -> None:
    """Count the bookings at their new places, and update the candidates' schedules."""
    for one in moved:
        seats.free(one.before)
        seats.take(one.after)
        candidate_schedules.write(one.after)


def time_conflicts(
    candidate_schedules: CandidateSchedules, moved: Iterable[BookingMove], event: Event
) -> list[Warning]:
    """Return a warning for each booking that now overlaps another one of its candidate.

    At most ten, then one that counts the rest.
    """
    overlapping = [
        one.after
        for one in moved
        if one.at_another_time
        and candidate_schedules.conflicts(
            one.after, same_event_may_overlap=event.allow_multiple_registrations
        )
    ]
    warnings = [
        _conflict(f"The candidate of {booking.reference} has another booking at that time.")
        for booking in overlapping[:MOST_WARNINGS]
    ]
    rest = len(overlapping) - MOST_WARNINGS
    if rest > 0:
        warnings.append(_conflict(f"So have the candidates of {rest} more bookings."))
    return warnings


def _conflict(message: str) -> Warning:
    return Warning(WarningCode.CANDIDATE_TIME_CONFLICT, message)
