"""Keeps a server busy: requests that are ready as bytes, over a number of open connections.

It does as little as it can for each response (one core is all it has): status, length, beginning.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.servers import Server

PATIENCE_SECONDS: Final = 120
LENGTH: Final = b"content-length: "
DATA: Final = b'{"data":'
ERRORS: Final = b'"errors":'
"""What the documents ask for is called otherwise."""


class Unanswered(Exception):
    """A server answered with something else than data. The message is what it answered."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a number of requests took."""

    requests: int
    cpu_seconds: float
    seconds: float

    @property
    def cpu_milliseconds(self) -> float:
        """Of the server's process, for each request."""
        return 1000 * self.cpu_seconds / self.requests

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


async def cost_of(
    server: Server,
    requests: Iterable[bytes],
    connections: int,
    *,
    proof: bytes = DATA,
    seconds_of: list[float] | None = None,
) -> Cost:
    """Ask everything over that many connections; what it costs until the last answer is there.

    Each response must contain `proof`. The seconds that each took are appended to `seconds_of`.
    Raises: Unanswered.
    """
    waiting = iter(requests)
    opened = [await _open(server, waiting) for _ in range(connections)]
    for one in opened:
        one.proof, one.seconds_of = proof, seconds_of
    cpu, began = server.cpu_seconds(), time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for one in opened:
                one.ask_next()
            await asyncio.gather(*(one.finished for one in opened))
        seconds, cpu = time.perf_counter() - began, server.cpu_seconds() - cpu
    finally:
        for one in opened:
            one.close()
    return Cost(sum(one.answered for one in opened), cpu, seconds)


async def answers(server: Server, requests: Iterable[bytes]) -> list[bytes]:
    """The body of each answer, in order. Raises: Unanswered."""
    one = await _open(server, iter(requests))
    one.kept = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            one.ask_next()
            await one.finished
    finally:
        one.close()
    return one.kept


@asynccontextmanager
async def asking(
    server: Server, requests: Iterable[bytes], *, pause_seconds: float
) -> AsyncIterator[list[float]]:
    """One client that asks, pauses, and asks again; the seconds that each response took.

    Raises: Unanswered, at the end.
    """
    one = await _open(server, iter(requests))
    one.pause_seconds, one.seconds_of = pause_seconds, []
    one.ask_next()
    try:
        yield one.seconds_of
        if one.finished.done():
            one.finished.result()
    finally:
        one.finished.cancel()  # from here on, nothing waits for it
        one.close()


class _Connection(asyncio.Protocol):
    """One connection: a request, its response, the next request."""

    def __init__(self, waiting: Iterator[bytes]) -> None:
        self.answered = 0
        self.kept: list[bytes] | None = None
        self.proof = DATA
        self.seconds_of: list[float] | None = None
        self.pause_seconds = 0.0
        self._asked_at = 0.0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def ask_next(self) -> None:
        if self._transport.is_closing():
            return
        request = next(self._waiting, None)
        if request is not None:
            self._asked_at = time.perf_counter()
            self._transport.write(request)
        elif not self.finished.done():
            self.finished.set_result(None)

    def data_received(self, received: bytes) -> None:
        whole = self._received = self._received + received if self._received else received
        end = whole.find(b"\r\n\r\n") + 4
        if end < 4 or len(whole) < end + _length(whole, end):
            return
        if not whole.startswith(b"HTTP/1.1 200") or ERRORS in whole or self.proof not in whole:
            self._fail(Unanswered(whole[:2000].decode(errors="replace")))
            return
        if self.seconds_of is not None:
            self.seconds_of.append(time.perf_counter() - self._asked_at)
        if self.kept is not None:
            self.kept.append(whole[end:])
        self._received = b""
        self.answered += 1
        if self.pause_seconds:
            asyncio.get_running_loop().call_later(self.pause_seconds, self.ask_next)
        else:
            self.ask_next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(Unanswered(f"the server has closed the connection: {error}"))

    def close(self) -> None:
        self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)


def _length(whole: bytes, end: int) -> int:
    start = whole.find(LENGTH, 0, end) + len(LENGTH)
    return int(whole[start : whole.find(b"\r", start)])


async def _open(server: Server, waiting: Iterator[bytes]) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: _Connection(waiting), "127.0.0.1", server.port
    )
    return connection
