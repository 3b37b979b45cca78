"""A read whose caller is cancelled ends in the database, too, and no other statement does."""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.storage import Read, Storage
from resolvers.storage.interrupting import run_interruptibly
from resolvers.storage.postgresql import READING_CONNECTIONS
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Foreign, Receipts
from tests.resolvers.storage.test_stream import endless

pytestmark = pytest.mark.both_databases

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""
SLEEP: Read[Any] = Read("test sleep", lambda _: sa.select(sa.func.pg_sleep(PATIENCE)))


async def cancelled(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE)


async def waiting(foreign: Foreign) -> int:
    """How many statements wait for a lock by now; a transaction keeps the list that it has seen."""
    await foreign.execute("SELECT pg_stat_clear_snapshot()")
    return await foreign.fetchval(WAITING)


async def test_the_statements_of_cancelled_reads_end(
    storage: Storage, receipts: Receipts, database_url: str
) -> None:
    """More reads than there are readers would take forever; after them all readers are free."""
    await storage.write(receipts.write, ["a"])
    forever = SLEEP if database_url.startswith("postgresql") else endless()
    for turn in range(5):
        reads = [asyncio.ensure_future(storage.read(forever)) for _ in range(12)]
        for _ in range(turn * turn):
            await asyncio.sleep(0)
        for read in reads:
            await cancelled(read)

        async with asyncio.timeout(PATIENCE):
            assert await asyncio.gather(*(receipts.written() for _ in range(12))) == [["a"]] * 12


async def test_a_cancelled_read_no_longer_waits_for_a_lock(
    storage: Storage, receipts: Receipts, foreign: Foreign
) -> None:
    """PostgreSQL's own list of statements shows it: first waiting, then gone."""
    async with foreign.transaction():
        await foreign.execute("LOCK TABLE import_receipt IN ACCESS EXCLUSIVE MODE")
        read = asyncio.ensure_future(receipts.written())
        async with asyncio.timeout(PATIENCE):
            while await waiting(foreign) == 0:
                pass
            await cancelled(read)
            while await waiting(foreign):
                pass


async def test_the_server_cancels_the_statements_of_cancelled_reads(
    storage: Storage, foreign: Foreign
) -> None:
    """Ten connections sleep; once their reads are cancelled, none does."""
    reads = [asyncio.ensure_future(storage.read(SLEEP)) for _ in range(20)]
    async with asyncio.timeout(PATIENCE):
        while await foreign.fetchval(SLEEPING) < READING_CONNECTIONS:
            pass
        for read in reads:
            await cancelled(read)
        while await foreign.fetchval(SLEEPING):
            pass


@pytest.mark.parametrize("database", ["sqlite"])
async def test_an_interrupt_ends_its_own_statement_only(database: str) -> None:
    """Of calls in one thread, each is cancelled at another moment; the next one is not affected."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    numbers = f"[{','.join(['1'] * 300)}]"
    connection.execute("CREATE TABLE number (n)")
    connection.execute("INSERT INTO number SELECT value FROM json_each(?)", (numbers,))
    started = threading.Event()

    def count(given: sqlite3.Connection) -> int:
        started.set()
        [n] = given.execute("SELECT count(*) FROM number a, number b, number c").fetchone()
        return int(n)

    with ThreadPoolExecutor(1) as executor:
        for turn in range(200):
            started.clear()
            first = asyncio.ensure_future(run_interruptibly(executor, lambda: connection, count))
            await asyncio.sleep(0)
            if turn % 2:
                assert await asyncio.to_thread(started.wait, PATIENCE)
            first.cancel()
            one = await run_interruptibly(
                executor, lambda: connection, lambda c: c.execute("SELECT 1").fetchone()
            )
            assert one == (1,)
            assert first.cancelled()
    connection.close()
