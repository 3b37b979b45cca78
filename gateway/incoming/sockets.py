"""The handshake of WebSockets as uvicorn speaks it."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any, Final

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.incoming.limits import State, UnreadOutput, address_of
from gateway.incoming.open_sockets import OpenSocket

HAND_OVER: Final = "hand_over"
"""The function in the `state` of a WebSocket's scope that returns its `OpenSocket`.

The application calls it at once after it has accepted the connection, and returns: then the
connection goes on without a task.
"""


class _HandedOver(asyncio.Transport):
    """The transport of a handshake that has ended: uvicorn must not close the connection."""

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return True


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket until it is accepted. Its connection was counted before."""

    def __init__(
        self, config: Config, server_state: State, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = partial(_until_cancelled, self.app)
        self._state = server_state
        self._unread = UnreadOutput(server_state.limits)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.occupancy.leave(address_of(self.client))
        super().connection_lost(exc)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["state"][HAND_OVER] = self._hand_over
            self.transport.pause_reading()  # frames are for the one that it is handed over to

    def start_keepalive(self) -> None:
        """The connection is handed over, and pinged then."""

    def _hand_over(self) -> OpenSocket:
        socket = OpenSocket(self.transport, self._state, address_of(self.client))
        self.connections.discard(self)
        self.connections.add(socket)  # type: ignore[arg-type]
        self.transport.set_protocol(socket)
        self.transport.resume_reading()
        self.transport = _HandedOver()
        # without references in circles, everything of the handshake is freed at its end
        self.scope["state"].clear()
        self.conn.parser.close()
        return socket

    @property
    def is_subscriber(self) -> bool:
        """Whether its client should reconnect after a stop."""
        return False

    def restart(self) -> None:
        """Close at a stop, if the connection has not been accepted by then."""
        self.shutdown()

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


async def _until_cancelled(
    app: ASGI3Application, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Run the application until it ends, or until the server stops and cancels it."""
    with suppress(asyncio.CancelledError):
        await app(scope, receive, send)
