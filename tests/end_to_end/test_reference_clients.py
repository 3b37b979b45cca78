"""Subscriptions with the clients that others use: from npm, and gql of Python.

`make clients` installs those of npm into a folder and names it in GATEWAY_TEST_NPM.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gql import Client as GqlClient
from gql import GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

from resolvers.identity import parse_global_id
from tests.end_to_end.clients import Client, client_of
from tests.end_to_end.servers import Server, process_at
from tests.end_to_end.watching import CURSORS, Place, booked, end_of_log, logged, newest
from tests.patience import PATIENCE

NPM = os.environ.get("GATEWAY_TEST_NPM")
SCRIPTS = ("graphql_ws", "graphql_sse", "apollo", "urql")

needs_npm = pytest.mark.skipif(NPM is None, reason="run `make clients` to test npm's clients")


@asynccontextmanager
async def printing(script: str, *arguments: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """A script of the folder npm, and what reads the next line that it prints."""
    assert NPM is not None
    process = await asyncio.create_subprocess_exec(
        *("node", str(Path(NPM) / f"{script}.mjs"), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout

    async def line() -> str:
        async with asyncio.timeout(PATIENCE):
            return (await output.readline()).decode().strip()

    try:
        yield line
    finally:
        process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0


@needs_npm
@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_client_of_npm_misses_nothing_and_gets_nothing_twice(
    script: str, place: Place, database_url: str, token: str
):
    """It gets the backlog, what is live, and after a restart of the gateway what it has missed."""
    before = await end_of_log(place)
    async with AsyncExitStack() as stack:
        opened = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        host = "{}:{}".format(*opened.getsockname())
        with process_at(opened, database_url):
            await book(host, token, place, slice(0, 2))
            arguments = f"http://{host}/graphql", token, before
            line = await stack.enter_async_context(printing(script, *arguments))
            received = [await line() for _ in range(2)]
            await book(host, token, place, slice(2, 3))
            received.append(await line())

        await book_meanwhile(place, place.people[3])

        with process_at(opened, database_url):
            received.append(await line())
            await book(host, token, place, slice(4, 6))
            received += [await line() for _ in range(2)]
            async with client_of(host, token) as client:
                expected = await logged(client, before)

    assert received == expected


async def book(host: str, token: str, place: Place, people: slice) -> None:
    """Book at a gateway."""
    async with client_of(host, token) as client:
        for person in place.people[people]:
            await booked(client, person, place.events[0])


async def book_meanwhile(place: Place, person: str) -> None:
    """Book in the database, while no gateway runs."""
    candidate, event = parse_global_id(person), parse_global_id(place.events[0])
    assert candidate is not None
    assert event is not None
    await place.world.booked(candidate[1], event[1])


def gql_client(host: str, token: str) -> GqlClient:
    transport = WebsocketsTransport(
        f"ws://{host}/graphql", init_payload={"Authorization": f"Bearer {token}"}
    )
    return GqlClient(transport=transport)


async def test_gql_continues_after_its_last_cursor(
    client: Client, server: Server, token: str, place: Place
):
    await booked(client, place.people[0], place.events[0])
    start = await newest(client)
    received: list[str] = []
    for people in (slice(1, 3), slice(3, 5)):
        for person in place.people[people]:
            await booked(client, person, place.events[0])
        request = GraphQLRequest(CURSORS, variable_values={"after": (received or [start])[-1]})
        async with gql_client(server.host, token) as session, asyncio.timeout(PATIENCE):
            results: Any = session.subscribe(request)
            received += [
                (await anext(results))["bookingChanged"]["cursor"] for _ in place.people[people]
            ]
            await results.aclose()

    assert received == await logged(client, start)


async def test_gql_gets_the_error_of_a_subscription(server: Server, token: str):
    async with gql_client(server.host, token) as session, asyncio.timeout(PATIENCE):
        request = GraphQLRequest(CURSORS, variable_values={"after": "no cursor"})
        with pytest.raises(TransportQueryError) as refused:
            await anext(session.subscribe(request))

        answer = await session.execute(GraphQLRequest("{ viewer { role } }"))

    assert (refused.value.errors or [])[0]["extensions"]["path"] == ["after"]
    assert answer == {"viewer": {"role": "ADMIN"}}
