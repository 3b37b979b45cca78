"""The worker deletes old changes, if the deployment does not keep them for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from gateway.delivering import Deliverer
from gateway.outgoing.http import HttpSender
from gateway.worker import Worker
from resolvers.log_retention import AT_ONCE
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from tests.conftest import SettableClock
from tests.gateway.test_change_feed import commit
from tests.patience import PATIENCE, eventually
from tests.resolvers.world import World

POLL_SECONDS = 0.01
DAYS = timedelta(days=90)


@asynccontextmanager
async def working(storage: Storage, log_kept_for: timedelta | None) -> AsyncIterator[None]:
    worker = Worker(
        storage,
        Deliverer(HttpSender(local=True, seconds=5), None, storage.clock),
        lease_seconds=60,
        attempt_seconds=5,
        expire_seconds=POLL_SECONDS,
        forget_seconds=POLL_SECONDS,
        deliveries_kept_for=DAYS,
        log_kept_for=log_kept_for,
        poll_seconds=POLL_SECONDS,
    )
    running = asyncio.create_task(worker.run())
    yield
    worker.stop()
    async with asyncio.timeout(PATIENCE):
        await running


async def test_old_changes_are_deleted_in_batches(
    storage: Storage, viewer: Viewer, organization_id: UUID, clock: SettableClock
):
    """More than one batch; younger ones stay."""
    world = World(storage, viewer)
    for _ in range(AT_ONCE + 2):
        await commit(storage, organization_id)
    clock.now += DAYS + timedelta(seconds=1)
    await commit(storage, organization_id)

    async def are_deleted() -> bool:
        return [row.position for row in await world.changes()] == [AT_ONCE + 3]

    async with working(storage, DAYS):
        await eventually(are_deleted)


async def test_by_default_every_change_is_kept(
    storage: Storage, viewer: Viewer, organization_id: UUID, clock: SettableClock
):
    """Another worker, which deletes changes, shows that there were some to be deleted."""
    world = World(storage, viewer)
    await commit(storage, organization_id)
    clock.now += 100 * DAYS

    async with working(storage, None):
        assert len(await world.changes()) == 1
    assert len(await world.changes()) == 1

    async def are_deleted() -> bool:
        return await world.changes() == []

    async with working(storage, DAYS):
        await eventually(are_deleted)
