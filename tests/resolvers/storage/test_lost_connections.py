"""PostgreSQL goes away: between transactions, in the middle of one, at the commit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import OutcomeUnknown, Read, Storage, Unavailable, UnitOfWork
from resolvers.storage.tables import Room, columns
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Foreign, Opening, Receipts, Results
from tests.resolvers.storage.proxy import Proxy

pytestmark = pytest.mark.both_databases

KILLED_AT_COMMIT = """
    CREATE FUNCTION test_kill() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER test_kill AFTER INSERT ON import_receipt DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.content_hash = 'killed') EXECUTE FUNCTION test_kill();
"""
KILL_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
UNDONE = "DROP TRIGGER test_kill ON import_receipt; DROP FUNCTION test_kill();"

PID: Read[Any] = Read("test pid", lambda _: sa.select(sa.func.pg_backend_pid().label("pid")))
SUICIDE: Read[Any] = Read(
    "test suicide", lambda _: sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid()))
)


@pytest.fixture
async def killed_at_commit(foreign: Foreign) -> AsyncIterator[None]:
    await foreign.execute(KILLED_AT_COMMIT)
    yield
    await foreign.execute(UNDONE)


async def writer_pid(storage: Storage) -> int:
    pids = []

    def tell(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        pids.append(work.rows(PID)[0].pid)
        return [Refused([])]

    await storage.write(tell, [None])
    return int(pids[0])


async def kill(foreign: Foreign, pid: int) -> None:
    """End a backend, and wait until it is gone."""
    await foreign.execute("SELECT pg_terminate_backend($1, 5000)", pid)


async def test_a_connection_lost_between_batches_is_replaced(
    storage: Storage, receipts: Receipts, foreign: Foreign
):
    """Nothing was in flight, so nobody is told anything; ten times in a row."""
    pids = set()
    for n in range(10):
        pid = await writer_pid(storage)
        pids.add(pid)
        await kill(foreign, pid)
        await storage.write(receipts.write, [str(n)])

    assert len(pids) == 10
    assert await receipts.written() == [str(n) for n in range(10)]


async def test_a_connection_whose_end_has_not_arrived_is_replaced(
    opened: Opening, receipts: Receipts, foreign: Foreign, database_url: str
):
    """The server has said that it ends a connection, but the connection still looks open."""
    async with asyncio.timeout(PATIENCE), Proxy(database_url) as proxy:
        behind = await opened(proxy.url)
        own = Receipts(behind, receipts.organization_id)
        await behind.write(own.write, ["a"])
        assert await own.written() == ["a"]

        await foreign.execute(KILL_OTHERS)
        await proxy.servers_have_ended()
        await foreign.execute("SELECT 1")  # the storage, too, has read what it was sent by now

        assert await own.written() == ["a"]
        assert isinstance((await behind.write(own.write, ["b"]))[0], Outcome)
        assert await own.written() == ["a", "b"]


async def test_a_batch_whose_connection_is_lost_runs_again(
    storage: Storage, receipts: Receipts, on_postgresql: None
):
    """Nothing was committed, so no caller notices it; ten times in a row."""
    attempts = 0

    def ending_once(work: UnitOfWork, texts: Sequence[str]) -> Results:
        nonlocal attempts
        attempts += 1
        results = receipts.write(work, texts)
        if attempts % 2:
            work.rows(SUICIDE)
        return results

    for n in range(10):
        writes = (storage.write(ending_once, [f"{n} {m}"]) for m in range(8))
        results = await asyncio.wait_for(asyncio.gather(*writes), PATIENCE)
        assert all(isinstance(result, Outcome) for [result] in results)

    assert await receipts.written() == [f"{n} {m}" for n in range(10) for m in range(8)]


async def test_a_command_that_always_ends_its_connection_runs_twice(
    storage: Storage, receipts: Receipts, on_postgresql: None
):
    """The requests of its batches are answered; the others are carried out."""
    attempts = 0

    def ending(work: UnitOfWork, texts: Sequence[str]) -> Results:
        nonlocal attempts
        results = receipts.write(work, texts)
        if "00" in texts:
            attempts += 1
            work.rows(SUICIDE)
        return results

    writes = (storage.write(ending, [f"{n:02}"]) for n in range(80))
    results = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), PATIENCE)

    failed = [isinstance(result, Unavailable) for result in results]
    assert attempts == 2
    assert failed[0]
    assert not any(failed[64:])
    assert await receipts.written() == [f"{n:02}" for n in range(80) if not failed[n]]


async def test_nothing_is_tried_twice_when_the_commit_is_not_confirmed(
    storage: Storage,
    opened: Opening,
    receipts: Receipts,
    organization_id: UUID,
    killed_at_commit: None,
):
    """A commit whose answer was lost may have happened: told, not tried; numbers stay unique."""
    numbers: list[int] = []

    def write(work: UnitOfWork, texts: Sequence[str]) -> Results:
        numbers.extend(work.numbers(organization_id, "test", len(texts)))
        return receipts.write(work, texts)

    results = await asyncio.gather(
        storage.write(write, ["killed"]), storage.write(write, ["other"]), return_exceptions=True
    )
    lost = numbers.copy()
    numbers.clear()
    other = await opened()
    await storage.write(write, ["a"])
    await other.write(write, ["b", "c", "d", "e"])

    assert all(isinstance(r, OutcomeUnknown) for r in results)
    assert len(lost) == 2  # not tried again
    assert len(set(numbers)) == 5
    assert await receipts.written() == ["a", "b", "c", "d", "e"]


async def test_reads_go_on_after_their_connections_were_lost(
    storage: Storage, receipts: Receipts, foreign: Foreign
):
    """A pool whose connections were ended makes new ones."""
    await storage.write(receipts.write, ["a"])
    await asyncio.gather(*(receipts.written() for _ in range(20)))

    await foreign.execute(KILL_OTHERS)

    assert await asyncio.gather(*(receipts.written() for _ in range(20))) == [["a"]] * 20
    assert isinstance((await storage.write(receipts.write, ["b"]))[0], Outcome)


async def test_the_first_command_after_an_alter_table_is_carried_out(
    storage: Storage, receipts: Receipts, foreign: Foreign
):
    """Statements that were prepared before are prepared again; ten times, in both directions."""
    c = columns(Room)
    capacities: Read[Any] = Read("test capacities", lambda _: sa.select(c.capacity))

    def run(work: UnitOfWork, texts: Sequence[str]) -> Results:
        work.rows(capacities)
        return receipts.write(work, texts)

    try:
        for n in range(10):
            await storage.write(run, [str(n)])
            kind = "bigint" if n % 2 else "smallint"
            await foreign.execute(f"ALTER TABLE room ALTER COLUMN capacity TYPE {kind}")
    finally:
        await foreign.execute("ALTER TABLE room ALTER COLUMN capacity TYPE integer")

    assert len(await receipts.written()) == 10


async def test_rows_are_inserted_into_a_table_that_has_changed_meanwhile(
    storage: Storage, receipts: Receipts, foreign: Foreign
):
    """An added column stays null, a dropped one is left out; each of ten commands runs once."""
    for n, change in enumerate(("ADD COLUMN note VARCHAR(9)", "DROP COLUMN note")):
        await foreign.execute(f"ALTER TABLE import_receipt {change}")

        writes = (storage.write(receipts.write, [f"{n}{m}"]) for m in range(10))
        results = await asyncio.gather(*writes)

        assert all(isinstance(result, Outcome) for [result] in results)

    assert await receipts.written() == [f"{n}{m}" for n in range(2) for m in range(10)]


async def test_a_database_that_has_become_read_only_is_not_available(
    storage: Storage, receipts: Receipts, foreign: Foreign
):
    """After a failover. Once a writable server answers, a new connection finds it."""
    [name] = await foreign.fetchrow("SELECT current_database()")
    await foreign.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        await foreign.execute(KILL_OTHERS)
        with pytest.raises(Unavailable):
            await storage.write(receipts.write, ["a"])
        assert not await storage.is_writable()
        assert await receipts.written() == []
    finally:
        await foreign.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert isinstance((await storage.write(receipts.write, ["b"]))[0], Outcome)
    assert await storage.is_writable()
