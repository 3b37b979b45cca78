"""Wake-ups through LISTEN and NOTIFY, on a connection of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NoReturn

from gateway.wakeups.linked import Link, OpenLink
from resolvers.storage.limits import Connection, connect

CHANNEL: Final = "gateway_changes"
APPLICATION: Final = "booking-gateway wake-ups"
"""The name of the connection in pg_stat_activity."""

ANSWER_SECONDS: Final = 5.0
"""The timeout for the server to accept a hint. After that, the link counts as lost."""

CLOSING_SECONDS: Final = 0.5


class LinkLost(Exception):
    """The server has closed the connection."""


def linked_through_postgresql(url: str, *, seconds: float = ANSWER_SECONDS) -> OpenLink:
    """Opens links at an address, which must not be that of a pooler of transactions."""

    @asynccontextmanager
    async def open_link() -> AsyncIterator[Link]:
        connection = await connect(
            url,
            seconds=seconds,
            cached=0,
            application_name=APPLICATION,
            synchronous_commit="off",  # a NOTIFY holds a lock of the cluster until its commit
        )
        try:
            link = _Listening(connection, seconds)
            await link.listen()
            yield link
        finally:
            with suppress(Exception):
                await connection.close(timeout=CLOSING_SECONDS)

    return open_link


class _Listening:
    """A connection that listens."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._hints: asyncio.Queue[str | None] = asyncio.Queue()  # None once the connection is lost

    async def listen(self) -> None:
        self._connection.add_termination_listener(lambda _: self._hints.put_nowait(None))
        async with asyncio.timeout(self._seconds):
            await self._connection.add_listener(CHANNEL, self._received)

    async def send(self, hint: str) -> None:
        async with asyncio.timeout(self._seconds):
            await self._connection.execute(f"NOTIFY {CHANNEL}, '{hint}'")

    async def hear(self, heard: Callable[[str], None]) -> NoReturn:
        while (hint := await self._hints.get()) is not None:
            heard(hint)
        raise LinkLost

    def _received(self, _connection: Any, _pid: int, _channel: str, hint: object) -> None:
        self._hints.put_nowait(str(hint))
