"""Values computed from an event and the clock: status, times, registration, seats."""

from datetime import datetime, timedelta
from typing import Protocol

from resolvers.bookings.seats import UNKNOWN_LENGTH, Span
from resolvers.refusals import OutsideRegistrationWindow, RegistrationClosed
from resolvers.storage.tables import Event
from resolvers.times import later
from resolvers.values import frozen
from resolvers.vocabulary import DurationUnit, EventStatus, SeatState

MINUTES_IN: dict[DurationUnit, int] = {DurationUnit.MINUTE: 1, DurationUnit.HOUR: 60}
"""The units that count as working time of an event; days and longer units do not."""

MOST_MINUTES = 2**31 - 1
"""The longest duration from start to end that GraphQL and the databases can store."""

LIMITED_SHARE = 10
"""The state is LIMITED if at most one seat in this many is free."""


class WithDuration(Protocol):
    """An object with minutes of work, such as a test."""

    @property
    def duration_minutes(self) -> int: ...


class WithSeats(Protocol):
    """An object with seats, such as a room."""

    @property
    def capacity(self) -> int: ...


@frozen
class SeatsFacts:
    """The seats of an event, visible to all viewers; None means unlimited."""

    capacity: int | None
    taken: int
    free: int | None
    state: SeatState
    below_minimum: bool


def status(event: Event, now: datetime) -> EventStatus:
    """Return the event's status: a cancellation is stored, the rest is computed from the clock.

    `resolvers.events.filters` has the same rule in SQL.
    """
    if event.cancelled_at is not None:
        return EventStatus.CANCELLED
    if event.start_at is None and not event.on_demand:
        return EventStatus.DRAFT
    if _passed(over_at(event), now):
        return EventStatus.COMPLETED
    if _passed(event.exam_started, now) or _passed(event.start_at, now):
        return EventStatus.IN_PROGRESS
    if _passed(event.registration_locked, now):
        return EventStatus.LOCKED
    return EventStatus.SCHEDULED


def over_at(event: Event) -> datetime | None:
    """Return when the event is over: its end, else a minute after its start; None without
    either.
    """
    if event.end_at is not None or event.start_at is None:
        return event.end_at
    return later(event.start_at, UNKNOWN_LENGTH)


def span_of_event(event: Event) -> Span | None:
    """Return when the event occupies its room, at least a minute; None without a start."""
    if event.start_at is None:
        return None
    shortest = later(event.start_at, UNKNOWN_LENGTH)
    return event.start_at, max(event.end_at or shortest, shortest)


def duration_minutes(event: Event, test: WithDuration | None) -> int | None:
    """Return the working time: of the exam, of the test, the given quantity, or from start to
    end.
    """
    if event.exam_duration_in_minutes is not None:
        return event.exam_duration_in_minutes
    if test is not None:
        return test.duration_minutes
    if (minutes := quantity_in_minutes(event)) is not None:
        return minutes
    if event.start_at is None or event.given_end_at is None:
        return None
    minutes = int((event.given_end_at - event.start_at) / timedelta(minutes=1))
    return min(minutes, MOST_MINUTES) or None


def quantity_in_minutes(event: Event) -> int | None:
    """Return the duration given as a number of minutes or hours, in minutes."""
    if event.duration_quantity is None or event.duration_unit not in MINUTES_IN:
        return None
    return event.duration_quantity * MINUTES_IN[event.duration_unit]


def end_of(event: Event, test: WithDuration | None) -> datetime | None:
    """Return the end: as given, else after the duration; None if neither is known."""
    if event.given_end_at is not None or event.start_at is None:
        return event.given_end_at
    minutes = duration_minutes(event, test)
    return None if minutes is None else later(event.start_at, timedelta(minutes=minutes))


def registration_open(event: Event, now: datetime) -> bool:
    """Whether the event accepts bookings now."""
    return not _never_open(event) and _window_refusal(event, now) is None


def require_open(event: Event, now: datetime, *path: str, ignore_window: bool = False) -> bool:
    """Require that the event accepts bookings; the deadline is inclusive.

    `ignore_window` ignores the registration times, but not DRAFT or CANCELLED. Returns whether it
    had an effect. Raises: RegistrationClosed.
    """
    if _never_open(event):
        raise RegistrationClosed(*path, deadline=event.cancelled_at)
    refusal = _window_refusal(event, now, *path)
    if refusal is None:
        return False
    if not ignore_window:
        raise refusal
    return True


def require_not_cancelled(event: Event, *path: str) -> None:
    """Refuse moves within a cancelled event.

    Raises: RegistrationClosed.
    """
    if event.cancelled_at is not None:
        raise RegistrationClosed(*path, deadline=event.cancelled_at)


def _never_open(event: Event) -> bool:
    return event.cancelled_at is not None or (event.start_at is None and not event.on_demand)


def _window_refusal(event: Event, now: datetime, *path: str) -> RegistrationClosed | None:
    """Return the refusal, with the instant that closed the registration or will open it, or
    None.
    """
    closed = [at for at in (event.registration_locked, event.start_at) if _passed(at, now)]
    if event.registration_deadline is not None and now > event.registration_deadline:
        closed.append(event.registration_deadline)
    if closed:
        return OutsideRegistrationWindow(*path, deadline=min(at for at in closed if at is not None))
    if event.registration_start is not None and now < event.registration_start:
        return OutsideRegistrationWindow(*path, deadline=event.registration_start)
    return None


def seats(
    event: Event, room: WithSeats | None, *, taken: int, peak_in_room: int, now: datetime
) -> SeatsFacts:
    """Return the seats of an event: `capacity` and `free` are the smaller of event and room,
    `taken` is the event's own.

    `peak_in_room` is the most seats taken in the room at one time during the event, by all
    bookings. An on-demand event has only its own capacity, since its bookings choose their times.
    """
    limits = [] if event.capacity_maximum is None else [(event.capacity_maximum, taken)]
    if room is not None and not event.on_demand:
        limits.append((room.capacity, peak_in_room))
    capacity = min((most for most, _ in limits), default=None)
    free = min((max(0, most - used) for most, used in limits), default=None)
    return SeatsFacts(
        capacity=capacity,
        taken=taken,
        free=free,
        state=_seat_state(capacity, free, is_open=registration_open(event, now)),
        below_minimum=event.capacity_minimum is not None and taken < event.capacity_minimum,
    )


def _seat_state(capacity: int | None, free: int | None, *, is_open: bool) -> SeatState:
    if not is_open:
        return SeatState.CLOSED
    if capacity is None or free is None:
        return SeatState.FREE
    if free == 0:
        return SeatState.FULL
    return SeatState.LIMITED if free * LIMITED_SHARE <= capacity else SeatState.FREE


def _passed(at: datetime | None, now: datetime) -> bool:
    return at is not None and now >= at
