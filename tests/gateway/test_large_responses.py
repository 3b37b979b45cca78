"""A response above the limit ends with an error, over HTTP and over WebSocket."""

import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from gateway import errors
from gateway.settings import Settings
from tests.patience import UNHURRIED
from tests.streaming import streaming

LIMIT = 10_000
LARGE = '"' + "x" * (LIMIT // 2) + '"'
QUERY = f"{{ a: hello(name: {LARGE}) b: hello(name: {LARGE}) }}"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_response_bytes": LIMIT})


def require_too_large(answered: Any) -> None:
    assert answered["data"] is None
    [error] = answered["errors"]
    assert error["message"].startswith(f"The response is larger than {LIMIT} bytes.")
    assert error["extensions"] == {"code": "RESPONSE_TOO_LARGE"}


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_over_http(client: httpx.AsyncClient, accept: str) -> None:
    """The operation has begun, so the response has data: null, and its status is 200."""
    headers = {"accept": accept}
    response = await client.post("/graphql", json={"query": QUERY}, headers=headers)
    assert response.status_code == 200
    require_too_large(response.json())

    small = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert small.json() == {"data": {"hello": "Hello, world"}}


async def test_over_websocket(address: str, token: str) -> None:
    """A query ends; a subscription continues after an event that is too large."""
    options: Any = {"subprotocols": ["graphql-transport-ws"], **UNHURRIED}
    async with connect(f"ws://{address}/graphql", **options) as socket:

        async def told() -> Any:
            return json.loads(await socket.recv())

        payload = {"Authorization": f"Bearer {token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert (await told())["type"] == "connection_ack"

        asked = {"id": "1", "type": "subscribe", "payload": {"query": QUERY}}
        await socket.send(json.dumps(asked))
        require_too_large((await told())["payload"])
        assert await told() == {"id": "1", "type": "complete"}

        query = "subscription { large(times: 3) }"
        asked = {"id": "2", "type": "subscribe", "payload": {"query": query}}
        await socket.send(json.dumps(asked))
        for _ in range(3):
            answered = await told()
            assert (answered["id"], answered["type"]) == ("2", "next")
            require_too_large(answered["payload"])
        assert await told() == {"id": "2", "type": "complete"}


async def test_over_server_sent_events(address: str, token: str) -> None:
    """The limit is for each result, and not for the whole stream."""
    async with streaming(address, token, "subscription { large(times: 3) }") as stream:
        for _ in range(3):
            require_too_large((await stream.event()).data)
        assert (await stream.event()).event == "complete"

    query = "subscription ($to: Int!) { count(to: $to) }"
    async with streaming(address, token, query, to=LIMIT // 20) as stream:
        content = await stream.rest()

    assert len(content) > LIMIT
    assert b"errors" not in content


def test_a_mutation_says_what_is_committed() -> None:
    """All fields were executed if the response is found to be too large at its end."""
    answered = {"data": {"first": "x" * LIMIT, "second": 1}}

    told = json.loads(errors.encoded_within(answered, LIMIT, lambda: True))

    assert told["data"] is None
    [error] = told["errors"]
    assert "their writes are committed: first, second." in error["message"]
    assert error["extensions"]["executed"] == ["first", "second"]
