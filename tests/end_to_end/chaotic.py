"""Servers that are killed, and clients that disconnect, resume and pause at random."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.end_to_end.clients import socket_to
from tests.end_to_end.servers import process_of
from tests.patience import PATIENCE
from tests.processes import Process
from tests.streaming import EVENTS, Streamed

CHANGED: Final = """
    subscription ($filter: BookingFilter, $types: [ChangeType!], $after: String) {
        bookingChanged(filter: $filter, types: $types, after: $after) { cursor type }
    }
"""
WIDE: Final = CHANGED.replace("type }", " ".join(f"t{n}: type a{n}: at" for n in range(80)) + " }")
"""Results of some 4 KB: they soon fill the buffers of a client that pauses."""

RECEIVE_BYTES: Final = 32_768
"""The size of a client's receive buffer."""

SEND_BYTES: Final = 16_384
"""The size of a server's send buffer, for each connection."""

CUT_OFF: Final = (
    httpx.TransportError,
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    EOFError,
    OSError,
)
"""What a client sees of a process that was killed."""

TRANSIENT: Final = {"SUBSCRIBER_TOO_SLOW", "OVERLOADED", "OUTCOME_UNKNOWN"}
"""Codes after which a client tries again."""


class TryAgain(Exception):
    """The server refuses for the moment, or the connection was cut off."""


class Address:
    """A port at which one process after another listens; in between, connections wait."""

    def __init__(self, database_url: str, stack: ExitStack) -> None:
        self._database_url = database_url
        self._socket = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        # the kernel of a server that writes to a client that pauses holds little
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self._running = stack.enter_context(ExitStack())
        self._process = self._started()
        self.host = "{}:{}".format(*self._socket.getsockname())
        self.deaths = 0

    async def kill(self) -> None:
        """Kill the process with SIGKILL, and start the next one."""
        ended = await asyncio.to_thread(self._process.end, signal.SIGKILL)
        assert ended.code == -signal.SIGKILL, ended
        self.deaths += 1
        self._process = self._started()

    def _started(self) -> Process:
        return self._running.enter_context(process_of(self._socket, self._database_url))


class Progress:
    """How many changes were made; tasks wait until a number of them is reached."""

    def __init__(self) -> None:
        self.made = 0
        self._grown = asyncio.Condition()

    async def add(self) -> None:
        async with self._grown:
            self.made += 1
            self._grown.notify_all()

    async def reached(self, made: int) -> None:
        async with self._grown:
            await self._grown.wait_for(lambda: self.made >= made)


class Connect(Protocol):
    """Yields the cursors of a subscription, until the connection is cut off."""

    def __call__(
        self, host: str, watch: "Watch", after: str, ready: Callable[[], Any]
    ) -> AsyncGenerator[str, None]: ...


@dataclass(frozen=True)
class Watch:
    """Who subscribes to what."""

    token: str
    document: str = CHANGED
    variables: dict[str, Any] = field(default_factory=dict)


async def by_websocket(
    host: str, watch: Watch, after: str, ready: Callable[[], Any]
) -> AsyncGenerator[str, None]:
    """The cursors that a WebSocket receives; `ready` is awaited before each is read."""
    async with AsyncExitStack() as stack:
        client = small_socket()
        stack.callback(client.close)
        await asyncio.get_running_loop().sock_connect(client, address_of(host))
        one = await stack.enter_async_context(
            socket_to(host, watch.token, sock=client, max_queue=2, close_timeout=0)
        )
        stack.callback(one.connection.transport.abort)  # a closing handshake would read the rest
        await one.subscribe(watch.document, after=after, **watch.variables)
        while True:
            await ready()
            message = await one.message()
            yield cursor_in(message["payload"], is_last=message["type"] != "next")


async def by_events(
    host: str, watch: Watch, after: str, ready: Callable[[], Any]
) -> AsyncGenerator[str, None]:
    """The same by server-sent events, which resume by the header `Last-Event-ID`."""
    headers = {
        "authorization": f"Bearer {watch.token}",
        "accept": EVENTS,
        "last-event-id": after,
    }
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)]
    asked = {"query": watch.document, "variables": watch.variables}
    transport = httpx.AsyncHTTPTransport(socket_options=options, verify=False)
    async with (
        httpx.AsyncClient(transport=transport, timeout=PATIENCE, headers=headers) as client,
        client.stream("POST", f"http://{host}/graphql", json=asked) as response,
    ):
        stream = Streamed(response)
        while True:
            await ready()
            event = await stream.event()
            if event.event == "complete":
                raise TryAgain
            yield cursor_in(event.data)


def small_socket() -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    client.setblocking(False)
    return client


def address_of(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return name, int(port)


def cursor_in(payload: Any, *, is_last: bool = False) -> str:
    """The cursor of a result. Raises: TryAgain, for an error that passes."""
    errors = payload if is_last else payload.get("errors", [])
    if errors:
        assert {error["extensions"]["code"] for error in errors} <= TRANSIENT, errors
        raise TryAgain
    return str(payload["data"]["bookingChanged"]["cursor"])


class Subscriber:
    """A client that receives every change once, however often it is cut off."""

    def __init__(
        self,
        watch: Watch,
        connect: Connect,
        hosts: Sequence[str],
        progress: Progress,
        chance: Random,
        *,
        start: str,
    ) -> None:
        self.watch = watch
        self.received: list[str] = []
        self.connections = 0
        self._connect = connect
        self._hosts = hosts
        self._progress = progress
        self._chance = chance
        self._start = start
        self._paused_until = 0
        self._connection: asyncio.Task[None] | None = None
        self._last: str | None = None

    def pause_until(self, made: int) -> None:
        """Read nothing until so many changes were made."""
        self._paused_until = made

    def disconnect(self) -> None:
        """Cut the connection; the next one resumes after the last cursor."""
        if self._connection is not None:
            self._connection.cancel()

    def finish(self, last: str) -> None:
        """End once this cursor was received."""
        self._last = last
        if self._has_all():
            self.disconnect()

    async def run(self) -> None:
        """Connect again and again, to a random process, until the last cursor was received."""
        while not self._has_all():
            self.connections += 1
            self._connection = asyncio.create_task(self._receive())
            await asyncio.wait([self._connection])
            if not self._connection.cancelled():
                self._connection.result()

    def _has_all(self) -> bool:
        return self._last is not None and self.received[-1:] == [self._last]

    async def _receive(self) -> None:
        host = self._chance.choice(self._hosts)
        after = self.received[-1] if self.received else self._start
        try:
            async with aclosing(self._connect(host, self.watch, after, self._ready)) as cursors:
                async for cursor in cursors:
                    self.received.append(cursor)
                    if self._has_all():
                        return
        except (TryAgain, *CUT_OFF):
            pass

    async def _ready(self) -> None:
        await self._progress.reached(self._paused_until)
