"""The sender of a WebSocket, and the outlets of its subscriptions."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import orjson
from starlette.types import Scope

from gateway.quotas import Place

SENDER: Final = "sender"
"""In the `state` of a WebSocket's scope: the `Sender` of its connection, if its server has one."""


UNREAD_FRAMES: Final = 64


class Sender(Protocol):
    """Sends text frames without waiting."""

    def send_text(self, text: bytes) -> bool:
        """Send a frame; it is dropped if the connection is closed or closing.

        Returns False if the client has to read before more can be sent.
        """

    async def until_writable(self) -> None:
        """Return once more can be sent, or once the connection is lost."""


class SocketOutlet:
    """One subscription on a WebSocket; it holds a place of its viewer's until it ends."""

    __slots__ = ("_end", "_head", "_place", "_sender")

    def __init__(
        self,
        sender: Sender,
        identifier: str,
        place: Place,
        end: Callable[[Exception], None],
    ) -> None:
        self._sender = sender
        self._place = place
        self._head = b'{"id":%b,"type":"next","payload":' % orjson.dumps(identifier)
        self._end = end

    def send(self, payload: bytes, cursor: str) -> bool:
        return self._sender.send_text(b"%b%b}" % (self._head, payload))

    async def writable(self) -> None:
        await self._sender.until_writable()

    def fail(self, error: Exception) -> None:
        self._end(error)

    def close(self) -> None:
        self._place.close()


class QueuedSender:
    """The sender of a connection whose server can only wait until each frame is sent."""

    def __init__(self, send: Callable[[bytes], Any]) -> None:
        self._send = send
        self._frames: deque[bytes] = deque()
        self._sending: asyncio.Task[None] | None = None

    def send_text(self, text: bytes) -> bool:
        self._frames.append(text)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="frames of a socket")
        return len(self._frames) < UNREAD_FRAMES

    async def until_writable(self) -> None:
        if self._sending is not None:
            await asyncio.wait([self._sending])

    async def _send_all(self) -> None:
        try:
            while self._frames:
                await self._send(self._frames.popleft())
        except Exception:
            self._frames.clear()  # the connection is lost, as its reader finds out
        finally:
            self._sending = None


def sender_of(scope: Scope, send: Callable[[bytes], Any]) -> Sender:
    """The connection's own sender, or one that awaits `send` for each frame."""
    own: Sender | None = scope.get("state", {}).get(SENDER)
    return QueuedSender(send) if own is None else own
