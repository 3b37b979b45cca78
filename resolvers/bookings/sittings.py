"""When a booking takes place. Pure: an event, a time and `now` in, a sitting or a refusal out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from resolvers.bookings.seats import UNKNOWN_LENGTH
from resolvers.outcomes import Warning
from resolvers.refusals import OnDemandTimeNotAllowed, OnDemandTimeRequired, OutOfRange
from resolvers.storage.tables import Event
from resolvers.times import instant_of, is_ambiguous, wall_time_of


@dataclass(frozen=True, slots=True)
class Sitting:
    """When a booking takes place, on the clock that counts for it."""

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
    path: str = "onDemandBookingTime",
) -> Sitting:
    """When the booking takes place: the event's times, or its own at an event on demand.

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
            raise OnDemandTimeRequired("input", path)
        on_demand_time = on_demand_time.replace(microsecond=0)  # a wall time has whole seconds
        start = instant_of(on_demand_time, time_zone, "input", path)
        if start < now and not may_be_past:
            raise OutOfRange("input", path, rule="must not be in the past")
        ambiguous = is_ambiguous(on_demand_time, time_zone)
        minutes = event.duration_minutes
        end = None if minutes is None else start + timedelta(minutes=minutes) + extra
        busy_until = max(end or start, start + UNKNOWN_LENGTH) + breaks
    else:
        if on_demand_time is not None:
            raise OnDemandTimeNotAllowed("input", path)
        start, end = event.start_at, event.end_at
        busy_until = None
        if start is not None:
            busy_until = max(end or start, start + UNKNOWN_LENGTH) + extra + breaks
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


def when(sitting: Sitting) -> dict[str, object]:
    """A sitting as a booking's columns."""
    return {
        "time_zone": sitting.time_zone,
        "local_start": sitting.local_start,
        "local_end": sitting.local_end,
        "start_at": sitting.start_at,
        "end_at": sitting.end_at,
        "busy_until_at": sitting.busy_until_at,
        "duration_minutes": sitting.duration_minutes,
        "extra_time_minutes": sitting.extra_time_minutes,
        "extra_break_minutes": sitting.extra_break_minutes,
    }


def ambiguous_time(name: str) -> Warning:
    return Warning(
        "AMBIGUOUS_TIME",
        "The clock shows this time twice, since it goes back; the first of them is meant.",
        ("input", name),
    )
