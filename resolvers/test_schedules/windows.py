"""The windows of a test schedule: dates and times of day are independent of each other `[001]`.

Pure. The wall time at the centre is the truth, so a window is as long on the wall before a change
of clocks as after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from resolvers.refusals import ValidationErrors
from resolvers.times import NonexistentTime, instant_of, is_ambiguous, zone
from resolvers.values import frozen

ONE_DAY = timedelta(days=1)

EDGES = {"start_time": "start_time", "end_time": "end_time"}


@frozen
class Dates:
    """From which date to which, and from which time of day to which on each of them."""

    start_date: date
    end_date: date
    start_time: time
    end_time: time

    def days(self) -> Iterator[date]:
        for n in range(self.count):
            yield self.start_date + n * ONE_DAY

    @property
    def count(self) -> int:
        return (self.end_date - self.start_date).days + 1


@frozen
class Window:
    """The part of one date in which the test can be sat: from `start`, before `end`.

    The buffer is outside of the first start and of the last end alone; every other buffered edge is
    the bare one.
    """

    date: date
    local_start: datetime
    local_end: datetime
    start: datetime
    end: datetime
    buffered_start: datetime
    buffered_end: datetime


def windows(
    dates: Dates, zone_name: str, *, buffer_hours: int, strict: bool = True
) -> list[Window]:
    """One window for each date, in their order. The buffer counts elapsed hours.

    Raises: NonexistentTime, for the first start or end that the clock skips on one of the dates;
    unless `strict`, such a time is read with the clock as it was before.
    """
    edge = timedelta(hours=buffer_hours)
    made = []
    for day in dates.days():
        local_start = datetime.combine(day, dates.start_time)
        local_end = datetime.combine(day, dates.end_time)
        start = _instant(local_start, zone_name, "start_time", strict=strict)
        end = _instant(local_end, zone_name, "end_time", strict=strict)
        made.append(
            Window(
                date=day,
                local_start=local_start,
                local_end=local_end,
                start=start,
                end=end,
                buffered_start=start - edge if day == dates.start_date else start,
                buffered_end=end + edge if day == dates.end_date else end,
            )
        )
    return made


def windows_of(schedule: Any, zone_name: str) -> list[Window]:
    """The windows of a schedule that was made, whatever has become of its zone's clock since."""
    return windows(dates_of(schedule), zone_name, buffer_hours=schedule.buffer_hours, strict=False)


def dates_of(schedule: Any) -> Dates:
    return Dates(schedule.start_date, schedule.end_date, schedule.start_time, schedule.end_time)


def check_windows(
    dates: Dates, zone_name: str, stage: ValidationErrors, paths: Mapping[str, str] = EDGES
) -> None:
    """Refusals: NonexistentTime, once for the starts and once for the ends.

    `paths` says which of the caller's arguments is named for each of the two.
    """
    for name, at in (("start_time", dates.start_time), ("end_time", dates.end_time)):
        stage.of(_require_on_the_clock, dates, at, zone_name, paths[name])


def ambiguous_edges(dates: Dates, zone_name: str) -> list[str]:
    """Which of `start_time` and `end_time` the clock shows twice on one of the dates."""
    edges = (("start_time", dates.start_time), ("end_time", dates.end_time))
    return [
        name
        for name, at in edges
        if any(is_ambiguous(datetime.combine(day, at), zone_name) for day in dates.days())
    ]


def window_at(made: Sequence[Window], at: datetime) -> Window | None:
    """The window, buffer included, that an instant is in."""
    return next((one for one in made if one.buffered_start <= at < one.buffered_end), None)


def _require_on_the_clock(dates: Dates, at: time, zone_name: str, *path: str) -> None:
    for day in dates.days():
        instant_of(datetime.combine(day, at), zone_name, *path)


def _instant(local: datetime, zone_name: str, name: str, *, strict: bool) -> datetime:
    try:
        return instant_of(local, zone_name, name)
    except NonexistentTime:
        if strict:
            raise
        return local.replace(tzinfo=zone(zone_name)).astimezone(UTC)
