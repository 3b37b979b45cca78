"""When an agent booking takes place: from its first day to its last. Pure."""

from datetime import date, datetime, time, timedelta
from typing import Any

from resolvers.agent_bookings.submission import Submission, Wish
from resolvers.times import NonexistentTime, instant_of


def last_day(date_from: date, number_of_weeks: int) -> date:
    """The day on which a stay ends."""
    return date_from + timedelta(weeks=number_of_weeks)


def times(submission: Submission, zone: str) -> dict[str, Any]:
    """The columns of a booking's times: whole days of the school's clock.

    Courses and lodging count. The submission is in order, so there is a course and all have dates.
    """
    stays = (*submission.courses, *submission.lodging)
    first = min(wish.date_from for wish in stays if wish.date_from is not None)
    last = max(_end(wish) for wish in stays)
    return {
        "time_zone": zone,
        "local_start": datetime.combine(first, time.min),
        "local_end": datetime.combine(last, time.min),
        "start_at": midnight(first, zone),
        "end_at": midnight(last, zone),
    }


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins; where the clock skips midnight, later that night."""
    local = datetime.combine(day, time.min)
    try:
        return instant_of(local, zone)
    except NonexistentTime as skipped:
        return instant_of(skipped.after, zone)


def _end(wish: Wish) -> date:
    assert wish.date_from is not None
    assert wish.number_of_weeks is not None
    return last_day(wish.date_from, wish.number_of_weeks)
