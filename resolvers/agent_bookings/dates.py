"""The times of an agent booking: from its first day to its last. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from resolvers.agent_bookings.submission import Stay
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking
from resolvers.times import NonexistentTime, instant_of


def last_day(date_from: date, number_of_weeks: int) -> date:
    """The last day of a stay."""
    return date_from + timedelta(weeks=number_of_weeks)


def end_of(stay: Stay) -> date:
    return last_day(stay.date_from, stay.number_of_weeks)


def times(stays: Sequence[Stay], zone: str) -> dict[str, Any]:
    """The columns of a booking's times: whole days in the school's time zone.

    Courses and lodging count, and there is at least one course. A confirmed booking is completed
    when its last day starts.
    """
    first, last = min(stay.date_from for stay in stays), max(end_of(stay) for stay in stays)
    end = midnight(last, zone)
    return {
        "time_zone": zone,
        "local_start": datetime.combine(first, time.min),
        "local_end": datetime.combine(last, time.min),
        "start_at": midnight(first, zone),
        "end_at": end,
        "closes_at": end,
    }


def busy(booking: Booking) -> Booking:
    """The booking with its end, including extra time."""
    assert booking.end_at is not None
    extra = timedelta(minutes=booking.extra_time_minutes + booking.extra_break_minutes)
    return changed(booking, busy_until_at=booking.end_at + extra)


def midnight(day: date, zone: str) -> datetime:
    """The start of a day; if the clock skips midnight, later that night."""
    local = datetime.combine(day, time.min)
    try:
        return instant_of(local, zone)
    except NonexistentTime as skipped:
        return instant_of(skipped.after, zone)
