"""The log of changes: its positions are dense, and their order is commit order."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.util import greenlet_spawn

from resolvers import change_reads
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork, postgresql, sqlite
from resolvers.storage.bulk import read_held
from resolvers.storage.limits import Limit, connect
from resolvers.storage.numbers import Numbers
from resolvers.storage.paging import PageRequest
from resolvers.storage.postgresql import PostgresStorage
from resolvers.storage.sqlite import SqliteStorage
from resolvers.viewer import Viewer
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Opening, Results, do_nothing, record_change

pytestmark = pytest.mark.both_databases

Recording = Callable[[UnitOfWork, Sequence[str]], Results]


@pytest.fixture
def recording(organization_id: UUID) -> Recording:
    """A command that records a change by each of some actors; one that ends in "!" breaks."""

    def record(work: UnitOfWork, names: Sequence[str]) -> Results:
        for name in names:
            record_change(work, organization_id, name)
            if name.endswith("!"):
                raise ZeroDivisionError
        return do_nothing(work, names)

    return record


async def changes_after(storage: Storage, viewer: Viewer, position: int, size: int = 100) -> Any:
    page = PageRequest(IN_COMMIT_ORDER, size, after=(position,))
    return page.rows(await storage.read(change_reads.changes_page(viewer, page)))


async def follow(storage: Storage, viewer: Viewer, count: int, size: int) -> list[tuple[int, str]]:
    """What a reader finds that keeps asking for what came after the last that it has seen."""
    found: list[tuple[int, str]] = []
    while len(found) < count:
        position = found[-1][0] if found else 0
        page = await changes_after(storage, viewer, position, size)
        found += [(row.position, row.actor_name) for row in page.rows]
        await asyncio.sleep(0)
    return found


@asynccontextmanager
async def slow_transaction(storage: Storage, fill: Callable[[UnitOfWork], None]) -> Any:
    """A transaction of another process that has done everything, and takes its time to commit."""
    numbers = Numbers()
    if isinstance(storage, SqliteStorage):
        file = sqlite.connect(storage.path)
        file.execute("BEGIN IMMEDIATE")
        work = UnitOfWork(
            sqlite._Open(file), storage.statements, storage.clock(), numbers, storage.observer
        )
        fill(work)
        work.append_changes()
        yield
        file.execute("COMMIT")
        file.close()
    if isinstance(storage, PostgresStorage):
        server = await connect(storage.url, seconds=PATIENCE, cached=0)
        opened = postgresql._Open(
            server, Limit(server, PATIENCE), PATIENCE, await read_held(server)
        )
        await server.execute("BEGIN")
        work = UnitOfWork(opened, storage.statements, storage.clock(), numbers, storage.observer)
        await greenlet_spawn(fill, work)
        await greenlet_spawn(work.append_changes)
        yield
        await server.execute("COMMIT")
        await server.close()


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_readers_that_follow_miss_none_and_see_none_twice(
    storage: Storage, viewer: Viewer, opened: Opening, recording: Recording, size: int
):
    """While three processes write, every reader finds 1, 2, 3, … in pages of any size."""
    storages = [storage, await opened(), await opened()]
    count = 300
    readers = [asyncio.create_task(follow(s, viewer, count, size)) for s in storages]
    writes = [
        writer.write(recording, [f"{n}.{m}" for m in range(1 + n % 3)])
        for n, writer in zip(range(count // 2), storages * count, strict=False)
    ]

    await asyncio.wait_for(asyncio.gather(*writes), PATIENCE)
    seen = await asyncio.wait_for(asyncio.gather(*readers), PATIENCE)

    assert [position for position, _ in seen[0]] == list(range(1, count + 1))
    assert seen[0] == seen[1] == seen[2]
    assert len({name for _, name in seen[0]}) == count


async def test_a_slow_commit_is_never_found_behind_a_reader(
    storage: Storage, viewer: Viewer, recording: Recording, organization_id: UUID
):
    """While a position is open nobody commits a later one, so no reader passes it; 5 times."""
    seen: list[tuple[int, str]] = []

    async def look() -> None:
        page = await changes_after(storage, viewer, seen[-1][0] if seen else 0)
        seen.extend((row.position, row.actor_name) for row in page.rows)

    for n in range(5):
        slow = slow_transaction(storage, lambda work: recording(work, ["slow", "slow"]))
        async with slow:
            fast = asyncio.create_task(storage.write(recording, ["fast"]))
            for _ in range(50):
                await look()
                assert len(seen) == 3 * n
            assert not fast.done()
        await asyncio.wait_for(fast, PATIENCE)
        await look()

    assert seen == [(n + 1, ("slow", "slow", "fast")[n % 3]) for n in range(15)]


async def test_each_organization_has_its_own_positions(
    storage: Storage, viewer: Viewer, opened: Opening, organization_id: UUID
):
    """Two organizations in one batch, in either order: each log is dense, and none is stuck."""
    made = MakeOrganization(name="Other", time_zone="UTC", currency="EUR")
    [other] = await storage.write(make_organization, [made])
    assert isinstance(other, Outcome)
    both = [organization_id, other.subject]

    def record(work: UnitOfWork, keys: Sequence[UUID]) -> Results:
        for key in keys:
            record_change(work, key, "somebody")
        return do_nothing(work, keys)

    storages = [storage, await opened()]
    writes = [s.write(record, both[::order]) for s in storages for order in (1, -1) * 50]
    await asyncio.wait_for(asyncio.gather(*writes), PATIENCE)

    for key in both:
        found = await follow(storage, replace(viewer, organization_id=key), 200, 100)
        assert [position for position, _ in found] == list(range(1, 201))


async def test_what_is_undone_takes_no_position(
    storage: Storage, viewer: Viewer, recording: Recording
):
    """The changes of a command that broke are forgotten with its rows; positions stay dense."""
    names = ["a", "broken!", "b", "c", "broken!", "d"]

    results = await asyncio.gather(
        *(storage.write(recording, ["before", name]) for name in names), return_exceptions=True
    )

    assert [isinstance(r, ZeroDivisionError) for r in results] == [n.endswith("!") for n in names]
    found = await follow(storage, viewer, 8, 100)
    assert [position for position, _ in found] == list(range(1, 9))
    assert [name for _, name in found] == [x for n in "abcd" for x in ("before", n)]


async def test_listeners_hear_the_newest_position_after_it_can_be_read(
    storage: Storage, viewer: Viewer, recording: Recording, organization_id: UUID
):
    """A wake-up is never early: what it tells of is there for whoever reads then."""
    heard: list[int] = []
    looks: list[asyncio.Task[Any]] = []

    def told(positions: dict[UUID, int]) -> None:
        heard.append(positions[organization_id])
        looks.append(asyncio.create_task(changes_after(storage, viewer, heard[-1] - 1)))

    storage.when_changed.append(told)
    for n in range(20):
        await storage.write(recording, ["x"] * (1 + n % 2))
    storage.when_changed.remove(told)

    assert heard == sorted(heard)
    assert heard[-1] == 30
    for position, look in zip(heard, looks, strict=True):
        assert (await look).rows[0].position == position
