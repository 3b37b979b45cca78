"""Many WebSockets with one subscription each, which do as little as they can for each message."""

import asyncio
import gc
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson

from benchmarks.servers import Server

PATIENCE_SECONDS: Final = 120
OPENING: Final = 100
"""So many connections are opened at the same time."""

PER_ADDRESS: Final = 10_000
"""The local ports of one address do not suffice for more connections."""

UPGRADE: Final = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
PING: Final = 0x9
TEXT: Final = 0x1


class UnexpectedFrame(Exception):
    """A server sent something other than results. The message is what it sent."""


class Watcher(asyncio.Protocol):
    """One connection. `arrivals` has the time of each result, as `time.perf_counter` counts."""

    def __init__(self, begin: Sequence[bytes]) -> None:
        self.arrivals: list[float] = []
        self.last = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._begin = begin
        self._received = b""
        self._is_upgraded = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(UPGRADE)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_upgraded:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                self._fail(head)
                return
            self._is_upgraded, self._received = True, rest
            self._send(self._begin[:1])  # the others wait for its acknowledgement
            if not self._begin:
                self.opened.set_result(None)
        while (found := _first_frame(self._received)) is not None:
            opcode, payload, self._received = found
            self._frame(opcode, payload)

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.transport.write(_frame(0xA, payload))
        elif opcode != TEXT:
            self._fail(payload)
        elif b'"type":"next"' in payload:
            self.arrivals.append(time.perf_counter())
            self.last = payload
        elif b'"pong"' in payload:
            self.opened.set_result(None)
        elif b'"connection_ack"' in payload:
            self._send(self._begin[1:])
        else:
            self._fail(payload)

    def _send(self, texts: Sequence[bytes]) -> None:
        self.transport.write(b"".join(_frame(TEXT, text) for text in texts))

    def _fail(self, received: bytes) -> None:
        if not self.opened.done():
            self.opened.set_exception(UnexpectedFrame(received[:500].decode(errors="replace")))

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(b"the connection was closed")


def subscribing(token: str, query: str, variables: dict[str, Any], identifier: str) -> list[bytes]:
    """The messages that begin a subscription; a pong says that the server has read them."""
    return [
        orjson.dumps(message)
        for message in (
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}},
            {
                "type": "subscribe",
                "id": identifier,
                "payload": {"query": query, "variables": variables},
            },
            {"type": "ping"},
        )
    ]


@asynccontextmanager
async def watching(server: Server, each: Sequence[Sequence[bytes]]) -> AsyncIterator[list[Watcher]]:
    """A connection for each of these beginnings. Raises: UnexpectedFrame."""
    watchers: list[Watcher] = []
    loop = asyncio.get_running_loop()
    try:
        for start in range(0, len(each), OPENING):
            some = []
            for n, begin in enumerate(each[start : start + OPENING], start):
                address = (f"127.0.0.{2 + n // PER_ADDRESS}", 0)
                _, watcher = await loop.create_connection(
                    lambda begin=begin: Watcher(begin),  # type: ignore[misc]
                    "127.0.0.1",
                    server.port,
                    local_addr=address,
                )
                some.append(watcher)
            watchers += some
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*(watcher.opened for watcher in some))
        gc.freeze()  # or a collection of the clients' objects would slow those that book
        yield watchers
    finally:
        gc.unfreeze()
        for watcher in watchers:
            watcher.transport.abort()


async def all_have(watchers: Sequence[Watcher], count: int) -> None:
    """Return once each has so many results. Raises: TimeoutError."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        # nothing says when the last has arrived
        while any(len(watcher.arrivals) < count for watcher in watchers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _frame(opcode: int, payload: bytes) -> bytes:
    """A frame with a mask of zeros, which changes nothing and costs nothing."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    else:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    return head + bytes(4) + payload


def _first_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame's opcode and payload, and what follows it; None until it is complete."""
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length == 126:
        if len(data) < 4:
            return None
        length, start = int.from_bytes(data[2:4]), 4
    elif length == 127:
        if len(data) < 10:
            return None
        length, start = int.from_bytes(data[2:10]), 10
    end = start + length
    if len(data) < end:
        return None
    return data[0] & 0x0F, data[start:end], data[end:]
