"""WebSockets as uvicorn speaks them, with limits on what a client can hold."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any, Final

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from gateway.incoming.limits import Limits, State, UnreadOutput, address_of
from gateway.incoming.waiting import Gate, Inbox
from gateway.socket_outlets import SENDER

AUTHENTICATED: Final = "authenticated"
"""The function in the `state` of a WebSocket's scope that permits large messages.

The application calls it once the client is authenticated.
"""

IS_BUSY: Final = "is_busy"
"""Where the application puts a function into the `state` of a WebSocket's scope.

The function returns whether operations run that end by themselves. A stop waits for them.
"""

TEXT_FRAME: Final = 0x81
"""The first byte of a frame that is a whole text message."""

BUSY_SECONDS: Final = 0.05
"""How often a stop looks whether a WebSocket is still busy."""


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket. Its connection was counted before the handshake."""

    def __init__(
        self, config: Config, server_state: State, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = partial(_until_cancelled, self.app)
        self.queue = Inbox()  # type: ignore[assignment]
        self.writable = Gate()  # type: ignore[assignment]
        self._limits: Limits = server_state.limits
        self._occupancy = server_state.occupancy
        self._unread = UnreadOutput(server_state.limits)
        self._has_failed = False
        self.conn.max_message_size = self._limits.first_message_bytes

    def connection_lost(self, exc: Exception | None) -> None:
        self._occupancy.leave(address_of(self.client))
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["state"][AUTHENTICATED] = self._permit_large_messages
            self.scope["state"][SENDER] = self

    def start_keepalive(self) -> None:
        """Begin to ping, and drop what only the handshake needs: a client may stay for days."""
        super().start_keepalive()
        for message in (self.request, self.response):
            message.headers.clear()  # the parser holds it too
        del self.request, self.response

    @property
    def is_subscriber(self) -> bool:
        """Whether its client should reconnect after a stop."""
        return self.handshake_complete and not self.close_sent

    def shutdown(self) -> None:
        """Close with 1012 as soon as no operation runs that ends by itself."""
        if self.transport.is_closing():
            return
        is_busy = self.scope["state"].get(IS_BUSY) if self.is_subscriber else None
        if is_busy is not None and is_busy():
            self.loop.call_later(BUSY_SECONDS, self.shutdown)
        else:
            self.restart()

    def restart(self) -> None:
        """Close with 1012: the client may reconnect, and continue after its last cursor."""
        if not self.transport.is_closing():
            super().shutdown()

    def _permit_large_messages(self) -> None:
        self.conn.max_message_size = self._limits.message_bytes

    def send_text(self, text: bytes) -> bool:
        """Send a text frame without waiting; it is dropped if the connection is closing.

        Returns False if the client has to read before more can be sent. uvicorn's own path costs
        twice as much for each frame.
        """
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(_frame_head(len(text)) + text)
        return self.writable.is_set()

    async def until_writable(self) -> None:
        """Return once the client has read, or once the connection is lost."""
        await self.writable.wait()

    def data_received(self, data: bytes) -> None:
        if not self._has_failed:
            super().data_received(data)

    def handle_cont(self, event: Frame) -> None:
        if self._has_failed:
            return
        if len(self.frames) >= self._limits.message_frames:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many frames")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def handle_parser_exception(self) -> None:
        """Say why the connection is closed, and read the rest until the client closes it.

        Closing it earlier would reset the connection, and the client could not read the reason.
        """
        if self._has_failed:
            return
        self._has_failed = True
        self.frames = []
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def close_overdue(self, now: float) -> None:
        """Drop the connection if its client does not read."""
        if self._unread.is_stalled(self.transport, now):
            self.transport.abort()

    def pause_writing(self) -> None:
        self._unread.pause()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread.resume()
        super().resume_writing()


def _frame_head(length: int) -> bytes:
    """The beginning of an unmasked text frame with so many bytes."""
    if length < 126:
        return bytes((TEXT_FRAME, length))
    if length < 1 << 16:
        return b"%c\x7e%b" % (TEXT_FRAME, length.to_bytes(2))
    return b"%c\x7f%b" % (TEXT_FRAME, length.to_bytes(8))


async def _until_cancelled(
    app: ASGI3Application, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Run the application until it ends, or until the server stops and cancels it."""
    with suppress(asyncio.CancelledError):
        await app(scope, receive, send)
