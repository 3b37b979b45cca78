"""A client that disconnects: its operation is cancelled, with its statement, and no other is."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
import strawberry
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from gateway.app import create_app
from gateway.disconnecting import ClientWatch
from gateway.settings import Settings
from resolvers.storage import Read
from schema.grammar.context import Info
from tests.conftest import SettableClock
from tests.patience import PATIENCE, UNHURRIED, eventually
from tests.resolvers.storage.test_stream import endless

SLEEP: Read[Any] = Read("test sleep", lambda _: sa.select(sa.func.pg_sleep(PATIENCE)))
SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


class Work:
    """What the operations of a test have begun, and which of them were cancelled."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0

    async def do(self, waited_for: Awaitable[Any]) -> bool:
        self.begun += 1
        try:
            await waited_for
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return True


WORK = Work()


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "Hello"

    @strawberry.field
    async def waits(self) -> bool:
        return await WORK.do(asyncio.Event().wait())

    @strawberry.field
    async def loads(self, info: Info) -> bool:
        async def load(keys: list[Any]) -> list[Any]:
            return [await WORK.do(asyncio.Event().wait()) for _ in keys]

        loader = info.context.loaders.batched("test", lambda: load)
        return bool(await loader.load(1))

    @strawberry.field
    async def reads(self, info: Info) -> bool:
        postgresql = info.context.storage.dialect_name == "postgresql"
        return await WORK.do(info.context.read(SLEEP if postgresql else endless()))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def events(self) -> AsyncGenerator[Query, None]:
        yield Query()


SCHEMA = strawberry.Schema(Query, subscription=Subscription)


@pytest.fixture(autouse=True)
def forget_work() -> None:
    WORK.begun = WORK.cancelled = 0


@pytest.fixture
async def app(settings: Settings, clock: SettableClock) -> AsyncIterator[Starlette]:
    made = create_app(settings, SCHEMA, clock=clock)
    async with made.router.lifespan_context(made):
        yield made


class Connection:
    """A client that writes its requests to the socket."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._token = address, token
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> "Connection":
        host, port = self._address.split(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    def ask(self, query: str) -> None:
        body = json.dumps({"query": query}).encode()
        self._send(body, len(body))

    def begin_body(self, *, announced: int, sent: int) -> None:
        """Send a part of a body that is announced to be larger."""
        self._send(b" " * sent, announced)

    def _send(self, body: bytes, length: int) -> None:
        lines = (
            "POST /graphql HTTP/1.1",
            "Host: gateway",
            f"Authorization: Bearer {self._token}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *("", ""),
        )
        self._writer.write("\r\n".join(lines).encode() + body)

    async def answer(self) -> Any:
        _, _, body = await self.response()
        return json.loads(body)

    async def response(self) -> tuple[int, str, bytes]:
        """The status, the headers in lower case, and the body of the next response."""
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r")[0])
            return int(head.split(" ")[1]), head, await self._reader.readexactly(length)

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionResetError):  # the server may have closed it with bytes unread
            await self._writer.wait_closed()


@pytest.mark.parametrize("query", ["{ waits }", "{ loads }"])
async def test_the_operation_of_a_disconnected_client_is_cancelled(
    address: str, token: str, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty at a time, while other clients are answered; nothing is logged."""
    gone = [await Connection(address, token).open() for _ in range(20)]
    for connection in gone:
        connection.ask(query)
    await eventually(lambda: WORK.begun == 20)

    for connection in gone:
        await connection.close()
    other = await Connection(address, token).open()
    other.ask("{ hello }")

    assert await other.answer() == {"data": {"hello": "Hello"}}
    await eventually(lambda: WORK.cancelled == 20)
    await other.close()
    assert caplog.records == []


@pytest.mark.both_databases
async def test_the_statement_of_a_disconnected_client_ends(
    address: str, token: str, database_url: str
) -> None:
    """On PostgreSQL the server shows it; on SQLite a thread that still ran would be waited for."""
    connection = await Connection(address, token).open()
    connection.ask("{ reads }")
    await eventually(lambda: WORK.begun == 1)
    if database_url.startswith("postgresql"):
        await sleeping(database_url, 1)

    await connection.close()

    await eventually(lambda: WORK.cancelled == 1)
    if database_url.startswith("postgresql"):
        await sleeping(database_url, 0)


async def sleeping(database_url: str, expected: int) -> None:
    """Wait until so many statements of the database sleep."""
    server = await asyncpg.connect(database_url)
    try:

        async def counted() -> bool:
            return await server.fetchval(SLEEPING) == expected

        await eventually(counted)
    finally:
        await server.close()


@pytest.mark.parametrize("query", ["{ waits }", "{ loads }", "subscription { events { waits } }"])
@pytest.mark.parametrize("completes", [True, False])
async def test_a_completed_or_closed_websocket_operation_is_cancelled(
    address: str, token: str, query: str, completes: bool
) -> None:
    options: Any = {"subprotocols": ["graphql-transport-ws"], **UNHURRIED}
    async with connect(f"ws://{address}/graphql", **options) as socket:
        payload = {"Authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert "connection_ack" in str(await socket.recv())
        asked = {"id": "1", "type": "subscribe", "payload": {"query": query}}
        await socket.send(json.dumps(asked))
        await eventually(lambda: WORK.begun == 1)
        if completes:
            await socket.send(json.dumps({"id": "1", "type": "complete"}))
            await eventually(lambda: WORK.cancelled == 1)
    await eventually(lambda: WORK.cancelled == 1)


async def test_a_slow_request_of_a_client_that_stays_is_answered(
    address: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the client has sent its next request on the same connection meanwhile."""
    released = asyncio.Event()
    watched: list[Any] = []
    begin = ClientWatch._begin
    monkeypatch.setattr(ClientWatch, "_begin", lambda watch: (begin(watch), watched.append(watch)))
    monkeypatch.setattr(WORK, "do", lambda waited_for: _released(waited_for, released))
    connection = await Connection(address, token).open()
    connection.ask("{ waits }")
    connection.ask("{ hello }")
    await eventually(lambda: watched)
    released.set()

    assert await connection.answer() == {"data": {"waits": True}}
    assert await connection.answer() == {"data": {"hello": "Hello"}}
    await connection.close()


async def _released(waited_for: Any, released: asyncio.Event) -> bool:
    waited_for.close()
    return await released.wait()
