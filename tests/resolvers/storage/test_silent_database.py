"""PostgreSQL stops answering without closing a connection."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.storage import (
    Idempotency,
    OutcomeUnknown,
    Overloaded,
    Read,
    Storage,
    Unavailable,
    UnitOfWork,
)
from resolvers.storage.tables import ImportReceipt, columns
from tests.patience import PATIENCE, eventually
from tests.resolvers.storage.conftest import Foreign, Opening, Receipts, Results, do_nothing
from tests.resolvers.storage.proxy import Proxy

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("on_postgresql")]

SECONDS = 0.5
"""The limit of a statement in these tests."""

PID: Read[Any] = Read("test pid", lambda _: sa.select(sa.func.pg_backend_pid().label("pid")))
SLEEP: Read[Any] = Read(
    "test slept", lambda _: sa.select(sa.func.pg_sleep(PATIENCE).label("slept"))
)


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    async with Proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def behind(opened: Opening, proxy: Proxy) -> Storage:
    """A storage whose network to the database can go silent."""
    return await opened(proxy.url, statement_seconds=SECONDS)


async def results_of(*waiting: Any) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), PATIENCE)


def outage_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "resolvers.storage.outages"]


async def test_a_write_and_reads_get_an_answer(
    behind: Storage, proxy: Proxy, receipts: Receipts, caplog: pytest.LogCaptureFixture
):
    """More reads than there are connections, and writes; one log line, and then all goes on."""
    own = Receipts(behind, receipts.organization_id)
    await behind.write(own.write, ["before"])
    await results_of(*(own.written() for _ in range(20)))
    proxy.stop_forwarding()

    results = await results_of(
        *(own.written() for _ in range(12)), *(behind.write(own.write, [str(n)]) for n in range(3))
    )

    assert {type(result) for result in results} <= {Unavailable, Overloaded}
    assert [record.levelno for record in outage_lines(caplog)] == [logging.ERROR]
    assert not [r for r in caplog.records if r.exc_info]

    proxy.forward_again()
    await eventually(lambda: _succeeds(own))
    assert await receipts.written() == ["after", "before"]
    await eventually(lambda: len(outage_lines(caplog)) == 2)
    assert "requests failed" in outage_lines(caplog)[1].getMessage()


async def _succeeds(receipts: Receipts) -> bool:
    try:
        await receipts.storage.write(receipts.write, ["after"])
    except Overloaded:
        return False
    return bool(await receipts.written())


@pytest.mark.parametrize("rows", [1, 20_000])
async def test_a_transaction_that_hears_nothing_is_given_up(
    behind: Storage, proxy: Proxy, receipts: Receipts, rows: int
):
    """Before the commit nothing was written, even if the statement is larger than every buffer."""

    def run(work: UnitOfWork, texts: Sequence[str]) -> Results:
        proxy.stop_forwarding()
        receipts.write(work, [f"{text} {n} {'x' * 500}" for text in texts for n in range(rows)])
        return do_nothing(work, texts)

    [result] = await results_of(behind.write(run, ["lost"]))

    assert isinstance(result, Unavailable)
    proxy.forward_again()
    assert await receipts.written() == []


async def test_a_commit_whose_answer_is_lost_is_of_unknown_outcome(
    behind: Storage, proxy: Proxy, receipts: Receipts
):
    """The request is not carried out a second time; repeated with its key, it is answered."""
    key = Idempotency(receipts.organization_id, "viewer", "key", "same")
    tries = []

    def run(work: UnitOfWork, texts: Sequence[str]) -> Results:
        tries.append(texts)
        return receipts.write(work, texts)

    await behind.write(do_nothing, [None])
    proxy.stop_forwarding_after(b"COMMIT")

    [result] = await results_of(behind.write(run, ["unknown"], idempotency=key))

    assert isinstance(result, OutcomeUnknown)
    assert await eventually(receipts.written) == ["unknown"]
    proxy.forward_again()
    [outcome] = await behind.write(run, ["unknown"], idempotency=key)
    assert isinstance(outcome, Outcome)
    assert outcome.replayed
    assert len(tries) == 1


async def test_a_close_is_bounded(opened: Opening, proxy: Proxy, receipts: Receipts):
    """A storage that is closed while the network is silent answers the requests that wait."""
    behind = await opened(proxy.url, statement_seconds=PATIENCE)
    own = Receipts(behind, receipts.organization_id)
    await behind.write(own.write, ["before"])
    await own.written()
    proxy.stop_forwarding()
    waiting = [asyncio.ensure_future(behind.write(own.write, [str(n)])) for n in range(70)]
    await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE / 2):
        await behind.close()

    results = await results_of(*waiting)
    assert all(isinstance(result, Overloaded) for result in results)
    assert not any(isinstance(result, OutcomeUnknown) for result in results)


async def test_patience_ends_while_the_writer_hears_nothing(
    opened: Opening, proxy: Proxy, receipts: Receipts
):
    """A request that waits for its turn is answered by its own timer."""
    behind = await opened(proxy.url, statement_seconds=PATIENCE, lock_patience_seconds=0.2)
    own = Receipts(behind, receipts.organization_id)
    await behind.write(own.write, ["before"])
    proxy.stop_forwarding()
    first = asyncio.ensure_future(behind.write(own.write, ["first"]))
    await asyncio.sleep(0)

    [second] = await results_of(behind.write(own.write, ["second"]))

    assert type(second) is Overloaded
    assert not first.done()
    proxy.forward_again()
    await results_of(first)


async def test_the_server_ends_a_slow_statement(
    opened: Opening, receipts: Receipts, database_url: str
):
    """The connection stays, and so do those of the others."""
    storage = await opened(database_url, statement_seconds=SECONDS)

    with pytest.raises(Unavailable):
        await storage.read(SLEEP)

    assert await storage.read(Read("test one", lambda _: sa.select(sa.literal(1).label("one"))))


async def test_a_command_with_a_slow_statement_is_not_tried_again(
    opened: Opening, receipts: Receipts
):
    """It would block the writer as long each time; the other commands of the batch are done."""
    storage = await opened(statement_seconds=SECONDS)
    tries = []

    def run(work: UnitOfWork, texts: Sequence[str]) -> Results:
        if "slow" in texts:
            tries.append(texts)
            work.rows(SLEEP)
        return receipts.write(work, texts)

    results = await results_of(*(storage.write(run, [text]) for text in ("a", "slow", "b")))

    assert [isinstance(result, Unavailable) for result in results] == [False, True, False]
    assert len(tries) == 2  # with the others, and by itself
    assert await receipts.written() == ["a", "b"]


async def test_a_stream_that_hears_nothing_ends(
    opened: Opening, proxy: Proxy, receipts: Receipts, monkeypatch: pytest.MonkeyPatch
):
    """The limit counts for each fetch."""
    monkeypatch.setattr("resolvers.storage.postgresql.STREAM_SECONDS", SECONDS)
    behind = await opened(proxy.url, statement_seconds=SECONDS)
    await behind.write(receipts.write, [f"{n:03}" for n in range(100)])
    hashes = columns(ImportReceipt).content_hash
    read: Read[Any] = Read("test hashes of silence", lambda _: sa.select(hashes))

    async with aclosing(behind.stream(read, size=1)) as batches:
        await anext(batches)
        proxy.stop_forwarding()
        [result] = await results_of(anext(batches))

    assert isinstance(result, Unavailable)


async def test_a_process_that_stops_in_a_transaction_loses_its_locks(
    opened: Opening,
    receipts: Receipts,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """The server ends its session. Once it continues, the batch runs on a new connection."""
    monkeypatch.setattr("resolvers.storage.postgresql.IDLE_IN_TRANSACTION", "300ms")
    storage = await opened()
    own = Receipts(storage, receipts.organization_id)
    stops = True

    def run(work: UnitOfWork, texts: Sequence[str]) -> Results:
        nonlocal stops
        results = own.write(work, texts)
        work.flush()
        if stops:
            stops = False
            [session] = work.rows(PID)
            _stop_until_gone(database_url, session.pid)
        return results

    [outcome] = await storage.write(run, ["stopped"])

    assert not stops
    assert isinstance(outcome, Outcome)
    assert await receipts.written() == ["stopped"]


def _stop_until_gone(database_url: str, pid: int) -> None:
    """Block the event loop, as SIGSTOP would, until the server has ended a session."""

    async def gone() -> None:
        other = await asyncpg.connect(database_url)
        session = "SELECT 1 FROM pg_stat_activity WHERE pid = $1"
        await eventually(lambda: _is_empty(other, session, pid))
        await other.close()

    thread = threading.Thread(target=lambda: asyncio.run(gone()))
    thread.start()
    thread.join(PATIENCE)


async def _is_empty(connection: Foreign, query: str, *values: Any) -> bool:
    return not await connection.fetch(query, *values)
