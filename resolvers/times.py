"""Wall times and instants.

The centre's local time is authoritative; the instant follows from its zone.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from resolvers.refusals import OutOfRange
from resolvers.storage.columns import FIRST, LAST_OF_ROWS

ONE_MINUTE = timedelta(minutes=1)


class NonexistentTime(OutOfRange):
    """A wall time that the clock skips when it goes forward."""

    def __init__(self, *path: str, before: datetime, after: datetime) -> None:
        super().__init__(
            *path,
            rule="does not exist there, since the clock goes forward; the nearest valid times are "
            f"{before.isoformat()} and {after.isoformat()}",
        )
        self.before, self.after = before, after


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def instant_of(local: datetime, zone_name: str, *path: str) -> datetime:
    """Return the instant, in UTC, of a wall time; the first of two where the clock goes back.

    Raises: NonexistentTime.
    """
    there = zone(zone_name)
    instant = local.replace(tzinfo=there).astimezone(UTC)
    if instant.astimezone(there).replace(tzinfo=None) == local:
        return instant
    # in a gap fold=0 means the offset before the clock jumps, fold=1 the one after it
    early = local.replace(tzinfo=there, fold=1).astimezone(UTC)
    jump = _jump_between(early, instant, there)
    raise NonexistentTime(
        *path,
        before=(jump - ONE_MINUTE).astimezone(there).replace(tzinfo=None),
        after=jump.astimezone(there).replace(tzinfo=None),
    )


def _jump_between(early: datetime, late: datetime, there: ZoneInfo) -> datetime:
    """Return the instant, to the second, at which the offset changes."""
    low, high = sorted((early, late))
    offset = low.astimezone(there).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(there).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def is_ambiguous(local: datetime, zone_name: str) -> bool:
    """Whether the clock shows this wall time twice."""
    there = zone(zone_name)
    first = local.replace(tzinfo=there, fold=0).utcoffset()
    second = local.replace(tzinfo=there, fold=1).utcoffset()
    return first is not None and second is not None and first > second


@lru_cache(maxsize=4096)
def wall_time_of(instant: datetime, zone_name: str) -> datetime:
    """Return the wall time in a zone at an instant, in whole seconds.

    A time after the year 9999 or before the year 1 becomes the last or the first possible time.
    """
    try:
        local = instant.astimezone(zone(zone_name)).replace(tzinfo=None)
    except OverflowError:
        local = (LAST_OF_ROWS if instant.year > 1 else FIRST).replace(tzinfo=None)
    return local.replace(microsecond=0)


def later(instant: datetime, by: timedelta) -> datetime:
    """Return an instant plus a (possibly negative) time; at most the last possible instant."""
    try:
        return instant + by
    except OverflowError:
        return LAST_OF_ROWS if by > timedelta(0) else FIRST
