"""Clients that stop others: endless or unfinished requests, and readers that do not read."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Final

from websockets.exceptions import WebSocketException

from resolvers.change_reads import IN_COMMIT_ORDER
from tests.end_to_end.clients import client_of, socket_to
from tests.faults.load import Organization
from tests.faults.measuring import Fault, Scene

ATTACKER: Final = "127.0.0.2"
"""Hostile connections come from an address of their own, as they would from another machine."""

BEGINNING: Final = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Header: "
CHUNK: Final = b"a" * 65_536
AGAIN_SECONDS: Final = 0.02
ENDLESS_HEADERS: Final = 4
HALF_OPEN: Final = 2_000
STALLED: Final = 50
DOWNLOADS: Final = 8
SMALL_BUFFER: Final = 4_096
"""Bytes that a client's socket keeps: a client that does not read stops the server early."""

EVENTS: Final = 3_000
"""Of the victim, for long backlogs and files."""

WATCH: Final = """
    subscription Watch($after: String) {
        eventChanged(after: $after) {
            cursor type changedFields
            event { id title identifier version status centre { name } seats { taken free } }
        }
    }
"""
EXPORT: Final = "{ exportEvents(format: JSON) { url } }"


def hostile(
    attack: Callable[[Scene, int], Awaitable[None]], number: int
) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    """Run an attack that many times, until the end of the fault."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        raise_open_files()
        tasks = [asyncio.create_task(attack(scene, n)) for n in range(number)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        errors = [error for error in ended if isinstance(error, Exception)]
        assert not errors, errors[0]

    return inject


def raise_open_files() -> None:
    """Let this process have as many connections as the system permits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@asynccontextmanager
async def connection_to(
    scene: Scene, local: str = ATTACKER
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of a client that reads slowly."""
    host, _, port = scene.gateways[0].host.partition(":")
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    opened.setblocking(False)
    opened.bind((local, 0))
    try:
        await asyncio.get_running_loop().sock_connect(opened, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=opened, limit=SMALL_BUFFER)
    except BaseException:
        opened.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def endless_header(scene: Scene, _: int) -> None:
    """Send one header line without an end, again after each close."""
    while True:
        with suppress(OSError):
            async with connection_to(scene) as (_reader, writer):
                writer.write(BEGINNING)
                while True:
                    writer.write(CHUNK)
                    await writer.drain()
        await asyncio.sleep(AGAIN_SECONDS)


@asynccontextmanager
async def half_open(scene: Scene) -> AsyncIterator[None]:
    """Begin many requests, and finish none. A note says how many the gateway has closed."""
    raise_open_files()
    opened: list[socket.socket] = []
    host, _, port = scene.gateways[0].host.partition(":")

    def begin_requests() -> None:
        for _ in range(HALF_OPEN):
            with suppress(OSError):
                opened.append(begun((host, int(port))))

    try:
        await asyncio.to_thread(begin_requests)
        yield
        closed = sum(is_closed(each) for each in opened)
        scene.notes.append(f"{len(opened)} requests were begun, {closed} of them closed")
    finally:
        for each in opened:
            each.close()


def begun(address: tuple[str, int]) -> socket.socket:
    """A connection with the beginning of a request."""
    opened = socket.create_connection(address, source_address=(ATTACKER, 0))
    opened.sendall(BEGINNING)
    opened.setblocking(False)
    return opened


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended a connection, with an answer or without."""
    try:
        while connection.recv(SMALL_BUFFER):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


async def stalled_subscriber(scene: Scene, _: int) -> None:
    """Subscribe from the beginning of the log, and never read. Again after each close."""
    after = IN_COMMIT_ORDER.cursor(SimpleNamespace(position=1))
    while True:
        with suppress(OSError, WebSocketException):
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            opened.setblocking(False)
            host, _, port = scene.victim.host.partition(":")
            await asyncio.get_running_loop().sock_connect(opened, (host, int(port)))
            options = {"sock": opened, "max_queue": 1}
            async with socket_to(scene.victim.host, scene.victim.token, **options) as stalled:
                await stalled.subscribe(WATCH, after=after)
                await stalled.connection.wait_closed()
        await asyncio.sleep(1)


async def slow_download(scene: Scene, _: int) -> None:
    """Fetch a large file, and read a few bytes of it now and then."""
    while True:
        with suppress(OSError):
            url = await file_of(scene.victim)
            async with connection_to(scene) as (reader, writer):
                writer.write(f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                while await reader.read(10):  # noqa: ASYNC110 - this is what makes it slow
                    await asyncio.sleep(0.1)
        await asyncio.sleep(AGAIN_SECONDS)


async def file_of(organization: Organization) -> str:
    """The address of a file with all events of an organization."""
    async with client_of(organization.host, organization.token) as client:
        return str((await client.ask(EXPORT))["url"])


@asynccontextmanager
async def slow_downloads(scene: Scene) -> AsyncIterator[None]:
    """Meanwhile the neighbour downloads a file. A note says how long it took."""
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(hostile(slow_download, DOWNLOADS)(scene))
        await asyncio.sleep(1)  # until the downloads have begun
        began = time.monotonic()
        url = await file_of(scene.neighbour)
        async with client_of(scene.neighbour.host, scene.neighbour.token) as client:
            response = await client.http.get(url)
        seconds = time.monotonic() - began
        scene.notes.append(f"the neighbour's export: {response.status_code}, {seconds:.2f} s")
        yield


FAULTS: Final = [
    Fault(
        name=f"{ENDLESS_HEADERS} endless header lines",
        database="sqlite",
        inject=hostile(endless_header, ENDLESS_HEADERS),
    ),
    Fault(
        name=f"{HALF_OPEN} half-open requests",
        database="sqlite",
        inject=half_open,
        seconds=14,
    ),
    *(
        Fault(
            name=f"{STALLED} subscribers that read nothing of a backlog of {EVENTS}",
            database=database,
            inject=hostile(stalled_subscriber, STALLED),
            events=EVENTS,
        )
        for database in ("sqlite", "postgresql")
    ),
    Fault(
        name=f"{DOWNLOADS} slow downloads of a file of {EVENTS} events",
        database="postgresql",
        inject=slow_downloads,
        events=EVENTS,
    ),
]
