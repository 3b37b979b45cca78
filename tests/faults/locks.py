"""Faults of PostgreSQL's sessions: locks that another session keeps, sessions that end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import asyncpg

from resolvers.identity import parse_global_id
from tests.faults.measuring import Fault, Scene

AGAIN_SECONDS: Final = 3

WRITERS: Final = "query in ('BEGIN', 'COMMIT', 'ROLLBACK') OR state LIKE 'idle in transaction%'"
"""Sessions of which the last statement was one of a transaction."""

TERMINATE: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}
"""


@asynccontextmanager
async def session(scene: Scene) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A session of somebody else's in the gateway's database."""
    connection = await asyncpg.connect(scene.database_url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def locked(scene: Scene, statement: str, key: UUID) -> AsyncIterator[None]:
    """Keep the lock of a row."""
    async with session(scene) as other, other.transaction():
        assert await other.fetch(statement, key), "there is no such row"
        yield


def log_position(scene: Scene) -> AbstractAsyncContextManager[None]:
    statement = "SELECT 1 FROM log_position WHERE organization_id = $1 FOR UPDATE"
    return locked(scene, statement, scene.victim.id)


def one_event(scene: Scene) -> AbstractAsyncContextManager[None]:
    return locked(
        scene, "SELECT 1 FROM event WHERE id = $1 FOR UPDATE", key_of(scene.victim.events[0])
    )


def one_booking(scene: Scene) -> AbstractAsyncContextManager[None]:
    """The lock of a booking that its client will move or cancel."""
    known = scene.load.known[scene.victim.name].bookings
    booking = next(key for key, booked in known.items() if booked.live)
    return locked(scene, "SELECT 1 FROM booking WHERE id = $1 FOR UPDATE", key_of(booking))


def key_of(global_id: str) -> UUID:
    parsed = parse_global_id(global_id)
    assert parsed is not None
    return parsed[1]


def terminating(which: str) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    """End sessions of the gateway again and again."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        async def run(other: "asyncpg.Connection[Any]") -> None:
            while True:
                await other.execute(TERMINATE.format(which=which))
                await asyncio.sleep(AGAIN_SECONDS)

        async with session(scene) as other:
            task = asyncio.create_task(run(other))
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    return inject


LOG_POSITION: Final = Fault(
    name="another session locks the victim's log position",
    database="postgresql",
    inject=log_position,
)

FAULTS: Final = [
    LOG_POSITION,
    Fault(
        name="another session locks an event of the victim",
        database="postgresql",
        inject=one_event,
    ),
    Fault(
        name="another session locks a booking of the victim",
        database="postgresql",
        inject=one_booking,
    ),
    Fault(
        name="pg_terminate_backend of the writer, every 3 s",
        database="postgresql",
        inject=terminating(WRITERS),
    ),
    Fault(
        name="pg_terminate_backend of the readers, every 3 s",
        database="postgresql",
        inject=terminating(f"NOT ({WRITERS})"),
    ),
]
