"""The writer: requests become batches, and nobody suffers for another's fault."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused, Required
from resolvers.storage import OutcomeUnknown, Overloaded, Storage, Unavailable, UnitOfWork
from resolvers.storage.batches import BATCH_REQUESTS, RUN_AGAIN
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.sqlite import SqliteStorage, connect
from resolvers.storage.tables import Room
from resolvers.storage.writer import WAITING_REQUESTS
from tests.patience import PATIENCE, eventually
from tests.resolvers.storage.conftest import (
    Opening,
    Receipts,
    Results,
    do_nothing,
    record_change,
)
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases


class Noting:
    """A command that notes which commands came together in which transaction."""

    def __init__(self) -> None:
        self.runs: list[tuple[UnitOfWork, list[Any]]] = []

    def one(self, work: UnitOfWork, commands: Sequence[Any]) -> Results:
        return self._note(work, commands)

    def other(self, work: UnitOfWork, commands: Sequence[Any]) -> Results:
        return self._note(work, commands)

    def _note(self, work: UnitOfWork, commands: Sequence[Any]) -> Results:
        self.runs.append((work, list(commands)))
        return do_nothing(work, commands)

    @property
    def transactions(self) -> list[list[list[Any]]]:
        """The runs of each transaction."""
        found: dict[int, list[list[Any]]] = {}
        for work, commands in self.runs:
            found.setdefault(id(work), []).append(commands)
        return list(found.values())


@pytest.fixture
def noting() -> Noting:
    return Noting()


async def answers(*writes: Any) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), PATIENCE)


# ---------------------------------------------------------------- batches


async def test_requests_that_wait_are_one_transaction(storage: Storage, noting: Noting):
    """At most 64 requests share a transaction, in the order in which they came."""
    one = noting.one

    await asyncio.gather(*(storage.write(one, [n]) for n in range(2 * BATCH_REQUESTS + 22)))

    numbers = iter(range(2 * BATCH_REQUESTS + 22))
    assert noting.transactions == [
        [[next(numbers) for _ in range(size)]] for size in (BATCH_REQUESTS, BATCH_REQUESTS, 22)
    ]


async def test_large_requests_have_transactions_of_their_own(storage: Storage, noting: Noting):
    """Only small requests run with them, also those that came later."""
    large = [list(range(n, n + 1_000)) for n in (1_000, 2_000, 3_000)]

    await answers(*(storage.write(noting.one, each) for each in (*large, [1], [2])))

    assert noting.transactions == [[[*large[0], 1, 2]], [large[1]], [large[2]]]


async def test_a_run_is_of_one_command(storage: Storage, noting: Noting):
    """Neighbours with the same command are one run; who waits for all or nothing is a run alone."""
    one, other = noting.one, noting.other

    await asyncio.gather(
        storage.write(one, [1, 2]),
        storage.write(one, [3]),
        storage.write(other, [4]),
        storage.write(one, [5]),
        storage.write(one, [6, 7], all_or_nothing=True),
        storage.write(one, [8], all_or_nothing=True),
        storage.write(one, [9]),
    )

    assert noting.transactions == [[[1, 2, 3], [4], [5], [6, 7], [8], [9]]]


async def test_everybody_gets_the_results_of_their_own_commands(storage: Storage):
    """Requests of several commands share a run, and each is answered with its part, in order."""

    def echo(work: UnitOfWork, commands: Sequence[UUID]) -> Results:
        return [Outcome(key) for key in commands]

    asked = [[new_key() for _ in range(n % 4)] for n in range(100)]

    results = await asyncio.gather(*(storage.write(echo, keys) for keys in asked))

    assert [[r.subject for r in result] for result in results] == asked


async def test_who_asks_meanwhile_is_in_the_next_batch(storage: Storage, noting: Noting):
    """A request that comes while a transaction is open waits for the next."""
    loop = asyncio.get_running_loop()
    late: list[asyncio.Future[Any]] = []

    def ask(n: int) -> None:
        late.append(asyncio.ensure_future(storage.write(noting.one, [n])))

    def slow(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        for n in (1, 2, 3):
            loop.call_soon_threadsafe(ask, n)
        return noting.one(work, commands)

    await storage.write(slow, [0])
    await asyncio.gather(*late)

    assert noting.transactions == [[[0]], [[1, 2, 3]]]


# ---------------------------------------------------------------- one fails


async def test_an_exception_reaches_only_its_caller(storage: Storage, receipts: Receipts):
    """In a batch of 64 where three commands break, the other 61 are carried out and answered."""
    broken = {"07", "30", "63"}

    def breaking(work: UnitOfWork, texts: Sequence[str]) -> Results:
        results = receipts.write(work, texts)
        for text in texts:
            if text in broken:
                raise ZeroDivisionError(text)
        return results

    texts = [f"{n:02}" for n in range(64)]

    results = await answers(*(storage.write(breaking, [text]) for text in texts))

    failed = {text for text, r in zip(texts, results, strict=True) if isinstance(r, Exception)}
    assert failed == broken
    assert {str(r) for r in results if isinstance(r, ZeroDivisionError)} == broken
    assert await receipts.written() == sorted(set(texts) - broken)


async def test_a_change_that_cannot_be_written_fails_its_own_command_only(
    storage: Storage, organization_id: UUID, receipts: Receipts, world: World
):
    """What goes wrong when the log is written, after every run, is not told to the whole batch."""

    def recording(work: UnitOfWork, names: Sequence[str | None]) -> Results:
        for name in names:
            record_change(work, organization_id, name)  # type: ignore[arg-type] # None is no name
        return receipts.write(work, [str(name) for name in names])

    names = [None if n in {5, 40} else f"{n:02}" for n in range(64)]

    results = await answers(*(storage.write(recording, [name]) for name in names))

    assert [n for n, r in enumerate(results) if isinstance(r, Exception)] == [5, 40]
    good = [name for name in names if name is not None]
    assert await receipts.written() == good
    changes = await world.changes()
    assert [c.position for c in changes] == list(range(1, 63))
    assert sorted(c.actor_name for c in changes) == good


async def test_too_few_results_are_a_fault_of_the_command(storage: Storage):
    """Nobody is answered with the result of another's command."""

    def forgetful(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        return do_nothing(work, [c for c in commands if c != "forgotten"])

    good, bad, other = await answers(
        *(storage.write(forgetful, [c]) for c in ("a", "forgotten", "b"))
    )

    assert isinstance(bad, AssertionError)
    assert len(good) == len(other) == 1


async def test_a_commit_that_fails_is_told_to_who_caused_it(
    storage: Storage, receipts: Receipts, database_url: str, organization_id: UUID, world: World
):
    """A constraint that only COMMIT looks at undoes all, and then fails its own request only."""
    centre = await world.centre()
    if not database_url.startswith("sqlite"):
        deferred = "ALTER TABLE room ALTER CONSTRAINT {} DEFERRABLE INITIALLY {}"
        await _alter_room(database_url, deferred, "DEFERRED")

    def dangling(work: UnitOfWork, keys: Sequence[UUID]) -> Results:
        if database_url.startswith("sqlite"):
            work._connection.run("PRAGMA defer_foreign_keys = ON")
        rooms = [
            new_row(
                Room,
                organization_id=organization_id,
                id=key,
                centre_id=key if n == "bad" else centre,
                name=str(key),
                capacity=1,
            )
            for n, key in keys
        ]
        work.insert(Room, rooms)
        return receipts.write(work, [n for n, _ in keys])

    names = ["a", "b", "bad", "c"]
    try:
        results = await answers(*(storage.write(dangling, [(n, new_key())]) for n in names))

        failed = [n for n, r in zip(names, results, strict=True) if isinstance(r, Exception)]
        assert failed == ["bad"]
        assert await receipts.written() == ["a", "b", "c"]
    finally:
        if not database_url.startswith("sqlite"):
            await _alter_room(database_url, deferred, "IMMEDIATE")


async def _alter_room(url: str, statement: str, when: str) -> None:
    connection = await asyncpg.connect(url)
    name = await connection.fetchval(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'room'::regclass AND contype = 'f' "
        "AND confrelid = 'centre'::regclass"
    )
    if when == "IMMEDIATE":
        await connection.execute(f"ALTER TABLE room ALTER CONSTRAINT {name} NOT DEFERRABLE")
    else:
        await connection.execute(statement.format(name, when))
    await connection.close()


async def test_a_cancelled_caller_does_not_affect_the_others(storage: Storage, receipts: Receipts):
    """Before a batch has taken it, a cancelled request is dropped; afterwards it is carried out."""
    during = asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(work: UnitOfWork, texts: Sequence[str]) -> Results:
        loop.call_soon_threadsafe(during.set)
        return receipts.write(work, texts)

    tasks = [asyncio.create_task(storage.write(write, [f"{n:02}"])) for n in range(100)]
    await asyncio.sleep(0)  # all requests wait; no batch has begun
    tasks[3].cancel()
    tasks[99].cancel()
    await during.wait()
    tasks[4].cancel()

    results = await answers(*tasks)

    gone = [n for n, r in enumerate(results) if isinstance(r, asyncio.CancelledError)]
    assert gone in ([3, 4, 99], [3, 99])  # the transaction may end before its caller is cancelled
    assert all(isinstance(r, list) for n, r in enumerate(results) if n not in gone)
    assert await receipts.written() == [f"{n:02}" for n in range(100) if n not in (3, 99)]


async def test_a_batch_of_cancelled_requests_only_is_skipped(storage: Storage, receipts: Receipts):
    """The next request is carried out, a hundred times in a row."""
    for n in range(100):
        dropped = asyncio.create_task(storage.write(receipts.write, [f"dropped {n}"]))
        await asyncio.sleep(0)
        dropped.cancel()
        assert len(await answers(dropped)) == 1
        await storage.write(receipts.write, [f"{n:02}"])

    assert await receipts.written() == [f"{n:02}" for n in range(100)]


async def test_all_or_nothing_is_undone_whole(
    storage: Storage, organization_id: UUID, receipts: Receipts, world: World
):
    """Rows and changes of a request with a refusal are gone; those of its neighbours stay."""

    def picky(work: UnitOfWork, texts: Sequence[str]) -> Results:
        good = [text for text in texts if not text.endswith("!")]
        receipts.write(work, good)
        for text in good:
            record_change(work, organization_id, text)
        return [Outcome(new_key()) if text in good else Refused([Required(text)]) for text in texts]

    before, whole, best_effort, after = await answers(
        storage.write(picky, ["a"]),
        storage.write(picky, ["b", "c!", "d", "e!"], all_or_nothing=True),
        storage.write(picky, ["f", "g!"]),
        storage.write(picky, ["h"], all_or_nothing=True),
    )

    assert [len(r) for r in (before, whole, best_effort, after)] == [1, 2, 2, 1]
    assert [r.refusals[0].path[-1] for r in whole] == ["c!", "e!"]
    assert await receipts.written() == ["a", "f", "h"]
    changes = [(c.position, c.actor_name) for c in await world.changes()]
    assert changes == [(1, "a"), (2, "f"), (3, "h")]


# ---------------------------------------------------------------- constraints


async def test_who_loses_against_a_constraint_looks_again(storage: Storage, receipts: Receipts):
    """When somebody else's row is in the way, the command looks at the rows as they are now."""
    await storage.write(receipts.write, ["taken"])
    looks = []

    def wanting(work: UnitOfWork, commands: Sequence[str]) -> Results:
        looks.append(len(commands))
        return receipts.write(work, ["taken" if len(looks) <= 3 else "free"])

    [outcome] = await storage.write(wanting, ["once"])

    assert isinstance(outcome, Outcome)
    assert await receipts.written() == ["free", "taken"]


async def test_a_constraint_that_stays_broken_is_reported_to_its_caller(
    storage: Storage, receipts: Receipts
):
    """After a few tries the error is told, to nobody else, and nothing of it is left."""
    await storage.write(receipts.write, ["taken"])
    tries = []

    def counted(work: UnitOfWork, texts: Sequence[str]) -> Results:
        tries.extend(text for text in texts if text == "taken")
        return receipts.write(work, texts)

    good, bad, other = await answers(
        *(storage.write(counted, [text]) for text in ("a", "taken", "b"))
    )

    assert isinstance(bad, Exception)
    assert "unique" in str(bad).lower()
    assert len(tries) == 1 + 1 + RUN_AGAIN  # with the others, and then by itself
    assert (len(good), len(other)) == (1, 1)
    assert await receipts.written() == ["a", "b", "taken"]


# ---------------------------------------------------------------- too many, and the end


async def test_a_full_queue_says_so_at_once(storage: Storage, noting: Noting):
    """More than 20,000 waiting requests are not taken; those that wait are answered."""
    many = [storage.write(noting.one, [n]) for n in range(WAITING_REQUESTS + 2)]

    results = await answers(*many)

    overloaded = [n for n, r in enumerate(results) if isinstance(r, Overloaded)]
    assert overloaded == [WAITING_REQUESTS, WAITING_REQUESTS + 1]
    assert [n for _, run in noting.runs for n in run] == list(range(WAITING_REQUESTS))
    assert await storage.write(noting.one, ["again"])


async def test_close_finishes_what_waits(opened: Opening, receipts: Receipts):
    """Everything that was asked before the close is carried out and answered."""
    other = await opened()
    writes = [asyncio.ensure_future(other.write(receipts.write, [f"{n:03}"])) for n in range(150)]
    await asyncio.sleep(0)

    await asyncio.wait_for(other.close(), PATIENCE)

    assert all(write.done() and write.result() for write in writes)
    assert len(await receipts.written()) == 150


async def test_close_finishes_what_is_in_flight(opened: Opening, receipts: Receipts):
    """A transaction that is open at the close is committed, and its caller is told."""
    other = await opened()
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(work: UnitOfWork, texts: Sequence[str]) -> Results:
        loop.call_soon_threadsafe(began.set)
        return receipts.write(work, texts)

    writing = asyncio.ensure_future(other.write(write, ["last"]))
    await began.wait()
    await asyncio.wait_for(other.close(), PATIENCE)

    [outcome] = await asyncio.wait_for(writing, PATIENCE)
    assert isinstance(outcome, Outcome)
    assert await receipts.written() == ["last"]


async def test_a_closed_storage_takes_no_commands(opened: Opening):
    """After the close a request is told at once that it was not carried out."""
    other = await opened()
    await other.write(do_nothing, [1])
    await other.close()

    with pytest.raises(Overloaded):
        await other.write(do_nothing, [1])


class Stop(BaseException):
    """Ends the task that carries out a command."""


async def test_a_writer_that_ends_is_started_again(
    storage: Storage, receipts: Receipts, caplog: pytest.LogCaptureFixture
):
    """Its batch is of unknown outcome, the requests that wait are not carried out."""

    def stop(work: UnitOfWork, texts: Sequence[str]) -> Results:
        receipts.write(work, texts)
        work.flush()
        raise Stop

    for _ in range(5):
        many = [storage.write(stop, ["lost"]) for _ in range(BATCH_REQUESTS + 2)]
        results = await answers(*many)
        assert [type(r) for r in results] == [OutcomeUnknown] * BATCH_REQUESTS + [Overloaded] * 2

    assert await storage.write(receipts.write, ["after"])
    assert await receipts.written() == ["after"]
    assert [r.levelname for r in caplog.records] == ["CRITICAL"] * 5


async def test_a_full_disk_is_not_a_fault(
    opened: Opening, receipts: Receipts, database_url: str, caplog: pytest.LogCaptureFixture
):
    """A write says that it can be repeated; reads go on; the outage is two lines of the log."""
    if not database_url.startswith("sqlite"):
        pytest.skip("SQLite only")
    storage = await opened()
    assert isinstance(storage, SqliteStorage)

    def limit_pages(most: int) -> None:
        [pages] = storage._connection().execute("PRAGMA page_count").fetchone()
        storage._connection().execute(f"PRAGMA max_page_count = {most or pages}")

    large = [f"{n} {'x' * 5000}" for n in range(1000)]
    await storage.write(receipts.write, ["before"])
    storage._writing.submit(limit_pages, 0).result()

    results = await answers(*(storage.write(receipts.write, large) for _ in range(3)))

    assert [type(result) for result in results] == [Unavailable] * 3
    assert not await storage.is_writable()
    assert await receipts.written() == ["before"]
    storage._writing.submit(limit_pages, 2**30).result()
    assert await storage.write(receipts.write, large)
    assert await storage.is_writable()
    await eventually(lambda: len(caplog.records) == 2)
    assert [record.name for record in caplog.records] == ["resolvers.storage.outages"] * 2


async def test_a_listener_that_fails_does_not_hide_the_commit(
    storage: Storage, organization_id: UUID
):
    """Who is told of a commit and breaks does not make the committed look failed."""
    heard = []

    def broken(positions: dict[UUID, int]) -> None:
        raise ZeroDivisionError

    def recording(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        record_change(work, organization_id, "somebody")
        return do_nothing(work, commands)

    storage.when_changed += [broken, heard.append]

    [outcome] = await storage.write(recording, [1])

    assert isinstance(outcome, Outcome)
    assert heard == [{organization_id: 1}]


async def test_a_sqlite_file_locked_by_others_is_waited_for(
    opened: Opening, receipts: Receipts, database_url: str
):
    """A program that keeps the file locked delays commands; too long, and they are Overloaded."""
    if not database_url.startswith("sqlite"):
        pytest.skip("SQLite only")
    other = connect(Path(database_url.removeprefix("sqlite:///")))
    patient, impatient = await opened(), await opened(lock_patience_seconds=0.2)
    for storage in (patient, impatient):
        assert isinstance(storage, SqliteStorage)
        storage._writing.submit(
            lambda opened=storage: opened._connection().execute("PRAGMA busy_timeout = 20")
        ).result()
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(patient.write(receipts.write, ["patient"]))

    with pytest.raises(Overloaded):
        await asyncio.wait_for(impatient.write(receipts.write, ["impatient"]), PATIENCE)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()

    await asyncio.wait_for(waiting, PATIENCE)
    assert await receipts.written() == ["patient"]
