"""A stream: rows of one moment, a few at a time, over a connection of its own."""

import asyncio
from contextlib import aclosing
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from resolvers.storage import Read, Storage
from resolvers.storage.tables import ImportReceipt, columns
from tests.patience import PATIENCE, eventually
from tests.resolvers.storage.conftest import Foreign, Opening, Receipts

pytestmark = pytest.mark.both_databases

TEXTS = [f"{n:03}" for n in range(25)]


def hashes() -> Read[Any]:
    c = columns(ImportReceipt)
    return Read("test hashes", lambda _: sa.select(c.content_hash).order_by(c.content_hash))


def endless() -> Read[Any]:
    """A count of far more rows than anybody waits for."""
    ten = sa.union_all(*(sa.select(sa.literal_column(str(n)).label("n")) for n in range(10)))
    crossed: Any = ten.subquery("first")
    for n in range(11):
        crossed = crossed.join(ten.subquery(f"more_{n}"), sa.true())
    return Read("test endless", lambda _: sa.select(sa.func.count()).select_from(crossed))


@pytest.fixture
async def written(storage: Storage, receipts: Receipts) -> None:
    await storage.write(receipts.write, TEXTS)


async def test_every_row_comes_once_in_order_and_few_at_a_time(
    storage: Storage, written: None
) -> None:
    async with aclosing(storage.stream(hashes(), size=10)) as batches:
        told = [[text for [text] in batch] async for batch in batches]

    assert [len(batch) for batch in told] == [10, 10, 5]
    assert [text for batch in told for text in batch] == TEXTS


async def test_nothing_is_a_stream_without_batches(storage: Storage) -> None:
    async with aclosing(storage.stream(hashes(), size=10)) as batches:
        assert [batch async for batch in batches] == []


async def test_all_rows_are_of_one_moment(
    storage: Storage, written: None, receipts: Receipts
) -> None:
    """What is committed while the stream is read is not in it, and does not wait for it."""
    told = []
    async with aclosing(storage.stream(hashes(), size=10)) as batches:
        async for batch in batches:
            told += [text for [text] in batch]
            await storage.write(receipts.write, [f"{text}-later" for [text] in batch])

    assert told == TEXTS
    assert len(await receipts.written()) == 2 * len(TEXTS)


async def test_whoever_stops_early_lets_go(
    storage: Storage, written: None, foreign: Foreign
) -> None:
    """The connection is gone, and with it the moment that the database kept for it."""
    async with aclosing(storage.stream(hashes(), size=10)) as batches:
        await anext(batches)
        assert await in_transaction(foreign) == 1

    async def ended() -> bool:
        return await in_transaction(foreign) == 0

    await eventually(ended)


async def test_whoever_is_cancelled_ends_what_the_database_does(
    storage: Storage, database_url: str
) -> None:
    """The rows that were asked for would take longer than anybody lives."""
    batches = storage.stream(endless(), size=10)
    first = asyncio.ensure_future(anext(batches))
    for _ in range(10):
        await storage.read(hashes())
    first.cancel()

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(asyncio.CancelledError):
            await first
        await batches.aclose()
        assert await storage.read(hashes()) == []
    if database_url.startswith("postgresql"):

        async def ended() -> bool:
            return await counting(database_url) == 0

        await eventually(ended)


async def test_streams_do_not_take_the_connections_of_others(
    opened: Opening, written: None
) -> None:
    storage = await opened()
    streams = [storage.stream(hashes(), size=1) for _ in range(20)]
    for stream in streams:
        await anext(stream)

    assert len(await storage.read(hashes())) == len(TEXTS)

    for stream in streams:
        await stream.aclose()


async def counting(database_url: str) -> int:
    """How many connections count something."""
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'active' AND query LIKE '%more_1%' AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


async def in_transaction(foreign: asyncpg.Connection) -> int:
    """How many others of this database are in one."""
    return await foreign.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
    )
