"""More storages on one database, a foreign connection, commands that do next to nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa

from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Read, Storage, UnitOfWork, storage_at
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import ImportReceipt, columns, table
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType
from tests.conftest import POSTGRES_URL, SettableClock
from tests.resolvers.world import World

Results = list[Outcome | Refused]
Opening = Callable[..., Awaitable[Storage]]
Foreign = asyncpg.Connection


@pytest.fixture
async def opened(database_url: str, clock: SettableClock) -> AsyncIterator[Opening]:
    """Opens further storages on the test's database, as other processes would."""
    storages = []

    async def one(url: str = database_url, **options: Any) -> Storage:
        storage = storage_at(url, outbox.fill, clock=clock, **options)
        await storage.open()
        storages.append(storage)
        return storage

    yield one
    for storage in storages:
        await storage.close()


@pytest.fixture
def on_postgresql(database_url: str) -> None:
    """The test is about PostgreSQL only."""
    if not database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL only" if POSTGRES_URL else "GATEWAY_TEST_POSTGRES_URL is not set")


@pytest.fixture
async def foreign(on_postgresql: None, database_url: str) -> AsyncIterator[Foreign]:
    """A connection of somebody else."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def centre(world: World) -> UUID:
    return await world.centre()


@pytest.fixture
async def room(world: World, centre: UUID) -> UUID:
    return await world.room(centre)


def do_nothing(work: UnitOfWork, commands: Sequence[Any]) -> Results:
    return [Outcome(new_key()) for _ in commands]


class Receipts:
    """A command that writes one row for each text, and what it wrote."""

    def __init__(self, storage: Storage, organization_id: UUID) -> None:
        self.storage = storage
        self.organization_id = organization_id

    def row(self, text: str, now: Any) -> ImportReceipt:
        return new_row(
            ImportReceipt,
            organization_id=self.organization_id,
            format="test",
            content_hash=text,
            imported_at=now,
        )

    def write(self, work: UnitOfWork, texts: Sequence[str]) -> Results:
        work.insert(ImportReceipt, [self.row(text, work.now) for text in texts])
        return do_nothing(work, texts)

    async def written(self) -> list[str]:
        c = columns(ImportReceipt)
        read: Read[ImportReceipt] = Read(
            "test receipts", lambda _: sa.select(table(ImportReceipt)).order_by(c.content_hash)
        )
        return [row.content_hash for row in await self.storage.read(read)]


@pytest.fixture
def receipts(storage: Storage, organization_id: UUID) -> Receipts:
    return Receipts(storage, organization_id)


def record_change(work: UnitOfWork, organization_id: UUID, name: str) -> None:
    """Record a change of some booking by an actor of this name."""
    work.record(
        organization_id,
        id=new_key(),
        at=work.now,
        actor_name=name,
        changed_fields=[],
        version=1,
        booking_type=ChangeType.CREATED,
        booking_id=new_key(),
    )
