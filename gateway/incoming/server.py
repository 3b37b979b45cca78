"""The server: uvicorn with limits on connections, and a stop that answers what is in flight."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from gateway.incoming.limits import Limits
from gateway.incoming.protocol import LimitedProtocol, LimitedSocket, State

logger = logging.getLogger(__name__)

TICKS_PER_SECOND: Final = 10
"""uvicorn calls `on_tick` this often."""

FINISH_SECONDS: Final = 5.0
"""How long requests may take to end after the process was told to stop."""

CANCEL_SECONDS: Final = 2.0
"""How long the cancelled rest may take to end."""

POLL_SECONDS: Final = 0.02


class Config(uvicorn.Config):
    """What a server serves, and how; it can be sent to another process if its application can."""

    def __init__(
        self,
        app: ASGIApp | Callable[[], ASGIApp],
        limits: Limits,
        *,
        finish_seconds: float = FINISH_SECONDS,
        **options: Any,
    ) -> None:
        served: Any = app
        # a small compressed frame can become a large message, and each connection costs its tables
        options["ws_per_message_deflate"] = False
        super().__init__(served, http=LimitedProtocol, ws=LimitedSocket, **options)
        self.limits = limits
        self.finish_seconds = finish_seconds


class Server(uvicorn.Server):
    """Serves an application."""

    server_state: State

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = State(config.limits)
        self._finish_seconds = config.finish_seconds

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self.enforce_limits(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def enforce_limits(self, now: float) -> None:
        """Close the connections of clients that are overdue, and log what was rejected."""
        for connection in list(self.server_state.connections):
            assert isinstance(connection, LimitedProtocol | LimitedSocket)
            connection.close_overdue(now)
        self.server_state.occupancy.report(now)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what is in flight, and only then stop the application.

        What has not ended after `finish_seconds` is cancelled: it answers with 503, or drops its
        client if the response has begun. A second Ctrl-C cancels at once.
        """
        for listening in [*self.servers, *(sockets or ())]:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_until_idle(self._finish_seconds)
        for task in list(self.server_state.tasks):
            task.cancel()
        self.force_exit = False
        await self._wait_until_idle(CANCEL_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()

    async def _wait_until_idle(self, seconds: float) -> None:
        """Wait until no request runs and everything is sent, or until the time is over."""
        state, loop = self.server_state, asyncio.get_running_loop()
        end = loop.time() + seconds
        # uvicorn has no event for the end of a connection
        while (state.tasks or state.connections) and not self.force_exit and loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
