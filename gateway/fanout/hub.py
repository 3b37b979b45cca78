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
from gateway.subscribed import Subscribed
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from schema.context import Context
from schema.followed import SeatCounts

EXECUTIONS: Final = 4
"""So many groups execute at the same time; other requests need the database too."""

READ_SECONDS: Final = 60.0


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
        self._opening: dict[UUID, asyncio.Task[Channel]] = {}

    async def subscribe(
        self, subscribed: Subscribed, claims: Claims, viewer: Viewer, outlet: Outlet
    ) -> Subscriber:
        """Begin to deliver. Raises: Overloaded."""
        channel = await self._channel(viewer.organization_id)
        make = SeatsSubscriber if isinstance(subscribed.source, SeatCounts) else ChangeSubscriber
        subscriber = make(channel, subscribed, claims, viewer, outlet)
        channel.enter(subscriber)
        subscriber.start()
        return subscriber

    def close(self) -> None:
        """End every subscription."""
        for channel in list(self._channels.values()):
            channel.close()

    async def _channel(self, organization_id: UUID) -> Channel:
        while True:
            channel = self._channels.get(organization_id)
            if channel is not None:
                return channel
            opening = self._opening.get(organization_id)
            if opening is None:
                opening = asyncio.create_task(self._open(organization_id), name="opening a channel")
                self._opening[organization_id] = opening
            # a subscriber that is cancelled must not cancel it for the others
            await asyncio.shield(opening)

    async def _open(self, organization_id: UUID) -> Channel:
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
            del self._opening[organization_id]
        self._channels[organization_id] = channel
        return channel

    def _close(self, organization_id: UUID) -> None:
        """Close the channel of an organization without subscribers."""
        channel = self._channels.pop(organization_id, None)
        if channel is not None:
            channel.close()
