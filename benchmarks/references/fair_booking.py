"""The fair reference for bookings: a route by hand that does what an ordinary booking needs.

It checks the rules of `bookEnrolment` (booking_rules.py), writes the same rows as the gateway, and
returns the same response. Requests that arrive during a transaction are the next one.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.booking_requests import BOOK
from benchmarks.references.booking_rules import Draft, Refusal, Unsupported, answer
from benchmarks.references.fair_postgresql import Postgres
from benchmarks.references.fair_sqlite import Sqlite
from benchmarks.references.tokens import Caller, Tokens
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME

AT_ONCE: Final = 64
"""The most bookings of one transaction, as in the gateway."""

Pair = tuple[UUID, UUID]
"""The keys of an event and a candidate."""

Result = Draft | list[Refusal]


class Database(Protocol):
    """Where bookings are written."""

    def open(self) -> AbstractAsyncContextManager[None]: ...
    async def book(self, caller: Caller, pairs: Sequence[Pair]) -> list[Result]: ...


class Waiting(NamedTuple):
    """A request that waits for its transaction."""

    caller: Caller
    pair: Pair
    result: "asyncio.Future[Result]"


class Batches:
    """One transaction at a time; requests that arrive meanwhile are the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def book(self, caller: Caller, pair: Pair) -> Result:
        """Book a seat. Returns after the commit. Raises: Unsupported."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(caller, pair, result))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        while self._waiting:
            caller = self._waiting[0].caller
            batch = [one for one in self._waiting if one.caller == caller][:AT_ONCE]
            taken = set(map(id, batch))
            self._waiting = [one for one in self._waiting if id(one) not in taken]
            try:
                results = await self._database.book(caller, [one.pair for one in batch])
            except Exception as error:
                for one in batch:
                    one.result.set_exception(error)
            else:
                for one, result in zip(batch, results, strict=True):
                    one.result.set_result(result)
        self._running = None


class Routes:
    """From a request to a response."""

    def __init__(self, batches: Batches, tokens: Tokens) -> None:
        self._batches, self._tokens = batches, tokens

    async def book(self, request: Request) -> Response:
        caller = self._tokens.caller(request.headers.get("authorization"))
        asked = orjson.loads(await request.body())
        if asked["query"] != BOOK:
            raise HTTPException(400, "another document")
        given = asked["variables"]["input"]
        pair = key_of(given["event"], "Event"), key_of(given["candidate"], "Candidate")
        try:
            result = await self._batches.book(caller, pair)
        except Unsupported as error:
            raise HTTPException(501, str(error)) from error
        return Response(answer(result), media_type="application/json")


def key_of(reference: dict[str, Any], type_name: str) -> UUID:
    """The key in a reference by global id. Raises: HTTPException."""
    try:
        named, _, digits = b64decode(reference["id"], validate=True).decode().partition(":")
        key = UUID(digits)
    except (KeyError, ValueError):
        raise HTTPException(400, "not an id") from None
    if named != type_name:
        raise HTTPException(400, f"not the id of a {type_name}")
    return key


def create(database_url: str, secret: str) -> Starlette:
    """The route over the database at an address."""
    database: Database = (
        Postgres(database_url)
        if database_url.startswith(POSTGRESQL_SCHEME)
        else Sqlite(Path(database_url.removeprefix(SQLITE_SCHEME)))
    )
    routes = Routes(Batches(database), Tokens(secret))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.open():
            yield

    return Starlette(routes=[Route("/graphql", routes.book, methods=["POST"])], lifespan=lifespan)
