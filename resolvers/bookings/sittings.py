"""The times of a booking. Pure: takes an event, a time and `now`, returns a sitting or refuses."""

from datetime import datetime, timedelta
from typing import Any

from resolvers.bookings.accommodations import ExtraMinutes
from resolvers.bookings.seats import UNKNOWN_LENGTH
from resolvers.outcomes import Warning
from resolvers.refusals import OnDemandTimeNotAllowed, OnDemandTimeRequired, OutOfRange
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Event
from resolvers.times import instant_of, is_ambiguous, later, wall_time_of
from resolvers.values import frozen
from resolvers.vocabulary import WarningCode


@frozen
class Sitting:
    """The times of a booking, in the time zone that applies to it."""

    time_zone: str
    local_start: datetime | None
    local_end: datetime | None
    start_at: datetime | None
    end_at: datetime | None
    busy_until_at: datetime | None
    duration_minutes: int | None
    extra_time_minutes: int = 0
    extra_break_minutes: int = 0
    ambiguous: bool = False


def sitting_of(
    event: Event,
    on_demand_time: datetime | None,
    *,
    time_zone: str,
    now: datetime,
    may_be_past: bool = False,
    extra_time_minutes: int = 0,
    extra_break_minutes: int = 0,
    path: str = "on_demand_time",
) -> Sitting:
    """Return the times of the booking: the event's, or its own at an event on demand.

    Raises: OnDemandTimeRequired, OnDemandTimeNotAllowed, OutOfRange (past, or a time that the clock
    skips).
    """
    extra = timedelta(minutes=extra_time_minutes)
    breaks = timedelta(minutes=extra_break_minutes)
    start: datetime | None
    busy_until: datetime | None
    ambiguous = False
    if event.on_demand:
        if on_demand_time is None:
            raise OnDemandTimeRequired(path)
        on_demand_time = on_demand_time.replace(microsecond=0)  # a wall time has whole seconds
        start = instant_of(on_demand_time, time_zone, path)
        if start < now and not may_be_past:
            raise OutOfRange(path, rule="must not be in the past")
        ambiguous = is_ambiguous(on_demand_time, time_zone)
        minutes = event.duration_minutes
        end = None if minutes is None else later(start, timedelta(minutes=minutes) + extra)
        busy_until = later(max(end or start, later(start, UNKNOWN_LENGTH)), breaks)
    else:
        if on_demand_time is not None:
            raise OnDemandTimeNotAllowed(path)
        start, end = event.start_at, event.end_at
        busy_until = None
        if start is not None:
            busy_until = later(max(end or start, later(start, UNKNOWN_LENGTH)), extra + breaks)
    return Sitting(
        time_zone=time_zone,
        local_start=None if start is None else wall_time_of(start, time_zone),
        local_end=None if end is None else wall_time_of(end, time_zone),
        start_at=start,
        end_at=end,
        busy_until_at=busy_until,
        duration_minutes=event.duration_minutes,
        extra_time_minutes=extra_time_minutes,
        extra_break_minutes=extra_break_minutes,
        ambiguous=ambiguous,
    )


def sitting_at(event: Event, extra: ExtraMinutes) -> Sitting:
    """Return the times of a booking that follows its event.

    It ends with the event, or later if the extra time requires it.
    """
    start, end = event.start_at, event.end_at
    busy_until = None
    if start is not None:
        if event.duration_minutes is not None and extra.time_minutes:
            worked = event.duration_minutes + extra.time_minutes
            own = later(start, timedelta(minutes=worked))
            end = own if end is None else max(end, own)
        breaks = timedelta(minutes=extra.break_minutes)
        busy_until = later(max(end or start, later(start, UNKNOWN_LENGTH)), breaks)
    return Sitting(
        time_zone=event.time_zone,
        local_start=_on_the_wall(start, event.time_zone),
        local_end=_on_the_wall(end, event.time_zone),
        start_at=start,
        end_at=end,
        busy_until_at=busy_until,
        duration_minutes=event.duration_minutes,
        extra_time_minutes=extra.time_minutes,
        extra_break_minutes=extra.break_minutes,
    )


def as_booked(event: Event, booking: Booking) -> Event:
    """Return the event with the duration of one of its bookings.

    An event may follow its test to a new duration; existing bookings keep theirs.
    """
    minutes = booking.duration_minutes
    if minutes == event.duration_minutes:
        return event
    end = event.given_end_at
    if end is None and event.start_at is not None and minutes is not None:
        end = later(event.start_at, timedelta(minutes=minutes))
    return changed(event, duration_minutes=minutes, end_at=end)


def overrun(event: Event, booking: Booking) -> list[Warning]:
    """Return a warning if the booking ends later than its event."""
    if booking.end_at is None or event.end_at is None or booking.end_at <= event.end_at:
        return []
    return [
        Warning(
            WarningCode.ENDS_AFTER_EVENT, "With its extra time, the booking ends after the event."
        )
    ]


def times(sitting: Sitting) -> dict[str, Any]:
    """Return the start and the end of a sitting, as a booking's columns."""
    return {
        "time_zone": sitting.time_zone,
        "local_start": sitting.local_start,
        "local_end": sitting.local_end,
        "start_at": sitting.start_at,
        "end_at": sitting.end_at,
        "busy_until_at": sitting.busy_until_at,
    }


def when(sitting: Sitting) -> dict[str, Any]:
    """Return a sitting as a booking's columns."""
    return {
        **times(sitting),
        "duration_minutes": sitting.duration_minutes,
        "extra_time_minutes": sitting.extra_time_minutes,
        "extra_break_minutes": sitting.extra_break_minutes,
    }


def _on_the_wall(instant: datetime | None, zone: str) -> datetime | None:
    return None if instant is None else wall_time_of(instant, zone).replace(microsecond=0)


def ambiguous_time(name: str) -> Warning:
    return Warning(
        WarningCode.AMBIGUOUS_TIME,
        "The clock goes back, so this local time occurs twice. The first one is used.",
        (name,),
    )
