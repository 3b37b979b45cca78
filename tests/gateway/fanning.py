"""A hub on a real database, and clients that read, pause or do not read at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.auth import Authenticator, make_token
from gateway.change_feed import ChangeFeed
from gateway.export_addresses import ExportAddresses
from gateway.fanout import Hub, Subscriber
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from gateway.subscribed import ActiveSubscription
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.storage import Overloaded, Storage
from resolvers.viewer import Viewer
from resolvers.vocabulary import Role
from schema import build_schema
from schema.grammar.context import Context
from tests.gateway.conftest import SECRET
from tests.patience import PATIENCE, eventually
from tests.resolvers.world import World


class Reader:
    """The client of a subscription: what it was sent, and the error that ended it."""

    def __init__(self) -> None:
        self.subscriber: Subscriber
        self.payloads: list[bytes] = []
        self.cursors: list[str] = []
        self.error: Any = None
        self._reading = asyncio.Event()
        self._reading.set()

    def pause(self) -> None:
        """Read nothing from now on."""
        self._reading.clear()

    def read(self) -> None:
        """Read again."""
        self._reading.set()

    async def has(self, count: int) -> None:
        """Wait until it was sent so many results."""
        await eventually(lambda: self.error or len(self.payloads) >= count)
        assert self.error is None, self.error

    async def joined(self) -> None:
        """Wait until its group delivers to it."""
        subscriber: Any = self.subscriber
        await eventually(lambda: subscriber._group is not None and subscriber._task is None)

    # As an outlet

    def send(self, payload: bytes, cursor: str) -> bool:
        self.payloads.append(payload)
        self.cursors.append(cursor)
        return self._reading.is_set()

    async def writable(self) -> None:
        await self._reading.wait()

    def fail(self, error: Exception) -> None:
        self.error = error

    def close(self) -> None:
        pass


@dataclass
class Fan:
    """A hub, and what subscriptions need."""

    world: World
    feed: ChangeFeed
    authenticator: Authenticator
    operations: Operations
    hub: Hub

    @property
    def executions(self) -> int:
        """How many results plans have made."""
        return self.operations.planner.counts.answered

    async def token_of(self, reference: str, role: Role = Role.ADMIN, **values: Any) -> str:
        """The header of a user with a token; the user's rights change if it has one already."""
        viewer = self.world.viewer
        user = UpsertUser(viewer=viewer, reference=reference, name=reference, role=role, **values)
        return make_token(
            secret=SECRET,
            organization_id=viewer.organization_id,
            role="admin",
            now=self.world.storage.clock(),
            hours=1,
            user_id=await self.world.made(upsert_users, user),
        )

    async def subscribe(self, token: str, text: str, **variables: Any) -> Reader:
        header = f"Bearer {token}"
        viewer = await self.authenticator.viewer(header)
        request = GraphQLRequest(text, variables)
        accepted = await self.operations.subscribe(request, self.context(viewer))
        assert isinstance(accepted, ActiveSubscription), accepted
        claims = await self.authenticator.claims(header)
        reader = Reader()
        reader.subscriber = await self.hub.subscribe(accepted, claims, viewer, reader)
        return reader

    async def joined(self, token: str, text: str, **variables: Any) -> Reader:
        """A subscriber to which its group delivers."""
        reader = await self.subscribe(token, text, **variables)
        await reader.joined()
        return reader

    def context(self, viewer: Viewer) -> Context:
        storage = self.world.storage
        exports = ExportAddresses(SECRET, storage.clock)
        return Context(viewer=viewer, storage=storage, feed=self.feed, exports=exports)


@asynccontextmanager
async def fan_on(world: World, **options: Any) -> AsyncIterator[Fan]:
    """A hub that hears of the commits of this process, and does not poll."""
    storage = world.storage
    feed = ChangeFeed(storage, poll_seconds=3600)
    await feed.start()
    authenticator = Authenticator(storage, SECRET, storage.clock)
    exports = ExportAddresses(SECRET, storage.clock)
    hub = Hub(
        storage=storage,
        feed=feed,
        authenticator=authenticator,
        make_context=lambda viewer: Context(
            viewer=viewer, storage=storage, feed=feed, exports=exports
        ),
        **options,
    )
    yield Fan(world, feed, authenticator, Operations(build_schema()), hub)
    hub.close()
    await feed.close()


class Gate:
    """Holds the result of the next read of a shape, which the database has answered already.

    With `every`, holds the results of all reads of the shape until it opens.
    """

    def __init__(
        self,
        storage: Storage,
        monkeypatch: pytest.MonkeyPatch,
        shape: str,
        *,
        every: bool = False,
    ) -> None:
        self.open = asyncio.Event()
        self._every = every
        self._reached = asyncio.Event()
        self._shape = shape
        self._read = storage.read
        monkeypatch.setattr(storage, "read", self.read)

    async def is_reached(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()

    async def read(self, asked: Any, *given: Any, **more: Any) -> Any:
        rows = await self._read(asked, *given, **more)
        held = self._every or not self._reached.is_set()
        if held and self._shape in str(asked.shape):
            self._reached.set()
            await self.open.wait()
        return rows


def overloaded_once(storage: Storage, monkeypatch: pytest.MonkeyPatch, shape: str) -> list[Any]:
    """Refuse the next read of a shape; the reads that were refused."""
    refused: list[Any] = []
    read = storage.read

    async def noted(asked: Any, *given: Any, **more: Any) -> Any:
        if shape in str(asked.shape) and not refused:
            refused.append(asked.shape)
            raise Overloaded
        return await read(asked, *given, **more)

    monkeypatch.setattr(storage, "read", noted)
    return refused
