"""What has served its time is deleted in batches, and nothing else."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.every_kind.cancelling import cancel
from resolvers.forgetting import AT_ONCE, ForgetOld, forget_old
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    IdempotencyKey,
    NotificationDelivery,
    NotificationEndpoint,
    RoomSeats,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic
from tests.conftest import SettableClock
from tests.resolvers.asking import cancelling
from tests.resolvers.world import World

DAYS = timedelta(days=30)
MOMENT = timedelta(microseconds=1)
WAITING = {DeliveryStatus.QUEUED, DeliveryStatus.RETRYING}


class Remembering(World):
    """Puts rows of any age into the tables."""

    async def put(self, model: Any, *rows: Any) -> None:
        def insert(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
            work.insert(model, commands)
            return [Outcome(UUID(int=0)) for _ in commands]

        await self.storage.write(insert, rows)

    def key(self, name: str, created_at: datetime) -> IdempotencyKey:
        return new_row(
            IdempotencyKey,
            organization_id=self.viewer.organization_id,
            viewer="admin:admin",
            idempotency_key=name,
            fingerprint="f",
            claim=uuid4(),
            answer=[],
            created_at=created_at,
        )

    async def endpoint(self) -> UUID:
        endpoint = new_row(
            NotificationEndpoint,
            organization_id=self.viewer.organization_id,
            id=uuid4(),
            topics=[],
            channel=NotificationChannel.HTML_EMAIL,
            email="a@example.org",
            current_key="k",
            created_at=self.storage.clock(),
        )
        await self.put(NotificationEndpoint, endpoint)
        return endpoint.id

    def delivery(
        self, endpoint: UUID, status: DeliveryStatus, finished_at: datetime, *, position: int = 1
    ) -> NotificationDelivery:
        return new_row(
            NotificationDelivery,
            organization_id=self.viewer.organization_id,
            id=uuid4(),
            endpoint_id=endpoint,
            subject_id=uuid4(),
            position=position,
            channel=NotificationChannel.HTML_EMAIL,
            topic=NotificationTopic.BOOKING_CREATED,
            content={},
            status=status,
            next_attempt_at=finished_at if status in WAITING else None,
            delivered_at=finished_at if status is DeliveryStatus.DELIVERED else None,
            give_up_at=finished_at,
            created_at=finished_at,
        )

    async def forget(self) -> Outcome:
        [outcome] = await self.storage.write(forget_old, [ForgetOld(DAYS)])
        assert isinstance(outcome, Outcome)
        return outcome

    async def kept(self, model: Any, column: str) -> list[Any]:
        rows = await self.rows(model, "organization_id", self.viewer.organization_id)
        return sorted(getattr(row, column) for row in rows)


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> Remembering:
    return Remembering(storage, viewer)


async def test_a_key_is_deleted_once_it_has_expired(world: Remembering, clock: SettableClock):
    """A key counts for exactly 24 hours, and as long it stays."""
    day_ago = clock.now - timedelta(hours=24)
    rows = [world.key("counts", day_ago), world.key("expired", day_ago - MOMENT)]
    await world.put(IdempotencyKey, *rows)

    outcome = await world.forget()

    assert outcome.facts == {"keys": 1, "deliveries": 0}
    assert await world.kept(IdempotencyKey, "idempotency_key") == ["counts"]


async def test_only_old_delivered_notifications_are_deleted(
    world: Remembering, clock: SettableClock
):
    """What waits stays however old it is, and so does what was given up."""
    endpoint, old = await world.endpoint(), clock.now - DAYS - MOMENT
    await world.put(
        NotificationDelivery,
        *(world.delivery(endpoint, status, old) for status in DeliveryStatus),
        world.delivery(endpoint, DeliveryStatus.DELIVERED, clock.now - DAYS),
    )

    outcome = await world.forget()

    assert outcome.facts == {"keys": 0, "deliveries": 1}
    assert await world.kept(NotificationDelivery, "status") == sorted(DeliveryStatus)


async def test_a_transaction_deletes_so_many_and_says_that_there_are_more(
    world: Remembering, clock: SettableClock
):
    """The oldest go first."""
    started = clock.now - timedelta(days=2)
    names = [f"{n:04}" for n in range(AT_ONCE + 2)]
    await world.put(
        IdempotencyKey,
        *(world.key(name, started + n * MOMENT) for n, name in enumerate(reversed(names))),
    )

    first = await world.forget()
    left = await world.kept(IdempotencyKey, "idempotency_key")
    second, third = await world.forget(), await world.forget()

    assert (first.changed, second.changed, third.changed) == (True, False, False)
    assert left == names[:2]
    assert [second.facts["keys"], third.facts["keys"]] == [2, 0]


@pytest.mark.both_databases
async def test_a_counter_of_seats_is_deleted_once_it_is_zero_and_over(
    world: Remembering, clock: SettableClock
):
    """A counter that is not zero stays, as does one whose time was over less than a day ago."""
    centre = await world.centre()
    hall = await world.room(centre, "Hall", capacity=10)
    taken, over = world.tomorrow(9), world.tomorrow(12)
    recent = over + timedelta(days=1)
    candidates = await world.candidates(3)
    for candidate, start in zip(candidates, (taken, over, recent), strict=True):
        event = await world.event(centre=centre, room=hall, start_at=start)
        booking = await world.booked(candidate, event)
        if start != taken:
            await world.one(cancel, cancelling(world, booking))

    clock.now = over + timedelta(hours=36)
    await world.forget()

    assert await world.kept(RoomSeats, "start_at") == [taken, recent]
