"""A small schema of its own in the real service, over HTTP and on a real server."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from uuid import UUID

import httpx
import pytest
import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.auth import make_token
from gateway.incoming.server import Server
from gateway.settings import Settings
from resolvers.refusals import EventFull, EventNotFound, Refused, Required
from resolvers.storage import OutcomeUnknown, Overloaded, Unavailable
from schema import DoneOnce
from schema.grammar.context import Info
from tests.conftest import SettableClock
from tests.gateway.migrating import drop_unused
from tests.listening import listening
from tests.patience import PATIENCE

SECRET = "a secret of thirty-two bytes, or more"

CLOSED: list[str] = []
"""The subscriptions whose generator was closed."""

GATES: list[asyncio.Event] = []
"""`held` and `hold` wait for the last one."""

HOLDING: list[str] = []
"""The mutations that wait at a gate."""


SHARED = RuntimeError("one read that failed for many fields")


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}"

    @strawberry.field
    async def held(self) -> bool:
        return await GATES[-1].wait()

    @strawberry.field
    def number(self, value: int) -> int:
        return value

    @strawberry.field
    def viewer(self, info: Info) -> str:
        return info.context.viewer.key

    @strawberry.field
    def again(self) -> "Query":
        return Query()

    @strawberry.field
    def refused(self) -> int | None:
        raise EventNotFound("input", "event", object_type="Event")

    @strawberry.field
    def refused_twice(self) -> int | None:
        raise Refused([Required("input", "name"), EventFull("input", capacity=3, taken=3)])

    @strawberry.field
    def overloaded(self) -> int | None:
        raise Overloaded

    @strawberry.field
    def unavailable(self) -> int | None:
        raise Unavailable

    @strawberry.field
    def outcome_unknown(self) -> int | None:
        raise OutcomeUnknown

    @strawberry.field
    def faulty(self) -> int | None:
        raise RuntimeError("the password is hunter2")

    @strawberry.field
    def shared(self) -> int | None:
        raise SHARED

    @strawberry.field
    def told(self) -> int | None:
        raise GraphQLError("Page too long", extensions={"code": "OUT_OF_RANGE"})

    @strawberry.field
    def null_where_none_may_be(self) -> int:
        return None  # type: ignore[return-value]

    @strawberry.field
    def out_of_range(self) -> int | None:
        return 2**40


@strawberry.type
class Mutation:
    @strawberry.mutation(extensions=[DoneOnce()])
    def touch(self) -> bool:
        return True

    @strawberry.mutation(extensions=[DoneOnce()])
    async def hold(self) -> bool:
        HOLDING.append("hold")
        await GATES[-1].wait()
        return True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def changes(self, info: Info) -> AsyncGenerator[int, None]:
        """One at once, then one for each wake-up."""
        watch = info.context.feed.watch(info.context.viewer.organization_id)
        try:
            seen = 0
            while True:
                yield seen
                await watch.changed()
                seen += 1
        finally:
            CLOSED.append("changes")

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("the password is hunter2")

    @strawberry.subscription
    async def refuses(self) -> AsyncGenerator[int, None]:
        if True:
            raise EventNotFound("after", object_type="Event")
        yield 1

    @strawberry.subscription
    async def large(self, times: int) -> AsyncGenerator[str, None]:
        for _ in range(times):
            yield "x" * 100_000

    @strawberry.subscription
    async def flood(self) -> AsyncGenerator[str, None]:
        """Large results without end."""
        try:
            while True:
                FLOODED.append(1)
                yield "x" * 100_000
        finally:
            CLOSED.append("flood")


FLOODED: list[int] = []
"""One for each result that the flood made."""

SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


@pytest.fixture(scope="session", autouse=True)
def unused_databases() -> Iterator[None]:
    """The databases that tests of migrations take turns with are dropped at the end."""
    yield
    drop_unused()


@pytest.fixture(autouse=True)
def forget_what_was_closed() -> None:
    CLOSED.clear()
    GATES.clear()
    HOLDING.clear()
    FLOODED.clear()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        jwt_secret=SECRET,
        allowed_hosts=("gateway",),
        max_body_bytes=300_000,
        max_wait_ms=PATIENCE * 1000,
        worker="off",
    )


@pytest.fixture
async def app(settings: Settings, clock: SettableClock) -> AsyncIterator[Starlette]:
    """The service, started."""
    made = create_app(settings, SCHEMA, clock=clock)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def token(organization_id: UUID, clock: SettableClock) -> str:
    """An administrator's token, for an hour."""
    return make_token(
        secret=SECRET,
        organization_id=organization_id,
        role="admin",
        subject="robot",
        now=clock.now,
        hours=1,
    )


@pytest.fixture
async def anonymous(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def client(anonymous: httpx.AsyncClient, token: str) -> httpx.AsyncClient:
    anonymous.headers["authorization"] = f"Bearer {token}"
    return anonymous


@pytest.fixture
async def server(app: Starlette) -> AsyncIterator[Server]:
    """A real server; a test calls `enforce_limits`, which it would call once a second."""
    async with listening(app) as (made, _):
        yield made


@pytest.fixture
def address(server: Server) -> str:
    """The host and port of the server."""
    host, port = server.servers[0].sockets[0].getsockname()
    return f"{host}:{port}"


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
