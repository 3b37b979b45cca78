"""The server: uvicorn with limits on connections, and a stop that answers what is in flight."""

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from gateway.incoming.limits import Limits, State
from gateway.incoming.open_sockets import OpenSocket
from gateway.incoming.protocol import LimitedProtocol
from gateway.incoming.sockets import LimitedSocket
from gateway.stopping import StopTimes, exit_after

logger = logging.getLogger(__name__)

Connection = LimitedProtocol | LimitedSocket | OpenSocket

TICKS_PER_SECOND: Final = 10
"""uvicorn calls `on_tick` this often."""

STOP_SECONDS: Final = 20.0
"""How long a stop may take by default."""

LEFT: Final = 0.975
"""The part of that time after which the process ends in any case."""

RESTARTS_PER_SECOND: Final = 500
"""How many subscribers are sent away in a second at a stop, so that they do not reconnect at once.

If there are more than fit into the time for requests, they are sent away faster.
"""

SPREAD: Final = 0.8
"""The part of the time for requests in which subscribers are sent away."""

POLL_SECONDS: Final = 0.02


class Config(uvicorn.Config):
    """What a server serves, and how; it can be sent to another process if its application can."""

    def __init__(
        self,
        app: ASGIApp | Callable[[], ASGIApp],
        limits: Limits,
        *,
        stop_seconds: float = STOP_SECONDS,
        finish_seconds: float | None = None,
        **options: Any,
    ) -> None:
        served: Any = app
        # a small compressed frame can become a large message, and each connection costs its tables
        options["ws_per_message_deflate"] = False
        super().__init__(served, http=LimitedProtocol, ws=LimitedSocket, **options)
        self.limits = limits
        self.stop_seconds = stop_seconds
        times = StopTimes.within(stop_seconds)
        self.finish_seconds = times.requests if finish_seconds is None else finish_seconds
        self.cancel_seconds = times.cancelled


class Server(uvicorn.Server):
    """Serves an application."""

    server_state: State

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = State(config.limits)
        self._stop_seconds = config.stop_seconds
        self._finish_seconds = config.finish_seconds
        self._cancel_seconds = config.cancel_seconds

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self.enforce_limits(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def enforce_limits(self, now: float) -> None:
        """Close the connections of clients that are overdue, and log what was rejected."""
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Connection)
            connection.close_overdue(now)
        self.server_state.occupancy.report(now)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, because of a signal."""
        if not self.should_exit:
            exit_after(LEFT * self._stop_seconds)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what is in flight, and only then stop the application.

        Subscribers are sent away one after another, so that they do not reconnect all at once. What
        has not ended after `finish_seconds` is cancelled: it answers with 503, or drops its client
        if the response has begun. A second Ctrl-C cancels at once.
        """
        for listening in [*self.servers, *(sockets or ())]:
            listening.close()
        self._stop_connections()
        await self._wait_until_idle(self._finish_seconds)
        for connection in list(self.server_state.connections):
            if isinstance(connection, LimitedSocket | OpenSocket):
                connection.restart()
        for task in list(self.server_state.tasks):
            task.cancel()
        self.force_exit = False
        await self._wait_until_idle(self._cancel_seconds)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()

    def _stop_connections(self) -> None:
        """Let each connection end when it is idle; those of subscribers spread over some time."""
        subscribers: list[Connection] = []
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Connection)
            if connection.is_subscriber:
                subscribers.append(connection)
            else:
                connection.shutdown()
        random.shuffle(subscribers)
        spread = min(SPREAD * self._finish_seconds, len(subscribers) / RESTARTS_PER_SECOND)
        loop = asyncio.get_running_loop()
        for n, subscriber in enumerate(subscribers):
            loop.call_later(spread * n / len(subscribers), self._stop_subscriber, subscriber)

    def _stop_subscriber(self, connection: Connection) -> None:
        if connection in self.server_state.connections:
            connection.shutdown()

    async def _wait_until_idle(self, seconds: float) -> None:
        """Wait until no request runs and everything is sent, or until the time is over."""
        state, loop = self.server_state, asyncio.get_running_loop()
        end = loop.time() + seconds
        # uvicorn has no event for the end of a connection
        while (state.tasks or state.connections) and not self.force_exit and loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
