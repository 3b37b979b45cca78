"""Commands that lock events, rooms, candidates and bookings take the locks in one order."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.enrolments.booking import book
from resolvers.enrolments.moving import move
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant
from resolvers.every_kind.cancelling import cancel
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import storage_at
from resolvers.tests.commands import UpsertTest, upsert_tests
from tests.conftest import SettableClock
from tests.patience import PATIENCE
from tests.resolvers.asking import cancelling, granting, moving
from tests.resolvers.storage.conftest import Foreign
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

ROUNDS = 30

DATABASE = "SELECT format('ALTER DATABASE %I ', current_database())"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.mark.usefixtures("on_postgresql")
async def test_no_deadlock_between_commands_of_one_event(
    world: World, centre: UUID, database_url: str, clock: SettableClock, foreign: Foreign
) -> None:
    """A process each grants, books, moves, cancels, and updates the event and its test.

    Each sends one command at a time, so that PostgreSQL would count every wrong order of locks: the
    storage itself repeats what a deadlock has stopped.
    """
    hall = await world.room(centre, "Hall", capacity=3)
    other_hall = await world.room(centre, "Other hall", capacity=3)
    test = await world.test()
    given: dict[str, Any] = {"centre": centre, "room": hall, "test": test}
    event = await world.event(**given, exam_duration_in_minutes=None)
    other = await world.event(**given, start_at=world.tomorrow(12))
    people = await world.candidates(6)
    seats = [await world.booked(person, event) for person in people[:3]]

    def updated(n: int) -> UpdateEvent:
        changes = {"start_at": world.tomorrow(10) + timedelta(minutes=n % 7)}
        return UpdateEvent(world.viewer, ByKey(event), changes)

    def longer(n: int) -> UpsertTest:
        named = {"reference": "MATHS", "name": "MATHS"}
        return UpsertTest(viewer=world.viewer, **named, duration_minutes=40 + n % 5)

    streams: list[tuple[Any, Callable[[int], Any]]] = [
        (grant, lambda n: granting(world, seats[n % 3], time_extension_minutes=n % 90)),
        (book, lambda n: world.booking(people[n % 6], [event, other][n % 2])),
        (move, lambda n: moving(world, seats[n % 3], to_room=[hall, other_hall][n % 2])),
        (move, lambda n: moving(world, seats[n % 3], to_event=[other, event][n % 2])),
        (update_events, updated),
        (upsert_tests, longer),
        (
            cancel,
            lambda n: cancelling(world, seats[2 if n == ROUNDS // 2 else 0], expected_version=n),
        ),
    ]
    before = await foreign.fetchval(DEADLOCKS)

    async with AsyncExitStack() as opened:
        # PostgreSQL looks for a deadlock before the storage gives the lock up
        alter = await foreign.fetchval(DATABASE)
        await foreign.execute(f"{alter} SET deadlock_timeout = '1ms'")
        opened.push_async_callback(foreign.execute, f"{alter} RESET deadlock_timeout")

        async def send(run: Any, command: Callable[[int], Any]) -> None:
            storage = storage_at(database_url, outbox.fill, clock=clock)
            await storage.open()
            opened.push_async_callback(storage.close)
            for n in range(ROUNDS):
                [result] = await storage.write(run, [command(n)])
                assert isinstance(result, Outcome | Refused)

        await asyncio.wait_for(asyncio.gather(*(send(*stream) for stream in streams)), PATIENCE)

    # a backend reports what it has counted when it ends
    assert await foreign.fetchval(DEADLOCKS) == before
