"""Old changes are deleted from the beginning of each log, in batches, and nothing else is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.change_reads import log_bounds
from resolvers.log_retention import (
    AT_ONCE,
    DeleteOldChanges,
    delete_old_changes,
    organizations_with_changes_before,
)
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.tables import NotificationDelivery
from resolvers.viewer import Viewer
from resolvers.vocabulary import DeliveryStatus, EventChangeType
from tests.conftest import SettableClock
from tests.resolvers.test_forgetting import Remembering
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

KEPT_FOR = timedelta(days=90)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> Remembering:
    return Remembering(storage, viewer)


async def log(world: World, *ages: timedelta) -> None:
    """Append a change for each age."""

    def record(work: UnitOfWork, commands: Sequence[timedelta]) -> list[Outcome]:
        for age in commands:
            work.record(
                world.viewer.organization_id,
                id=new_key(),
                at=work.now - age,
                actor_name="test",
                changed_fields=[],
                version=1,
                event_type=EventChangeType.UPDATED,
                event_id=new_key(),
            )
        return [Outcome(world.viewer.organization_id) for _ in commands]

    await world.storage.write(record, ages)


async def delete(world: World) -> Outcome:
    command = DeleteOldChanges(world.viewer.organization_id, KEPT_FOR)
    outcome = await world.one(delete_old_changes, command)
    assert isinstance(outcome, Outcome)
    return outcome


async def kept(world: World) -> list[int]:
    return [row.position for row in await world.changes()]


async def bounds(world: World) -> tuple[int, int]:
    [row] = await world.storage.read(log_bounds(world.viewer))
    return row.newest, row.kept_after


async def with_old_changes(world: World) -> list[UUID]:
    before = world.storage.clock() - KEPT_FOR
    return [row.id for row in await world.storage.read(organizations_with_changes_before(before))]


async def test_changes_are_kept_for_their_time(world: Remembering):
    """To the microsecond; positions stay as they are."""
    await log(world, KEPT_FOR + 2 * MOMENT, KEPT_FOR + MOMENT, KEPT_FOR, timedelta(0))
    assert await with_old_changes(world) == [world.viewer.organization_id]

    outcome = await delete(world)

    assert (outcome.changed, outcome.facts) == (False, {"changes": 2})
    assert await kept(world) == [3, 4]
    assert await bounds(world) == (4, 2)
    assert await with_old_changes(world) == []


async def test_only_the_beginning_of_a_log_is_deleted(world: Remembering):
    """The clocks of several processes differ: a later change can be older."""
    await log(world, KEPT_FOR + MOMENT, KEPT_FOR, KEPT_FOR + MOMENT)

    await delete(world)

    assert await kept(world) == [2, 3]


async def test_a_transaction_deletes_a_batch(world: Remembering):
    await log(world, *[KEPT_FOR + MOMENT] * (AT_ONCE + 1))

    first, second = await delete(world), await delete(world)

    assert (first.changed, first.facts) == (True, {"changes": AT_ONCE})
    assert (second.changed, second.facts) == (False, {"changes": 1})
    assert await kept(world) == []
    assert await bounds(world) == (AT_ONCE + 1, AT_ONCE + 1)
    await log(world, timedelta(0))
    assert await kept(world) == [AT_ONCE + 2]


async def test_a_log_without_changes_is_kept_from_its_start(world: Remembering):
    assert await bounds(world) == (0, 0)
    await log(world, timedelta(0))
    assert await bounds(world) == (1, 0)


@pytest.mark.parametrize(
    ("status", "left"),
    [
        (DeliveryStatus.QUEUED, [3, 4]),
        (DeliveryStatus.RETRYING, [3, 4]),
        (DeliveryStatus.DELIVERED, []),
        (DeliveryStatus.FAILED, []),
    ],
)
async def test_a_change_stays_while_a_notification_of_it_waits(
    world: Remembering, status: DeliveryStatus, left: list[int]
):
    """The rights to a message are checked against its change before each attempt."""
    await log(world, *[KEPT_FOR + MOMENT] * 4)
    delivery = world.delivery(await world.endpoint(), status, world.storage.clock(), position=3)
    await world.put(NotificationDelivery, delivery)

    await delete(world)

    assert await kept(world) == left


async def test_other_organizations_keep_theirs(
    world: Remembering, storage: Storage, viewer: Viewer, clock: SettableClock
):
    made: Any = MakeOrganization(name="Other", time_zone="UTC", currency="EUR")
    [outcome] = await storage.write(make_organization, [made])
    assert isinstance(outcome, Outcome)
    other = World(storage, replace(viewer, organization_id=outcome.subject))
    for each in (world, other):
        await log(each, timedelta(0))
    clock.now += KEPT_FOR + MOMENT
    assert sorted(await with_old_changes(world)) == sorted(
        [viewer.organization_id, outcome.subject]
    )

    await delete(world)

    assert await kept(world) == []
    assert await kept(other) == [1]
