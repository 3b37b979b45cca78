"""The subscriptions of one process."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from gateway.auth import Authenticator, Claims
from gateway.change_feed import ChangeFeed
from gateway.fanout.channels import Channel
from gateway.fanout.outlets import Outlet
from gateway.fanout.subscribers import ChangeSubscriber, SeatsSubscriber, Subscriber
from gateway.subscribed import ActiveSubscription
from resolvers.storage import Overloaded, Storage
from resolvers.viewer import Viewer
from schema.changes.followed import SeatCounts
from schema.grammar.context import Context

EXECUTIONS: Final = 4
"""So many groups execute at the same time; other requests need the database too."""

READ_SECONDS: Final = 60.0


class _Opening:
    """A channel that opens, and how many subscribers wait for it."""

    __slots__ = ("task", "waiting")

    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.waiting = 0


class Hub:
    """Delivers changes to the subscribers of all organizations."""

    def __init__(
        self,
        *,
        storage: Storage,
        feed: ChangeFeed,
        authenticator: Authenticator,
        make_context: Callable[[Viewer], Context],
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._storage = storage
        self._feed = feed
        self._authenticator = authenticator
        self._make_context = make_context
        self._read_seconds = read_seconds
        self._slots = asyncio.Semaphore(EXECUTIONS)
        self._channels: dict[UUID, Channel] = {}
        self._opening: dict[UUID, _Opening] = {}
        self._is_closed = False

    async def subscribe(
        self, subscribed: ActiveSubscription, claims: Claims, viewer: Viewer, outlet: Outlet
    ) -> Subscriber:
        """Begin to deliver. Raises: Overloaded."""
        channel = await self._channel(viewer.organization_id)
        make = SeatsSubscriber if isinstance(subscribed.source, SeatCounts) else ChangeSubscriber
        subscriber = make(channel, subscribed, claims, viewer, outlet)
        channel.enter(subscriber)
        subscriber.start()
        return subscriber

    def close(self) -> None:
        """End every subscription; no other begins."""
        self._is_closed = True
        for opening in list(self._opening.values()):
            opening.task.cancel()
        for channel in list(self._channels.values()):
            channel.close()

    async def _channel(self, organization_id: UUID) -> Channel:
        """Raises: Overloaded."""
        while True:
            if self._is_closed:
                raise Overloaded
            channel = self._channels.get(organization_id)
            if channel is not None:
                return channel
            opening = self._opening.get(organization_id)
            if opening is None:
                opening = self._opening[organization_id] = _Opening()
                work = self._open(organization_id, opening)
                opening.task = asyncio.create_task(work, name="opening a channel")
            await self._opened(organization_id, opening)

    async def _opened(self, organization_id: UUID, opening: "_Opening") -> None:
        """Wait until a channel is open. Raises: Overloaded.

        A subscriber that is cancelled must not cancel it for the others, and the last one does.
        """
        opening.waiting += 1
        try:
            await asyncio.shield(opening.task)
        except asyncio.CancelledError:
            if opening.task.cancelled() and self._is_closed:
                raise Overloaded from None
            if opening.waiting == 1:
                self._give_up(organization_id, opening)
            raise
        finally:
            opening.waiting -= 1

    def _give_up(self, organization_id: UUID, opening: "_Opening") -> None:
        """The last one that waited for a channel was cancelled."""
        if self._opening.get(organization_id) is opening:
            del self._opening[organization_id]
            opening.task.cancel()
        channel = self._channels.get(organization_id)
        if channel is not None and channel.is_idle:
            self._close(organization_id)

    async def _open(self, organization_id: UUID, opening: "_Opening") -> None:
        channel = Channel(
            organization_id,
            storage=self._storage,
            feed=self._feed,
            authenticator=self._authenticator,
            make_context=self._make_context,
            slots=self._slots,
            read_seconds=self._read_seconds,
            when_idle=self._close,
        )
        try:
            await channel.open()
        finally:
            if self._opening.get(organization_id) is opening:
                del self._opening[organization_id]
        self._channels[organization_id] = channel

    def _close(self, organization_id: UUID) -> None:
        """Close the channel of an organization without subscribers."""
        channel = self._channels.pop(organization_id, None)
        if channel is not None:
            channel.close()
