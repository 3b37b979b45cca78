"""The simple reference for bookings, for scale: a counter and one insert, and no rule.

Each request is a transaction of its own. Its two tables are in no other server's database.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from benchmarks.references.fair_booking import Pair, key_of
from benchmarks.references.tokens import Tokens
from resolvers.identity import global_id
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME
from resolvers.storage.sqlite import connect

CONNECTIONS: Final = 10
CREATE: Final = (
    """
    CREATE TABLE IF NOT EXISTS simple_counter (
        event_id {key} PRIMARY KEY, capacity integer NOT NULL, taken integer NOT NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS simple_booking (
        id {key} PRIMARY KEY, event_id {key} NOT NULL, candidate_id {key} NOT NULL
    )
    """,
    """
    INSERT INTO simple_counter SELECT id, coalesce(capacity_maximum, 100000), 0 FROM event
    WHERE true ON CONFLICT DO NOTHING
    """,
)
BOOK: Final = """
    WITH taken AS (
        UPDATE simple_counter SET taken = taken + 1 WHERE event_id = $2 AND taken < capacity
        RETURNING event_id
    )
    INSERT INTO simple_booking SELECT $1, event_id, $3 FROM taken RETURNING id
"""
TAKE: Final = """
    UPDATE simple_counter SET taken = taken + 1 WHERE event_id = ? AND taken < capacity
"""
INSERT: Final = "INSERT INTO simple_booking VALUES (?, ?, ?)"


class Database(Protocol):
    """Where bookings are written."""

    def open(self) -> AbstractAsyncContextManager[None]: ...
    async def book(self, key: UUID, pair: Pair) -> bool: ...


class Postgres:
    """asyncpg's own pool."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        pool = asyncpg.create_pool(
            self._url,
            min_size=CONNECTIONS,
            max_size=CONNECTIONS,
            server_settings={"jit": "off", "plan_cache_mode": "force_generic_plan"},
            reset=_nothing,
        )
        async with pool as self._pool:
            for statement in CREATE:
                await self._pool.execute(statement.format(key="uuid"))
            yield

    async def book(self, key: UUID, pair: Pair) -> bool:
        async with self._pool.acquire() as connection:
            booked: Any = await connection.fetchval(BOOK, key, *pair)
            return booked is not None


async def _nothing(_: Any) -> None: ...


class Sqlite:
    """One connection in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "writer")
        self._connection: sqlite3.Connection

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._connection = connect(self._path)
        for statement in CREATE:
            self._connection.execute(statement.format(key="text"))
        yield
        self._thread.shutdown()
        self._connection.close()

    async def book(self, key: UUID, pair: Pair) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transaction, key, pair)

    def _transaction(self, key: UUID, pair: Pair) -> bool:
        event, candidate = pair
        self._connection.execute("BEGIN IMMEDIATE")
        taken = self._connection.execute(TAKE, (event.hex,)).rowcount == 1
        if taken:
            self._connection.execute(INSERT, (key.hex, event.hex, candidate.hex))
        self._connection.execute("COMMIT")
        return taken


class Routes:
    """From a request to a response."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database, self._tokens = database, tokens

    async def book(self, request: Request) -> Response:
        self._tokens.caller(request.headers.get("authorization"))
        given = orjson.loads(await request.body())["variables"]["input"]
        key = uuid7()
        pair = key_of(given["event"], "Event"), key_of(given["candidate"], "Candidate")
        booked = await self._database.book(key, pair)
        enrolment = {"id": global_id("Enrolment", key)} if booked else None
        payload = {"enrolment": enrolment, "refusals": []}
        return Response(
            orjson.dumps({"data": {"bookEnrolment": payload}}), media_type="application/json"
        )


def create(database_url: str, secret: str) -> Starlette:
    """The route over the database at an address."""
    database: Database = (
        Postgres(database_url)
        if database_url.startswith(POSTGRESQL_SCHEME)
        else Sqlite(Path(database_url.removeprefix(SQLITE_SCHEME)))
    )
    routes = Routes(database, Tokens(secret))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.open():
            yield

    return Starlette(routes=[Route("/graphql", routes.book, methods=["POST"])], lifespan=lifespan)
