"""The feed: no wake-up is lost, and nothing is kept for who has gone."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from gateway.change_feed import ChangeFeed, Turns
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork, storage_at
from resolvers.storage.columns import new_key
from resolvers.vocabulary import EventChangeType
from tests.patience import PATIENCE, several_turns

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def feed(storage: Storage) -> AsyncIterator[ChangeFeed]:
    """A feed that looks by itself only when it starts; tests call `poll`."""
    made = ChangeFeed(storage, poll_seconds=3600)
    await made.start()
    await asyncio.sleep(0)
    yield made
    await made.close()


async def commit(storage: Storage, organization_id: UUID) -> None:
    """Append one change to the organization's log."""

    def run(work: UnitOfWork, commands: Sequence[UUID]) -> list[Outcome]:
        for organization in commands:
            work.record(
                organization,
                id=new_key(),
                at=work.now,
                actor_name="test",
                changed_fields=[],
                version=1,
                event_type=EventChangeType.CREATED,
                event_id=new_key(),
            )
        return [Outcome(organization) for organization in commands]

    await storage.write(run, [organization_id])


async def is_woken(changed: "asyncio.Task[None]") -> bool:
    """A wake-up reaches its task within a few turns of the event loop."""
    await several_turns()
    return changed.done()


async def test_a_commit_wakes_who_waits(feed: ChangeFeed, storage: Storage, organization_id: UUID):
    watch = feed.watch(organization_id)
    waiting = asyncio.create_task(watch.changed())
    assert not await is_woken(waiting)

    await commit(storage, organization_id)

    await asyncio.wait_for(waiting, PATIENCE)


async def test_a_commit_between_two_calls_is_not_lost(
    feed: ChangeFeed, storage: Storage, organization_id: UUID
):
    watch = feed.watch(organization_id)
    await commit(storage, organization_id)
    await commit(storage, organization_id)

    await asyncio.wait_for(watch.changed(), PATIENCE)

    again = asyncio.create_task(watch.changed())
    assert not await is_woken(again)
    again.cancel()


async def test_every_watch_of_the_organization_is_woken_and_no_other(
    feed: ChangeFeed, storage: Storage, organization_id: UUID
):
    watches = [feed.watch(organization_id) for _ in range(3)]
    other = feed.watch(new_key())

    await commit(storage, organization_id)

    await asyncio.wait_for(asyncio.gather(*(watch.changed() for watch in watches)), PATIENCE)
    waiting = asyncio.create_task(other.changed())
    assert not await is_woken(waiting)
    waiting.cancel()


async def test_a_commit_of_another_process_is_found(
    feed: ChangeFeed, storage: Storage, database_url: str, organization_id: UUID
):
    watch = feed.watch(organization_id)
    await feed.poll()
    await watch.changed()  # at first sight nothing is known, so everybody looks
    elsewhere = storage_at(database_url, outbox.fill, clock=storage.clock)
    await elsewhere.open()
    waiting = asyncio.create_task(watch.changed())

    await feed.poll()
    assert not await is_woken(waiting)
    await commit(elsewhere, organization_id)
    await feed.poll()

    await asyncio.wait_for(waiting, PATIENCE)
    await elsewhere.close()


async def test_the_feed_polls_by_itself(storage: Storage, database_url: str, organization_id: UUID):
    feed = ChangeFeed(storage, poll_seconds=0.01)
    await feed.start()
    watch = feed.watch(organization_id)
    await asyncio.wait_for(watch.changed(), PATIENCE)
    elsewhere = storage_at(database_url, outbox.fill, clock=storage.clock)
    await elsewhere.open()

    await commit(elsewhere, organization_id)

    await asyncio.wait_for(watch.changed(), PATIENCE)
    await elsewhere.close()
    await feed.close()


async def test_a_watch_that_nobody_holds_is_forgotten(feed: ChangeFeed, organization_id: UUID):
    watch = feed.watch(organization_id)
    assert len(feed._watches[organization_id]) == 1

    del watch
    gc.collect()
    await feed.poll()

    assert feed._watches == {}
    assert feed._positions == {}


async def test_a_closed_feed_hears_nothing(storage: Storage, organization_id: UUID):
    feed = ChangeFeed(storage)
    await feed.start()
    watch = feed.watch(organization_id)
    await feed.close()

    await commit(storage, organization_id)

    assert storage.when_changed == []
    waiting = asyncio.create_task(watch.changed())
    assert not await is_woken(waiting)
    waiting.cancel()


async def test_subscribers_take_turns_with_each_other_and_with_other_work() -> None:
    """Other work goes on after each change, and a subscriber that is cancelled stops nobody."""
    turns, order = Turns(), []

    async def reader(name: str) -> None:
        for _ in range(50):
            await turns.next()
            order.append(name)

    async def other_work() -> None:
        for _ in range(50):
            await asyncio.sleep(0)
            order.append("other work")

    cancelled = asyncio.create_task(reader("cancelled"))
    tasks = [asyncio.create_task(each) for each in (reader("A"), reader("B"), other_work())]
    await asyncio.sleep(0)
    cancelled.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*tasks)

    readers = [name for name in order if name != "other work"]
    assert readers == ["A", "B"] * 50
    between = [order[n : n + 2] for n in range(len(order) - 1)][:60]
    assert all("other work" in pair for pair in between)
