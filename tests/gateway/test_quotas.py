"""Limits on the connections and subscriptions of one caller, over every transport."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.auth import make_token
from gateway.settings import Settings
from tests.conftest import SettableClock
from tests.gateway.conftest import CLOSED, SECRET
from tests.gateway.test_incoming import socket_to
from tests.patience import UNHURRIED, eventually
from tests.streaming import streaming

CHANGES = "subscription { changes }"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    limits = {
        "max_connections_per_viewer": 3,
        "max_subscriptions_per_viewer": 4,
        "max_subscriptions_per_connection": 3,
    }
    return settings.model_copy(update=limits)


@pytest.fixture
def other_token(organization_id: UUID, clock: SettableClock) -> str:
    """A token of another viewer of the organization."""
    return make_token(
        secret=SECRET,
        organization_id=organization_id,
        role="admin",
        subject="another",
        now=clock.now,
        hours=1,
    )


@pytest.fixture
async def opening(address: str) -> AsyncIterator[Callable[..., Any]]:
    """Open WebSockets that last as long as the test."""
    async with AsyncExitStack() as stack:

        async def opened(token: str) -> ClientConnection:
            return await stack.enter_async_context(socket_to(address, token))

        yield opened


async def subscribed(socket: ClientConnection, identifier: str, query: str = CHANGES) -> Any:
    """The first message of an operation."""
    asked = {"id": identifier, "type": "subscribe", "payload": {"query": query}}
    await socket.send(json.dumps(asked))
    return json.loads(await socket.recv())


async def test_a_connection_has_a_limit(opening: Callable[..., Any], token: str):
    """The operation above it gets an error; the others go on, and one that ends makes room."""
    socket = await opening(token)
    for identifier in "123":
        assert (await subscribed(socket, identifier))["type"] == "next"

    refused = await subscribed(socket, "4", "{ hello }")
    await socket.send(json.dumps({"id": "1", "type": "complete"}))

    assert (refused["id"], refused["type"]) == ("4", "error")
    assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
    assert (await subscribed(socket, "4"))["type"] == "next"


async def test_the_subscriptions_of_a_viewer_have_a_limit(
    opening: Callable[..., Any], address: str, token: str, other_token: str
):
    """Over all connections and transports; queries and other viewers do not count."""
    first, second = await opening(token), await opening(token)
    for socket, identifier in ((first, "1"), (first, "2"), (second, "1"), (second, "2")):
        assert (await subscribed(socket, identifier))["type"] == "next"

    refused = await subscribed(second, "3")
    async with streaming(address, token, CHANGES) as stream:
        over_http = stream.response
        told = json.loads(await stream.rest())
    query = await subscribed(second, "4", "{ hello }")
    another = await subscribed(await opening(other_token), "1")

    assert refused["type"] == "error"
    [error] = refused["payload"]
    assert error["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert "You have 4 open subscriptions" in error["message"]
    assert (over_http.status_code, over_http.headers["retry-after"]) == (429, "5")
    assert told["errors"][0]["extensions"] == {
        "code": "TOO_MANY_SUBSCRIPTIONS",
        "retryAfterSeconds": 5,
    }
    assert query["type"] == another["type"] == "next"


async def test_a_subscription_that_ends_makes_room(
    opening: Callable[..., Any], address: str, token: str
):
    """Because its client completes it, disconnects, or closes its stream."""
    first, second = await opening(token), await opening(token)
    for socket, identifier in ((first, "1"), (first, "2"), (second, "1")):
        await subscribed(socket, identifier)
    async with streaming(address, token, CHANGES) as stream:
        await stream.event()
        assert (await subscribed(second, "2"))["type"] == "error"

    await eventually(lambda: len(CLOSED) == 1)
    assert (await subscribed(second, "2"))["type"] == "next"
    await first.close()
    await eventually(lambda: len(CLOSED) == 3)

    assert (await subscribed(second, "3"))["type"] == "next"


async def test_the_connections_of_a_viewer_have_a_limit(
    opening: Callable[..., Any], address: str, token: str, other_token: str
):
    """A stream over HTTP is a connection too. A connection that ends makes room."""
    first, _ = await opening(token), await opening(token)
    async with streaming(address, token, CHANGES) as stream:
        await stream.event()

        async with connect(
            f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"], **UNHURRIED
        ) as socket:
            payload = {"authorization": f"Bearer {token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        async with streaming(address, token, CHANGES) as refused:
            status = refused.response.status_code
            told = json.loads(await refused.rest())
        await opening(other_token)
    await first.close()

    assert socket.close_code == 1013
    assert str(socket.close_reason).startswith("TOO_MANY_CONNECTIONS: You have 3 open connections")
    assert (status, told["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_CONNECTIONS")

    async def is_accepted() -> bool:
        async with streaming(address, token, CHANGES) as stream:
            return stream.response.status_code == 200

    assert await eventually(is_accepted)
