"""The time that a statement on a connection to PostgreSQL may take."""

import asyncio
import socket
from types import TracebackType
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

STATEMENT_SECONDS = 10.0
CONNECT_SECONDS = 5.0
CLOSING_SECONDS = 2.0

LATE_SECONDS = 1.0
"""How much longer than the server the client waits.

The server ends a slow statement itself, and the connection stays usable. The client ends the
connection only if it hears nothing. If this process was stopped meanwhile, it reads the answer
first.
"""

KEEPALIVE_IDLE_SECONDS = 10
KEEPALIVE_INTERVAL_SECONDS = 5
KEEPALIVE_COUNT = 3
UNACKNOWLEDGED_MILLISECONDS = 15_000

SERVER_SETTINGS = {
    "jit": "off",
    "timezone": "UTC",
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE_SECONDS),
    "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(KEEPALIVE_COUNT),
    "tcp_user_timeout": str(UNACKNOWLEDGED_MILLISECONDS),
}
"""The settings of every session. With PostgreSQL's defaults, a server notices only after two hours
that a client's machine is gone."""


class Limit:
    """Terminates a connection if a statement takes too long: `with limit: await statement`.

    asyncpg's own `command_timeout` does not cover everything: it closes outdated prepared
    statements without a time limit.
    """

    __slots__ = (
        "_began_at",
        "_connection",
        "_is_running",
        "_loop",
        "_seconds",
        "_timer",
        "cancelled",
        "exceeded",
    )

    def __init__(self, connection: Connection, seconds: float) -> None:
        self.exceeded = False
        self.cancelled: BaseException | None = None  # the error of a statement that was too slow
        self._began_at = 0.0
        self._is_running = False
        self._connection = connection
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._began_at = self._loop.time()
        self._is_running = True
        if self._timer is None:
            # it outlives the statement: a timer for each statement costs more than a small read
            self._timer = self._loop.call_later(self._seconds, self._look)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_running = False
        if isinstance(error, asyncpg.QueryCanceledError) and self._is_over:
            self.cancelled = error

    @property
    def _is_over(self) -> bool:
        return self._loop.time() - self._began_at >= self._seconds

    def _look(self) -> None:
        """Look whether the statement that runs now has taken too long."""
        self._timer = None
        if not self._is_running:
            return
        left = self._began_at + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:  # its answer may have arrived while the event loop was busy
            self._timer = self._loop.call_later(LATE_SECONDS, self._end, self._began_at)

    def _end(self, began_at: float) -> None:
        """Terminate the connection unless the statement has ended meanwhile."""
        self._timer = None
        if not self._is_running:
            return
        if began_at != self._began_at:
            self._look()
            return
        self.exceeded = True
        self._connection.terminate()


async def connect(url: str, *, seconds: float, cached: int, **settings: str) -> Connection:
    """A connection whose two ends notice when the other one is gone.

    The server cancels a statement after `seconds`. Up to `cached` statements stay prepared.
    """
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        statement_cache_size=cached,
        server_settings={
            **SERVER_SETTINGS,
            "statement_timeout": str(round(seconds * 1000)),
            **settings,
        },
    )
    _detect_dead_peer(connection)
    return connection


def _detect_dead_peer(connection: Any) -> None:
    """Have the kernel end the connection if the server's machine does not answer any more."""
    opened = connection._transport.get_extra_info("socket")  # asyncpg has no option for this
    if opened is None or opened.family == socket.AF_UNIX:
        return
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MILLISECONDS),
    ):
        if hasattr(socket, name):  # not every system has all of them
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
