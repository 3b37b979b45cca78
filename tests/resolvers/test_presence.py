"""Pauses of the background work are recorded once, and do not count against notifications."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resolvers.outcomes import Outcome
from resolvers.presence import (
    BEAT_SECONDS,
    LONGEST_SILENCE,
    ReportPresence,
    paused_for,
    presences,
    say_present,
)
from resolvers.storage import Storage
from resolvers.storage.rows import new_row
from resolvers.storage.tables import WorkerPresence
from tests.conftest import SettableClock
from tests.resolvers.storage.conftest import Opening, opened  # noqa: F401 - a fixture

DAY = datetime(2027, 1, 11, tzinfo=UTC)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("at_work", "since", "now", "hours"),
    [
        ([], 0, 48, 0),  # nothing is known
        ([(0, 48)], 0, 48, 0),
        ([(0, 10), (20, 48)], 0, 48, 10),
        ([(0, 10), (20, 48)], 15, 48, 5),  # queued during the pause
        ([(0, 10), (20, 48)], 30, 48, 0),  # queued after it
        ([(0, 10), (20, 48)], 0, 12, 2),  # another worker has recorded a pause that goes on
        ([(0, 10)], 0, 48, 38),  # back, and not recorded yet
        ([(20, 48)], 0, 48, 0),  # the time before the first presence counts
        ([(0, 30), (5, 10), (40, 48)], 0, 48, 10),  # two workers
    ],
)
def test_a_pause_counts_from_the_last_to_the_next_presence(
    at_work: list[tuple[int, int]], since: int, now: int, hours: int
):
    """As far as it lies between the two instants."""
    rows = [new_row(WorkerPresence, began_at=at(a), seen_at=at(b)) for a, b in at_work]

    assert paused_for(rows, at(since), at(now)) == timedelta(hours=hours)


def test_a_silence_that_is_no_pause_does_not_count():
    rows = [new_row(WorkerPresence, began_at=at(0), seen_at=at(1))]

    assert paused_for(rows, at(0), at(1) + LONGEST_SILENCE) == timedelta()


async def recorded(storage: Storage) -> list[tuple[datetime, datetime]]:
    found: list[Any] = []

    def look(work: Any, commands: Any) -> list[Outcome]:
        found.extend(presences(work))
        return [Outcome(one) for one in commands]

    await storage.write(look, [None])
    return [(row.began_at, row.seen_at) for row in found]


@pytest.mark.both_databases
async def test_presence_is_recorded(storage: Storage, clock: SettableClock):
    """One row for as long as a worker says that it is at work, another after a pause."""
    began = clock.now
    outcomes = []
    for seconds in (0, BEAT_SECONDS, 60, 61, -30):
        clock.now += timedelta(seconds=seconds)
        outcomes += await storage.write(say_present, [ReportPresence()])

    first, second = (began, began + timedelta(seconds=75)), began + timedelta(seconds=136)
    assert await recorded(storage) == [first, (second, second)]
    assert [one.changed for one in outcomes if isinstance(one, Outcome)] == [
        *(True, False, False, True, False)
    ]


@pytest.mark.both_databases
async def test_workers_record_a_pause_once(
    storage: Storage,
    opened: Opening,  # noqa: F811
    clock: SettableClock,
):
    """Those that come back at the same time, 20 times."""
    storages = [storage, await opened(), await opened()]
    for _ in range(20):
        clock.now += timedelta(hours=1)
        await asyncio.gather(*(one.write(say_present, [ReportPresence()]) for one in storages))

    rows = await recorded(storage)
    assert len(rows) == len({began for began, _ in rows}) == 20
