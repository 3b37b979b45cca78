"""The unit of work: writes wait and keep their order, reads see them, numbers are given once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.refusals import Refused, Required
from resolvers.storage import Read, Storage, UnitOfWork
from resolvers.storage.numbers import NUMBERS_AT_ONCE
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Centre, ImportReceipt, columns, table
from resolvers.storage.unit_of_work import locking
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Opening, Receipts, Results, do_nothing

pytestmark = pytest.mark.both_databases

THEN = datetime(2020, 2, 2, tzinfo=UTC)
LATER = datetime(2021, 2, 2, tzinfo=UTC)

ALL: Read[ImportReceipt] = Read(
    "all test receipts",
    lambda _: sa.select(table(ImportReceipt)).order_by(columns(ImportReceipt).content_hash),
)

Perform = Callable[[Callable[[UnitOfWork], Any]], Any]


@pytest.fixture
def perform(storage: Storage) -> Perform:
    """Carry a function of the unit of work out, in a transaction; what it returned."""

    async def performed(function: Callable[[UnitOfWork], Any]) -> Any:
        returned = []

        def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
            returned.append(function(work))
            return do_nothing(work, commands)

        await storage.write(run, [None])
        return returned[-1]

    return performed


async def kept(storage: Storage) -> list[tuple[str, datetime]]:
    return [(row.content_hash, row.imported_at) for row in await storage.read(ALL)]


# ---------------------------------------------------------------- order


async def test_what_was_inserted_can_be_saved(
    storage: Storage, receipts: Receipts, perform: Perform
):
    """An insert is written before an update of the same table that follows it."""
    row = receipts.row("a", THEN)

    def work(work: UnitOfWork) -> None:
        work.insert(ImportReceipt, [row])
        work.save(ImportReceipt, [(row, changed(row, imported_at=LATER))])

    await perform(work)

    assert await kept(storage) == [("a", LATER)]


async def test_what_was_deleted_can_be_inserted_again(
    storage: Storage, receipts: Receipts, perform: Perform
):
    """A delete is written before an insert that follows it, and the other way round."""
    key = {"organization_id": receipts.organization_id, "format": "test", "content_hash": "a"}
    await storage.write(receipts.write, ["a"])

    def again(work: UnitOfWork) -> None:
        work.delete(ImportReceipt, [key])
        work.insert(ImportReceipt, [receipts.row("a", THEN)])

    def gone(work: UnitOfWork) -> None:
        work.delete(ImportReceipt, [key])
        work.insert(ImportReceipt, [receipts.row("a", LATER), receipts.row("b", LATER)])
        work.delete(ImportReceipt, [key])

    await perform(again)
    assert await kept(storage) == [("a", THEN)]
    await perform(gone)
    assert await kept(storage) == [("b", LATER)]


async def test_saves_of_one_row_are_merged(storage: Storage, perform: Perform, world: Any):
    """A row that is saved again and again ends as the last version, back and forth included."""
    key = await world.centre()

    def work(work: UnitOfWork) -> None:
        [first] = work.lock(Centre, world.viewer.organization_id, [key])
        second = changed(first, name="Second", time_zone="UTC")
        third = changed(second, name=first.name)
        fourth = changed(third, reference="FOURTH")
        work.save(Centre, [(first, second)])
        work.save(Centre, [(second, third), (third, fourth), (fourth, fourth)])

    await perform(work)

    [row] = await world.rows(Centre, "id", key)
    assert (row.name, row.time_zone, row.reference) == ("LON centre", "UTC", "FOURTH")


async def test_reads_see_what_waits_to_be_written(receipts: Receipts, perform: Perform):
    """Before a read everything that waits is written."""

    def work(work: UnitOfWork) -> list[int]:
        counts = [len(work.rows(ALL))]
        work.insert(ImportReceipt, [receipts.row("a", THEN)])
        work.insert(ImportReceipt, [receipts.row("b", THEN)])
        counts.append(len(work.rows(ALL)))
        work.delete(ImportReceipt, [{"content_hash": "a"}])
        counts.append(len(work.rows(ALL)))
        return counts

    assert await perform(work) == [0, 2, 1]


async def test_nothing_is_seen_before_the_commit(
    storage: Storage, receipts: Receipts, perform: Perform
):
    """Readers find all of a transaction or nothing of it."""
    loop = asyncio.get_running_loop()
    looks: list[asyncio.Task[list[str]]] = []

    def work(work: UnitOfWork) -> None:
        for n in range(5):
            work.insert(ImportReceipt, [receipts.row(str(n), THEN)])
            work.flush()
            loop.call_soon_threadsafe(lambda: looks.append(asyncio.create_task(receipts.written())))

    await perform(work)
    seen = await asyncio.gather(*looks)

    assert all(found in ([], ["0", "1", "2", "3", "4"]) for found in seen)
    assert len(seen) == 5


async def test_locked_rows_come_in_key_order_and_once(perform: Perform, world: Any):
    """Locks are taken in key order whatever was asked, so two batches cannot deadlock."""
    keys = [await world.centre(f"C{n}") for n in range(5)]

    def work(work: UnitOfWork) -> list[UUID]:
        asked = [*reversed(keys), keys[2], UUID(int=0)]
        return [row.id for row in work.lock(Centre, world.viewer.organization_id, asked)]

    assert await perform(work) == sorted(keys)


async def test_reads_that_are_made_together_are_answered_separately(
    receipts: Receipts, perform: Perform, world: Any
):
    """Each with its own values, also of one name; what waits to be written is seen."""
    keys = [await world.centre(f"C{n}") for n in range(3)]
    organization_id = world.viewer.organization_id

    def work(work: UnitOfWork) -> list[Any]:
        work.insert(ImportReceipt, [receipts.row("a", THEN)])
        first, nothing, two = [
            locking(Centre, [(organization_id, key) for key in given])
            for given in (keys[:1], [UUID(int=0)], keys[1:])
        ]
        rows = work.rows_of_all([two, ALL, nothing, first])
        return [[getattr(row, "reference", THEN) for row in each] for each in rows]

    assert await perform(work) == [["C1", "C2"], [THEN], [], ["C0"]]


# ---------------------------------------------------------------- numbers


class Counting:
    """A command that takes numbers, and remembers those of which a row would be left."""

    def __init__(self, organization_id: UUID, receipts: Receipts) -> None:
        self.organization_id = organization_id
        self.receipts = receipts

    def take(self, work: UnitOfWork, counts: Sequence[Any]) -> Results:
        results: Results = []
        for count in counts:
            wanted = abs(count)
            numbers = work.numbers(self.organization_id, "test", wanted)
            self.receipts.write(work, [f"{n:06}" for n in numbers])
            results.append(do_nothing(work, [1])[0] if count > 0 else Refused([Required("name")]))
            if count == 0:
                raise ZeroDivisionError
        return results


@pytest.fixture
def counting(organization_id: UUID, receipts: Receipts) -> Counting:
    return Counting(organization_id, receipts)


async def test_numbers_count_up_from_one(storage: Storage, counting: Counting):
    """One after the other, also where a block ends and where more than a block is asked for."""
    for count in (1, 2, NUMBERS_AT_ONCE - 3, 3, NUMBERS_AT_ONCE + 5):
        await storage.write(counting.take, [count])

    written = [int(text) for text in await counting.receipts.written()]
    assert written[:256] == list(range(1, 257))
    assert len(set(written)) == 256 + 3 + NUMBERS_AT_ONCE + 5


async def test_numbers_of_what_was_undone_are_not_given_to_two(
    storage: Storage, counting: Counting, opened: Opening
):
    """A part that took the first block and is undone gives it back.

    The rows' key is the number, so one that is given twice breaks a constraint.
    """
    other = await opened()
    together = [
        storage.write(counting.take, [-2], all_or_nothing=True),
        storage.write(counting.take, [3], all_or_nothing=True),
    ]
    await asyncio.gather(*together)
    await other.write(counting.take, [200])
    await storage.write(counting.take, [200])
    await other.write(counting.take, [200])

    assert len(await counting.receipts.written()) == 603


async def test_numbers_are_unique_whatever_fails(
    storage: Storage, counting: Counting, opened: Opening
):
    """From three processes, with refusals and exceptions in between, none is given twice."""
    storages = [storage, await opened(), await opened()]
    counts = [5, 0, 40, -7, 1, 100, -300, 12, 0, 3] * 6
    writes = [
        s.write(counting.take, [count], all_or_nothing=True)
        for s, count in zip(storages * len(counts), counts, strict=False)
    ]

    results = await asyncio.wait_for(asyncio.gather(*writes, return_exceptions=True), PATIENCE)

    for count, result in zip(counts, results, strict=True):
        if count == 0:
            assert isinstance(result, ZeroDivisionError)
        else:
            assert isinstance(result[0], Outcome if count > 0 else Refused)
    expected = sum(count for count in counts if count > 0)
    assert len(await counting.receipts.written()) == expected


async def test_numbers_of_a_transaction_that_failed_whole_are_forgotten(
    storage: Storage, counting: Counting, opened: Opening, organization_id: UUID
):
    """A block that was taken in a transaction that did not commit belongs to nobody."""
    other = await opened()

    def doomed(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        results = counting.take(work, commands)
        work.record(organization_id, nonsense=1)  # found out when the log is written
        return results

    with pytest.raises(Exception, match=r"nonsense|NULL|null"):
        await storage.write(doomed, [3])
    await other.write(counting.take, [250])
    await storage.write(counting.take, [250])

    assert len(await counting.receipts.written()) == 500


async def test_a_row_that_does_not_fit_is_a_fault_not_a_hang(
    storage: Storage, receipts: Receipts, organization_id: UUID
):
    """A value that the driver refuses fails its command; the storage goes on."""

    def wrong(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        row = receipts.row("a", "not an instant")
        work.insert(ImportReceipt, [row])
        return do_nothing(work, commands)

    with pytest.raises(Exception, match=r"instant|astimezone|str"):
        await storage.write(wrong, [None])

    await storage.write(receipts.write, ["b"])
    assert await receipts.written() == ["b"]


def test_rows_refuse_columns_that_there_are_not():
    """A misspelt column is found when the row is made."""
    with pytest.raises(TypeError, match="content_hsah"):
        new_row(ImportReceipt, content_hsah="a")
