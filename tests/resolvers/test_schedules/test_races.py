"""Several processes schedule at once: one open schedule for a test, one PIN for a sitting."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, storage_at
from resolvers.storage.tables import Booking, SessionPin
from resolvers.test_schedules.booking import book
from tests.conftest import SettableClock
from tests.resolvers.test_schedules.conftest import Schedules
from tests.resolvers.world import codes

pytestmark = pytest.mark.both_databases

PROCESSES = 4


@pytest.fixture
async def processes(database_url: str, clock: SettableClock) -> AsyncIterator[list[Storage]]:
    """Storages that open the test's database as other processes do."""
    opened = [storage_at(database_url, outbox.fill, clock=clock) for _ in range(PROCESSES)]
    for storage in opened:
        await storage.open()
    yield opened
    for storage in opened:
        await storage.close()


async def test_a_candidate_gets_one_open_schedule(
    world: Schedules, processes: list[Storage]
) -> None:
    """Of concurrent requests for one candidate and test, one succeeds."""
    command = world.booking_of()

    results = [
        result for [result] in await asyncio.gather(*(s.write(book, [command]) for s in processes))
    ]

    refused = [codes(result) for result in results if not isinstance(result, Outcome)]
    assert refused == [["OPEN_SCHEDULE_EXISTS"]] * (PROCESSES - 1)
    assert len(await world.rows(Booking, "candidate_id", world.candidate_key)) == 1


async def test_the_first_of_a_sitting_get_one_pin(
    world: Schedules, processes: list[Storage]
) -> None:
    """Concurrent requests for one centre, test and day get the same PIN."""
    candidates = [await world.associated(f"N{n}") for n in range(PROCESSES)]
    commands = [world.booking_of(candidate=c, requires_invigilation=True) for c in candidates]

    results = [
        result
        for [result] in await asyncio.gather(
            *(s.write(book, [c]) for s, c in zip(processes, commands, strict=True))
        )
    ]

    pins = {(await world.detail(result.subject)).pin for result in results}  # type: ignore[union-attr]
    assert len(pins) == 1
    assert len(await world.rows(SessionPin, "centre_id", world.centre_key)) == 1
