"""A gateway with its whole schema behind a port, real clients, and a small world to book in."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import strawberry

from gateway.auth import make_token
from resolvers.identity import global_id
from resolvers.storage import Clock, Storage, utc_now
from resolvers.viewer import Viewer
from schema import build_schema
from tests.end_to_end.clients import Client, Socket, client_of, socket_to
from tests.end_to_end.inputs import Examples
from tests.end_to_end.servers import SECRET, Server, serving
from tests.end_to_end.shared import SharedServer, shared_server
from tests.end_to_end.watching import Place
from tests.resolvers.world import World


@pytest.fixture
def clock() -> Clock:
    """Real time, which servers in processes of their own have too."""
    return utc_now


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    return build_schema()


@pytest.fixture(scope="session")
def shared(
    demo_template: Path, tmp_path_factory: pytest.TempPathFactory, schema: strawberry.Schema
) -> Iterator[SharedServer]:
    """The server of all tests that change nothing: they only read, or every request is refused."""
    copy = shutil.copy(demo_template, tmp_path_factory.mktemp("shared"))
    with shared_server(Path(copy), schema) as server:
        yield server


@pytest.fixture
async def shared_client(shared: SharedServer) -> AsyncIterator[Client]:
    """An administrator of the organization of the shared examples."""
    async with client_of(shared.server.host, shared.token()) as made:
        yield made


@pytest.fixture
def shared_examples(shared: SharedServer) -> Examples:
    """A valid input of every mutation; do not carry one out."""
    return shared.examples


Serve = Callable[..., Awaitable[Server]]


@pytest.fixture
async def serve(database_url: str, schema: strawberry.Schema) -> AsyncIterator[Serve]:
    """Start one more server on the test's database; it stops after the test."""
    async with AsyncExitStack() as servers:

        async def start(**settings: Any) -> Server:
            return await servers.enter_async_context(serving(database_url, schema, **settings))

        yield start


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve()


@pytest.fixture
def token_of(organization_id: UUID) -> Callable[..., str]:
    """Make a token, an administrator's for an hour unless said otherwise."""

    def make(**values: Any) -> str:
        given = {
            "organization_id": organization_id,
            "role": "admin",
            "hours": 1,
            "now": utc_now(),
            **values,
        }
        return make_token(secret=SECRET, **given)

    return make


@pytest.fixture
def token(token_of: Callable[..., str]) -> str:
    return token_of()


@pytest.fixture
async def client(server: Server, token: str) -> AsyncIterator[Client]:
    async with client_of(server.host, token) as made:
        yield made


ClientAs = Callable[..., Awaitable[Client]]


@pytest.fixture
async def client_as(server: Server, token_of: Callable[..., str]) -> AsyncIterator[ClientAs]:
    """Make a client with another token."""
    async with AsyncExitStack() as opened:

        async def made(**values: Any) -> Client:
            return await opened.enter_async_context(client_of(server.host, token_of(**values)))

        yield made


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    """What bookings need, made beside the servers."""
    return World(storage, viewer)


@pytest.fixture
async def examples(client: Client) -> Examples:
    """A valid input of every mutation, with what it is about."""
    return await Examples.made(client)


@pytest.fixture
async def place(world: World) -> Place:
    """Two events in one hall on the same day, and 210 candidates."""
    centre = await world.centre()
    where = {"centre": centre, "room": await world.room(centre, "Hall", capacity=1000)}
    events = [await world.event(start_at=world.tomorrow(hour), **where) for hour in (9, 15)]
    return Place(world, centre, ids("Event", events), ids("Candidate", await world.candidates(210)))


@pytest.fixture
async def socket(server: Server, token: str) -> AsyncIterator[Socket]:
    async with socket_to(server.host, token) as opened:
        yield opened


def ids(kind: str, keys: list[UUID]) -> list[str]:
    """The global ids of several objects of a type."""
    return [global_id(kind, key) for key in keys]
