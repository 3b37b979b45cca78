"""The results of a subscription as an iterator, for transports that send them one by one."""

import asyncio
from collections import deque
from typing import Final

from gateway.auth import Claims
from gateway.deliveries import Deliveries, Delivery
from gateway.fanout.hub import Hub
from gateway.subscribed import ActiveSubscription
from resolvers.viewer import Viewer

MOST_UNREAD: Final = 64
UNREAD_BYTES: Final = 64 * 1024
"""So many results and bytes wait for the transport; with more, the subscriber reads the log."""


class _Queue:
    """An outlet whose results wait until they are taken."""

    def __init__(self) -> None:
        self._results: deque[Delivery] = deque()
        self._bytes = 0
        self._error: Exception | None = None
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()

    def send(self, payload: bytes, cursor: str) -> bool:
        self._results.append(Delivery(payload, cursor))
        self._bytes += len(payload)
        self._filled.set()
        return len(self._results) < MOST_UNREAD and self._bytes < UNREAD_BYTES

    async def writable(self) -> None:
        while self._results:
            self._taken.clear()
            await self._taken.wait()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._filled.set()

    def close(self) -> None:
        pass

    async def next(self) -> Delivery:
        """The next result. Raises: the error that ended the subscription, after its results."""
        while not self._results:
            if self._error is not None:
                raise self._error
            self._filled.clear()
            await self._filled.wait()
        delivery = self._results.popleft()
        self._bytes -= len(delivery.payload)
        self._taken.set()
        return delivery


async def deliveries(
    hub: Hub, subscribed: ActiveSubscription, claims: Claims, viewer: Viewer
) -> Deliveries:
    """The results of a subscription; never ends. Raises: the error that ended it."""
    queue = _Queue()
    subscriber = await hub.subscribe(subscribed, claims, viewer, queue)
    try:
        while True:
            yield await queue.next()
    finally:
        subscriber.cancel()
