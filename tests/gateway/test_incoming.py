"""Limits of connections, by raw sockets to the gateway's own server; time is injected."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from gateway.incoming.limits import Limits, Occupancy, address_of
from gateway.incoming.open_sockets import UNREAD_BYTES
from gateway.incoming.protocol import LimitedProtocol
from gateway.incoming.server import Server
from gateway.security_headers import HEADERS
from gateway.serving import KEEP_ALIVE_SECONDS
from tests.gateway import conftest
from tests.listening import listening
from tests.patience import PATIENCE, UNHURRIED, eventually, several_turns

HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
QUERY = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
LIMITS = Limits()

RESULT_BYTES = 101_000
"""A frame with a result of `flood` is shorter."""

RECEIVED_BYTES = 256 * 1024
"""uvloop gives at most so many bytes at a time; the replies to them are not longer."""


@dataclass
class Client:
    """One raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def send_in_pieces(self, data: bytes, size: int) -> None:
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def response(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """The status, the headers and the body of the next response."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers[b"content-length"]))
        return int(status.split()[1]), headers, body

    async def code(self) -> tuple[int, str]:
        """The status of the next response and the code of its error."""
        status, _, body = await self.response()
        return status, orjson.loads(body)["errors"][0]["extensions"]["code"]

    async def is_closed(self) -> bool:
        """Wait until the server has closed the connection; whether it said nothing more."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    async def remains_open(self) -> bool:
        """Whether the server still answers on this connection, which is between two requests."""
        self.send(HEALTH + b"\r\n")
        return (await self.response())[0] == 200


@asynccontextmanager
async def socket_to(address: str, token: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket that is ready for operations."""
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    given = {"subprotocols": ["graphql-transport-ws"], **UNHURRIED, **options}
    async with connect(f"ws://{address}/graphql", **given) as socket:
        await socket.send(orjson.dumps(init).decode())
        assert "connection_ack" in str(await socket.recv())
        yield socket


class Listening:
    """A server, and the clients of a test."""

    def __init__(self, server: Server, address: str) -> None:
        self.server, self.address = server, address
        self._clients: list[Client] = []

    async def client(self, *, seen: bool = True) -> Client:
        """A connection that the server has seen, and has not closed at once."""
        host, _, port = self.address.partition(":")
        before = set(self.server.server_state.connections)
        self._clients.append(Client(*await asyncio.open_connection(host, int(port))))
        if seen:
            await eventually(lambda: set(self.server.server_state.connections) - before)
        return self._clients[-1]

    def later(self, seconds: float) -> None:
        """Enforce the limits as if so much time had passed."""
        self.server.enforce_limits(asyncio.get_running_loop().time() + seconds)

    @property
    def protocol(self) -> LimitedProtocol:
        [connection] = self.server.server_state.connections
        assert isinstance(connection, LimitedProtocol)
        return connection

    def end(self) -> None:
        for client in self._clients:
            client.writer.close()


@asynccontextmanager
async def serving(app: Starlette, limits: Limits = LIMITS) -> AsyncIterator[Listening]:
    options = {"finish_seconds": 0, "timeout_keep_alive": KEEP_ALIVE_SECONDS}
    async with listening(app, limits, **options) as (server, address):
        made = Listening(server, address)
        try:
            yield made
        finally:
            made.end()


@pytest.fixture
async def served(app: Starlette) -> AsyncIterator[Listening]:
    async with serving(app) as made:
        yield made


def head_of(size: int) -> bytes:
    """A request without a body, of this many bytes."""
    return HEALTH + b"x: " + b"y" * (size - len(HEALTH) - 7) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [64, 1_000, 1_000_000])
async def test_headers_have_at_most_32_kib(served: Listening, size: int):
    """However they arrive; and what follows a request on its connection counts anew."""
    client = await served.client()
    for _ in range(2):
        await client.send_in_pieces(head_of(32 * 1024), size)
        assert (await client.response())[0] == 200

    await client.send_in_pieces(head_of(32 * 1024 + 1), size)

    assert await client.code() == (431, "HEADERS_TOO_LARGE")
    assert await client.is_closed()


async def test_an_endless_line_is_given_up_at_the_limit(served: Listening):
    """No more of it than the limit is parsed, or copied."""
    client = await served.client()
    fed: list[int] = []
    parser = served.protocol.parser
    served.protocol.parser = Counting(parser, fed)  # type: ignore[assignment]

    client.send(HEALTH + b"x: " + b"y" * 500_000)

    assert await client.code() == (431, "HEADERS_TOO_LARGE")
    assert sum(fed) == 32 * 1024


class Counting:
    """A parser that notes how much it is given."""

    def __init__(self, parser: object, fed: list[int]) -> None:
        self._parser, self._fed = parser, fed

    def feed_data(self, data: bytes) -> None:
        self._fed.append(len(data))
        self._parser.feed_data(data)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._parser, name)


async def test_a_request_has_at_most_100_headers(served: Listening):
    client = await served.client()
    client.send(HEALTH + b"x: y\r\n" * 99 + b"\r\n")
    assert (await client.response())[0] == 200

    client.send(HEALTH + b"x: y\r\n" * 100 + b"\r\n")

    assert await client.code() == (431, "HEADERS_TOO_LARGE")
    assert await client.is_closed()


async def test_headers_are_complete_within_10_seconds(served: Listening):
    """Counted from their first byte; more bytes give no more time."""
    client = await served.client()
    client.send(HEALTH + b"x: y\r\n")
    await eventually(lambda: served.protocol.headers)
    served.later(9)
    client.send(b"x: y\r\n")
    await eventually(lambda: len(served.protocol.headers) == 2)

    served.later(10.1)

    assert await client.code() == (408, "REQUEST_TIMEOUT")
    assert await client.is_closed()


async def test_a_connection_without_a_request_closes_after_30_seconds(served: Listening):
    client = await served.client()
    served.later(29)
    assert not served.protocol.transport.is_closing()

    served.later(30.1)

    assert await client.is_closed()


async def test_an_idle_connection_closes_after_its_time(served: Listening):
    client = await served.client()
    assert await client.remains_open()
    served.later(KEEP_ALIVE_SECONDS - 1)
    assert await client.remains_open()

    served.later(KEEP_ALIVE_SECONDS + 0.1)

    assert await client.is_closed()


async def test_a_connection_is_idle_once_a_late_body_has_ended(app: Starlette):
    async with serving(app, Limits(body_seconds=2 * KEEP_ALIVE_SECONDS)) as served:
        client = await served.client()
        client.send(HEALTH + b"content-length: 8\r\n\r\nsome")
        await client.response()
        served.later(KEEP_ALIVE_SECONDS + 0.1)
        assert not served.protocol.transport.is_closing()
        client.send(b"more")

        def closes_if_idle() -> bool:
            served.later(KEEP_ALIVE_SECONDS + 0.1)
            return not served.server.server_state.connections

        await eventually(closes_if_idle)


async def test_empty_lines_are_no_request(served: Listening):
    client = await served.client()
    await client.send_in_pieces(b"\r\n" * 50_000, 10_000)

    served.later(30.1)

    assert await client.is_closed()


async def test_a_body_arrives_in_time_on_every_path(served: Listening):
    """A response that does not wait for the body does not let the body go on."""
    client = await served.client()
    client.send(HEALTH + b"content-length: 100\r\n\r\nsome")
    assert (await client.response())[0] == 200
    served.later(39)
    assert not served.protocol.transport.is_closing()

    served.later(40.1)

    assert await client.is_closed()


@pytest.mark.parametrize(
    "endless",
    [b"5;x=" + b"y" * 100_000, b"0\r\nx: " + b"y" * 100_000, b"0\r\n" + b"x: y\r\n" * 102],
    ids=["extension", "trailer", "trailers"],
)
async def test_what_is_around_chunks_is_limited(served: Listening, endless: bytes):
    client = await served.client()

    client.send(QUERY + b"transfer-encoding: chunked\r\n\r\n" + endless)

    # without a token, the endpoint may answer before the limit is reached
    status, _, _ = await client.response()
    assert status in {401, 431}
    assert await client.is_closed()


async def test_trailers_are_no_headers(served: Listening, token: str):
    client = await served.client()
    body = b'{"query": "{ hello }"}'
    chunk = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
    credential = b"authorization: Bearer " + token.encode() + b"\r\n\r\n"

    client.send(QUERY + b"transfer-encoding: chunked\r\n\r\n" + chunk + credential)

    assert await client.code() == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_an_operation_s_response_is_one_message(
    served: Listening, token: str, connection: str
):
    """It has the headers of every response, and the connection stays open as the client asks."""
    body = orjson.dumps({"query": "{ __typename }"})
    head = f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n"
    client = await served.client()

    client.send(QUERY + f"{head}connection: {connection}\r\n\r\n".encode() + body)
    status, headers, answered = await client.response()

    assert (status, orjson.loads(answered)) == (200, {"data": {"__typename": "Query"}})
    assert headers[b"content-type"] == b"application/json; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert {name.lower().encode() for name in HEADERS} <= headers.keys()
    if connection == "close":
        assert headers[b"connection"] == b"close"
        assert await client.is_closed()
    else:
        assert await client.remains_open()


async def test_pipelined_requests_are_answered_in_order_up_to_a_number(
    served: Listening, token: str, gate: asyncio.Event
):
    def query(text: str) -> bytes:
        body = orjson.dumps({"query": text})
        given = f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
        return QUERY + given.encode() + body

    client = await served.client()
    client.send(query("{ held }") + b"".join(query(f"{{ number(value: {n}) }}") for n in range(32)))
    await eventually(lambda: len(served.protocol.pipeline) == 32)
    gate.set()
    bodies = [orjson.loads((await client.response())[2])["data"] for _ in range(33)]
    assert bodies == [{"held": True}, *({"number": n} for n in range(32))]
    gate.clear()

    client.send(query("{ held }") + query("{ hello }") * 34)

    assert await client.is_closed()


async def test_the_newest_connection_above_a_limit_is_rejected(
    app: Starlette, token: str, caplog: pytest.LogCaptureFixture
):
    """WebSockets count too. One line a minute says how many were rejected."""
    limits = Limits(connections=3, connections_per_address=2)
    async with serving(app, limits) as served:
        first = await served.client()
        assert await first.remains_open()
        async with socket_to(served.address, token):
            for _ in range(3):
                rejected = await served.client(seen=False)
                status, headers, body = await rejected.response()
                assert (status, headers[b"retry-after"]) == (503, b"5")
                assert orjson.loads(body)["errors"][0]["extensions"]["code"] == "OVERLOADED"
                assert await rejected.is_closed()
            for seconds in (0, 1, 59):
                served.later(seconds)
            assert await first.remains_open()
        await eventually(lambda: served.server.server_state.occupancy.total == 1)
        assert await (await served.client()).remains_open()
        assert (await (await served.client(seen=False)).code())[0] == 503
        served.later(61)

    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == [
        "Rejected 3 connections: at most 3 may be open, and 2 of one address; 2 are open",
        "Rejected 1 connections: at most 3 may be open, and 2 of one address; 2 are open",
    ]


def test_the_total_and_each_address_have_limits():
    occupancy = Occupancy(Limits(connections=3, connections_per_address=2))

    entered = [occupancy.enter(address) for address in "aaabb"]
    occupancy.leave("a")

    assert entered == [True, True, False, True, False]
    assert occupancy.enter("b")
    assert not occupancy.enter("a")


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (None, ""),
        (("192.0.2.1", 1), "192.0.2.1"),
        (("::ffff:192.0.2.1", 1), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 1), "20010db800010002::"),
        (("2001:db8:1:2::9", 1), "20010db800010002::"),
    ],
)
def test_addresses_of_one_client_count_together(client: tuple[str, int] | None, address: str):
    assert address_of(client) == address


async def test_a_client_that_does_not_read_is_dropped(served: Listening):
    """One that reads slowly is not."""
    client = await served.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    client.send(b"GET /graphql/assets/main.js HTTP/1.1\r\nhost: localhost\r\n\r\n")
    await eventually(lambda: served.protocol.flow and served.protocol.flow.write_paused)
    served.later(0)
    served.later(29)
    assert not served.protocol.transport.is_closing()
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    async with asyncio.timeout(PATIENCE):
        await client.reader.readexactly(300_000)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    served.later(31)
    assert served.server.server_state.connections

    served.later(62)

    await eventually(lambda: not served.server.server_state.connections)


async def test_a_websocket_that_does_not_read_is_dropped(served: Listening, token: str):
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { flood }"}}
    async with socket_to(served.address, token, max_queue=1, compression=None) as socket:
        await socket.send(orjson.dumps(subscribe).decode())
        [connection] = served.server.server_state.connections
        await eventually(lambda: unread_bytes(connection) > UNREAD_BYTES)
        await several_turns(1_000)
        assert unread_bytes(connection) < UNREAD_BYTES + RESULT_BYTES  # it waits for its client
        served.later(0)
        served.later(31)
        await eventually(lambda: not served.server.server_state.connections)
        socket.transport.abort()  # or its close would wait for what it has not read
    await eventually(lambda: conftest.CLOSED == ["flood"])


async def test_a_websocket_that_does_not_read_is_not_read(served: Listening, token: str):
    """What waits for its client is bounded, however many messages it sends."""
    ping = Frame(Opcode.TEXT, orjson.dumps({"type": "ping"})).serialize(mask=True)
    async with socket_to(served.address, token, max_queue=1, compression=None) as socket:
        [connection] = served.server.server_state.connections
        sending = connection.transport.get_extra_info("socket")
        sending.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        socket.transport.pause_reading()
        socket.transport.write(50_000 * ping)

        await eventually(lambda: unread_bytes(connection) > UNREAD_BYTES)
        await several_turns(1_000)
        assert unread_bytes(connection) < UNREAD_BYTES + RECEIVED_BYTES

        socket.transport.abort()
    await eventually(lambda: not served.server.server_state.connections)


def unread_bytes(connection: Any) -> int:
    size: int = connection.transport.get_write_buffer_size()
    return size


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    """The code and the reason with which the server closes, whatever is on its way."""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass
    return socket.close_code, socket.close_reason


def message_of(size: int, kind: str = "ping") -> str:
    """A message of the protocol with so many bytes."""
    head = f'{{"type": "{kind}", "payload": {{"x": "'
    return head + "x" * (size - len(head) - 3) + '"}}'


def parts_of(message: str) -> list[str]:
    """The frames of a message."""
    return [message[start : start + 20_000] for start in range(0, len(message), 20_000)]


@pytest.fixture
async def unauthenticated(served: Listening) -> AsyncIterator[ClientConnection]:
    """A WebSocket whose client has said nothing yet."""
    options: dict[str, Any] = {"subprotocols": ["graphql-transport-ws"], **UNHURRIED}
    async with connect(f"ws://{served.address}/graphql", **options) as socket:
        yield socket


@pytest.fixture
async def authenticated(served: Listening, token: str) -> AsyncIterator[ClientConnection]:
    async with socket_to(served.address, token) as socket:
        yield socket


async def require_limit(socket: ClientConnection, most: int) -> None:
    """Require that a message has at most so many bytes, in one frame or in several."""
    for message in (message_of(most), parts_of(message_of(most))):
        await socket.send(message)
        assert "pong" in str(await asyncio.wait_for(socket.recv(), PATIENCE))

    await socket.send(parts_of(message_of(most + 1)))

    assert (await closed(socket))[0] == 1009


async def test_messages_have_at_most_256_kib(authenticated: ClientConnection):
    await require_limit(authenticated, 256 * 1024)


async def test_messages_before_authentication_have_at_most_64_kib(
    unauthenticated: ClientConnection,
):
    await require_limit(unauthenticated, 64 * 1024)


async def test_a_client_that_sends_much_too_much_reads_why_it_is_closed(
    served: Listening, authenticated: ClientConnection
):
    """The server discards what still arrives, and the client gets the close frame."""
    with suppress(ConnectionClosed):
        await authenticated.send(message_of(16 * 1024 * 1024))

    assert (await closed(authenticated))[0] == 1009
    await eventually(lambda: not served.server.server_state.connections)


async def test_a_message_has_at_most_1000_frames(authenticated: ClientConnection):
    """Frames without content are counted: each of them takes memory."""

    async def frames() -> AsyncIterator[str]:
        for _ in range(1_100):
            yield ""

    with suppress(ConnectionClosed):
        await authenticated.send(frames())

    assert await closed(authenticated) == (1009, "too many frames")


async def test_messages_are_not_compressed(authenticated: ClientConnection):
    """A client offers it, and a small frame could otherwise become a large message."""
    assert authenticated.protocol.extensions == []


@pytest.fixture
def gate() -> asyncio.Event:
    """What `{ held }` waits for."""
    conftest.GATES.append(asyncio.Event())
    return conftest.GATES[-1]


def held(token: str, query: str = "{ held }") -> bytes:
    body = orjson.dumps({"query": query})
    given = f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    return QUERY + given.encode() + body


async def test_a_stop_answers_what_is_in_flight(app: Starlette, token: str, gate: asyncio.Event):
    async with listening(app, finish_seconds=PATIENCE) as (server, address):
        served = Listening(server, address)
        client, idle = await served.client(), await served.client()
        client.send(held(token))
        await eventually(lambda: server.server_state.tasks)

        stopping = asyncio.create_task(server.shutdown())
        assert await idle.is_closed()
        gate.set()

        status, headers, body = await client.response()
        assert (status, body) == (200, b'{"data":{"held":true}}')
        assert headers[b"connection"] == b"close"
        assert await client.is_closed()
        await stopping
        served.end()


async def test_a_stop_that_cannot_wait_answers_with_503(
    served: Listening, token: str, gate: asyncio.Event, caplog: pytest.LogCaptureFixture
):
    """No traceback is logged, and no task is left that could use the storage."""
    client = await served.client()
    client.send(held(token))
    await eventually(lambda: served.server.server_state.tasks)

    await served.server.shutdown()

    assert not served.server.server_state.tasks
    status, headers, body = await client.response()
    assert (status, headers[b"retry-after"]) == (503, b"5")
    assert orjson.loads(body)["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert await client.is_closed()
    assert not caplog.records


async def test_a_mutation_that_a_stop_cancels_says_what_is_committed(
    served: Listening, token: str, gate: asyncio.Event
):
    client = await served.client()
    client.send(held(token, "mutation { first: touch second: hold third: touch }"))
    await eventually(lambda: conftest.HOLDING)

    await served.server.shutdown()

    status, _, body = await client.response()
    [error] = orjson.loads(body)["errors"]
    assert status == 503
    assert error["extensions"] == {
        "code": "OVERLOADED",
        "retryAfterSeconds": 5,
        "executed": ["first"],
        "interrupted": "second",
    }
    assert "their writes are committed: first. The writes of second may be" in error["message"]


async def test_a_stop_does_not_wait_for_clients_that_stall(
    served: Listening, token: str, caplog: pytest.LogCaptureFixture
):
    stalled, half, idle = [await served.client() for _ in range(3)]
    stalled.writer.transport.pause_reading()  # type: ignore[attr-defined]
    stalled.send(b"GET /graphql/assets/main.js HTTP/1.1\r\nhost: localhost\r\n\r\n")
    half.send(HEALTH)
    async with socket_to(served.address, token):
        await eventually(lambda: served.server.server_state.tasks)

        await served.server.shutdown()

        assert not served.server.server_state.connections
        assert not served.server.server_state.tasks
    assert await half.is_closed()
    assert await idle.is_closed()
    assert not caplog.records


FITTING = """
import logging, resource, sys
from gateway.incoming.open_files import connections_that_fit
logging.basicConfig(format="%(message)s", stream=sys.stdout)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 400))
for wanted in (100, 272, 2000):
    fitting = connections_that_fit(wanted, setting="GATEWAY_MAX_CONNECTIONS")
    print(fitting, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_connections_leave_room_for_other_files():
    """The soft limit of open files is raised as far as needed; what does not fit is logged."""
    ran = subprocess.run(
        [sys.executable, "-c", FITTING],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.splitlines() == [
        "100 228",
        "272 400",
        "The process may open 400 files, so at most 272 connections are accepted instead of 2000"
        " (GATEWAY_MAX_CONNECTIONS): raise the limit with `ulimit -n 2128`",
        "272 400",
    ]
