"""The worker's statements read little, whatever the database knows of 100,000 deliveries."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.forgetting import ForgetOld, forget_old
from resolvers.notifications.delivering import due_endpoints
from resolvers.storage import Storage
from resolvers.vocabulary import NotificationTopic
from tests.resolvers.notifications.conftest import Listening
from tests.resolvers.notifications.many_deliveries import (
    FRESH,
    MISSING,
    STALE,
    know,
    multiply,
    rewrite,
)
from tests.resolvers.storage.plans import Statement, bad, measured

pytestmark = pytest.mark.both_databases

CREATED = (NotificationTopic.EVENT_CREATED,)
ENDPOINTS = 10
ONE_PASS = 1_000
"""With stale statistics PostgreSQL may read, once, the pages of all that is due at an endpoint: 650
for the 10,000 rows here. An earlier version of the statement read 40,000 and more."""


async def work(storage: Storage, world: Listening, dead: UUID, good: UUID) -> None:
    """What the worker does, one of each."""
    worked = Listening(storage, world.viewer)
    for _ in range(3):
        due = await storage.read(due_endpoints(storage.clock()))
        assert good in [row.endpoint_id for row in due]
        assert await worked.claimed(dead, most=2) == []
        first, second = await worked.claimed(good, most=2)
        assert await worked.finished(good, [first], status=200) == [(True, "DELIVERED")]
        assert await worked.finished(good, [second], status=500) == [(True, "RETRYING")]
        await storage.write(forget_old, [ForgetOld(deliveries_kept_for=timedelta(minutes=1))])


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_the_worker_reads_little(
    world: Listening, database: str, database_url: str, clock: Any, plans: str
) -> None:
    """With statistics from before there were deliveries, without any, and with fresh ones."""
    if database == "sqlite" and plans != "force_custom_plan":
        pytest.skip("SQLite has one kind of plan")
    dead, good, *_ = [
        await world.registered(topics=CREATED, url=f"https://agency.example/{n}")
        for n in range(ENDPOINTS)
    ]
    await world.event()
    seed = (await world.deliveries(good))[0].id
    await world.finished(dead, await world.claimed(dead), status=200)
    found: dict[str, list[Statement]] = {}

    await rewrite(database_url)
    for statistics in (STALE, MISSING, FRESH):
        await know(database_url, statistics)
        if statistics == STALE:
            await multiply(database_url, seed, dead, good, clock.now)
        async with measured(database_url, clock=clock, plans=plans) as (storage, statements):
            await work(storage, world, dead, good)
            found[statistics] = statements
        clock.now += timedelta(seconds=31)

    await know(database_url, MISSING)
    much = {name: bad(one for one in ran if one.read > ONE_PASS) for name, ran in found.items()}
    assert [read for read in much.items() if read[1]] == []
