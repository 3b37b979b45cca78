"""What follows from an event's values and the clock: status, times, registration, seats."""

from datetime import datetime, timedelta
from typing import Protocol

from resolvers.bookings.seats import UNKNOWN_LENGTH, Span
from resolvers.refusals import RegistrationClosed
from resolvers.storage.tables import Event
from resolvers.times import later
from resolvers.values import frozen
from resolvers.vocabulary import DurationUnit, EventStatus, SeatState

MINUTES_IN: dict[DurationUnit, int] = {DurationUnit.MINUTE: 1, DurationUnit.HOUR: 60}
"""The units that say how long an event is worked at; those from a day on do not."""

MOST_MINUTES = 2**31 - 1
"""What GraphQL and the databases can hold of a duration from start to end."""

LIMITED_SHARE = 10
"""LIMITED begins where no more than one seat in ten is free."""


class WithDuration(Protocol):
    """Something that says how many minutes of work it has, such as a test."""

    @property
    def duration_minutes(self) -> int: ...


class WithSeats(Protocol):
    """Something with seats, such as a room."""

    @property
    def capacity(self) -> int: ...


@frozen
class SeatsFacts:
    """The seats of an event as everybody may see them; unlimited is None."""

    capacity: int | None
    taken: int
    free: int | None
    state: SeatState
    below_minimum: bool


def status(event: Event, now: datetime) -> EventStatus:
    """Where the event is in its life: a cancellation is stored, the rest follows from the clock.

    `resolvers.events.filters` says the same in SQL.
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
    """When the event is over: its end, unknown a minute after its start; None without either."""
    if event.end_at is not None or event.start_at is None:
        return event.end_at
    return later(event.start_at, UNKNOWN_LENGTH)


def span_of_event(event: Event) -> Span | None:
    """When the event keeps its room busy, a minute at least; None without a start."""
    if event.start_at is None:
        return None
    shortest = later(event.start_at, UNKNOWN_LENGTH)
    return event.start_at, max(event.end_at or shortest, shortest)


def duration_minutes(event: Event, test: WithDuration | None) -> int | None:
    """How long is worked: as given for the exam, the test, as a quantity, or from start to end."""
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
    """The duration that is given as a number of minutes or hours, in minutes."""
    if event.duration_quantity is None or event.duration_unit not in MINUTES_IN:
        return None
    return event.duration_quantity * MINUTES_IN[event.duration_unit]


def end_of(event: Event, test: WithDuration | None) -> datetime | None:
    """The end that counts: as given, else after the duration; None where neither is known."""
    if event.given_end_at is not None or event.start_at is None:
        return event.given_end_at
    minutes = duration_minutes(event, test)
    return None if minutes is None else later(event.start_at, timedelta(minutes=minutes))


def registration_open(event: Event, now: datetime) -> bool:
    """Whether the event takes bookings now."""
    return not _never_open(event) and _window_refusal(event, now) is None


def require_open(event: Event, now: datetime, *path: str, ignore_window: bool = False) -> bool:
    """Let a booking through only while the event takes bookings; the deadline itself is still open.

    `ignore_window` sets aside the times, never DRAFT or CANCELLED. Returns whether it had to.
    Raises: RegistrationClosed.
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
    """Let nothing move within an event that is cancelled.

    Raises: RegistrationClosed.
    """
    if event.cancelled_at is not None:
        raise RegistrationClosed(*path, deadline=event.cancelled_at)


def _never_open(event: Event) -> bool:
    return event.cancelled_at is not None or (event.start_at is None and not event.on_demand)


def _window_refusal(event: Event, now: datetime, *path: str) -> RegistrationClosed | None:
    """With the instant that closed the registration, or the one that will open it."""
    closed = [at for at in (event.registration_locked, event.start_at) if _passed(at, now)]
    if event.registration_deadline is not None and now > event.registration_deadline:
        closed.append(event.registration_deadline)
    if closed:
        return RegistrationClosed(*path, deadline=min(at for at in closed if at is not None))
    if event.registration_start is not None and now < event.registration_start:
        return RegistrationClosed(*path, deadline=event.registration_start)
    return None


def seats(
    event: Event, room: WithSeats | None, *, taken: int, peak_in_room: int, now: datetime
) -> SeatsFacts:
    """The seats of an event: capacity and free are the smaller of event and room, taken is its own.

    `peak_in_room` is the most that is taken in the room at one time while the event lasts, by
    anybody. An on-demand event has only its own capacity, since its bookings choose their times.
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
