"""GraphQL over WebSocket, with a real server and another implementation's client."""

import asyncio
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.app import Gateway
from gateway.incoming.open_sockets import OpenSocket
from gateway.incoming.protocol import LimitedProtocol
from gateway.incoming.server import Server
from gateway.incoming.sockets import LimitedSocket
from tests.conftest import SettableClock
from tests.gateway.conftest import CLOSED, FLOODED
from tests.gateway.test_change_feed import commit
from tests.patience import PATIENCE, UNHURRIED, eventually, several_turns

MOST_BUFFERED = 1_000
"""More results of `flood` than fit into the buffers between a server and a client."""


class Client:
    """One connection, and what a client says on it."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.send(json.dumps(message))

    def send_together(self, *messages: Any) -> None:
        """Send messages so that the server receives them at the same time."""
        protocol = self.connection.protocol
        for message in messages:
            protocol.send_text(json.dumps(message).encode())
        self.connection.transport.write(b"".join(protocol.data_to_send()))

    async def receive(self) -> Any:
        frame = await asyncio.wait_for(self.connection.recv(), PATIENCE)
        assert isinstance(frame, str), "frames are text"
        return json.loads(frame)

    async def begin(self, payload: Any = None) -> None:
        await self.send({"type": "connection_init", **({"payload": payload} if payload else {})})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, identifier: str, query: str, **more: Any) -> None:
        payload = {"query": query, **more}
        await self.send({"id": identifier, "type": "subscribe", "payload": payload})

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                async for _ in self.connection:
                    pass  # what was on its way
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""


@pytest.fixture
def opening(address: str) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Client]:
        given = {"subprotocols": ["graphql-transport-ws"], **options}
        async with connect(f"ws://{address}/graphql", **UNHURRIED, **given) as connection:
            yield Client(connection)

    return opened


@pytest.fixture
async def client(opening: Callable[..., Any], token: str) -> AsyncIterator[Client]:
    """A connection that has begun."""
    async with opening() as opened:
        await opened.begin({"Authorization": f"Bearer {token}"})
        yield opened


async def test_a_query_has_one_result(client: Client):
    await client.subscribe(
        "1", "query Q($n: String!) { hello(name: $n) }", variables={"n": "Ada"}, operationName="Q"
    )

    data = {"data": {"hello": "Hello, Ada"}}
    assert await client.receive() == {"id": "1", "type": "next", "payload": data}
    assert await client.receive() == {"id": "1", "type": "complete"}


async def test_a_mutation_is_carried_out(client: Client):
    await client.subscribe("m", "mutation { touch }")

    assert (await client.receive())["payload"] == {"data": {"touch": True}}


async def test_a_subscription_has_results_until_it_completes(client: Client):
    await client.subscribe("s", "subscription { count(to: 3) }")

    results = [await client.receive() for _ in range(3)]
    assert [result["payload"]["data"]["count"] for result in results] == [1, 2, 3]
    assert await client.receive() == {"id": "s", "type": "complete"}


async def test_operations_of_a_connection_do_not_wait_for_each_other(client: Client):
    await client.subscribe("a", "subscription { changes }")
    assert (await client.receive())["id"] == "a"

    await client.subscribe("b", "{ hello }")

    assert (await client.receive())["id"] == "b"


async def test_a_commit_reaches_the_subscriber(
    client: Client, app: Starlette, organization_id: UUID
):
    await client.subscribe("s", "subscription { changes }")
    assert (await client.receive())["payload"] == {"data": {"changes": 0}}

    await commit(app.state.storage, organization_id)

    assert (await client.receive())["payload"] == {"data": {"changes": 1}}


async def test_a_token_may_come_with_the_handshake(opening: Callable[..., Any], token: str):
    headers = {"Authorization": f"Bearer {token}"}

    async with opening(additional_headers=headers) as client:
        await client.begin()
        await client.subscribe("1", "{ viewer }")
        assert (await client.receive())["payload"] == {"data": {"viewer": "admin:robot"}}


async def test_a_ping_is_answered_also_before_the_beginning(opening: Callable[..., Any]):
    async with opening() as client:
        await client.send({"type": "pong"})
        await client.send({"type": "ping", "payload": {"any": 1}})
        assert await client.receive() == {"type": "pong"}


async def test_a_ping_is_answered(client: Client):
    await client.send({"type": "ping"})
    await client.send({"type": "pong"})

    assert await client.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "told"),
    [("{ hello", "Syntax Error"), ("{ helo }", "Cannot query field 'helo'"), ("", "Syntax Error")],
)
async def test_a_document_that_is_wrong_ends_in_an_error_message(
    client: Client, query: str, told: str
):
    await client.subscribe("1", query)

    answer = await client.receive()
    assert answer["id"] == "1"
    assert answer["type"] == "error"
    assert told in answer["payload"][0]["message"]


async def test_a_fields_error_is_part_of_the_result(client: Client):
    await client.subscribe("1", "{ refused }")

    answer = await client.receive()
    assert answer["type"] == "next"
    assert answer["payload"]["data"] == {"refused": None}
    assert answer["payload"]["errors"][0]["extensions"]["code"] == "EVENT_NOT_FOUND"


async def test_a_subscription_that_is_refused_says_so(client: Client):
    await client.subscribe("1", "subscription { refuses }")

    answer = await client.receive()
    assert answer["type"] == "error"
    assert answer["payload"][0]["message"] == "Event not found."
    assert answer["payload"][0]["extensions"]["code"] == "EVENT_NOT_FOUND"


async def test_a_subscription_that_breaks_is_masked(client: Client, caplog: Any):
    await client.subscribe("1", "subscription { breaks }")

    assert (await client.receive())["payload"] == {"data": {"breaks": 1}}
    answer = await client.receive()
    assert answer["type"] == "error"
    assert answer["payload"][0]["message"].startswith("Internal error. Reference: ")
    assert "hunter2" not in json.dumps(answer)
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_an_id_is_free_again_when_its_operation_has_ended(client: Client):
    for _ in range(3):
        await client.subscribe("1", "{ hello }")
        assert (await client.receive())["type"] == "next"
        assert (await client.receive())["type"] == "complete"


async def test_who_completes_closes_the_source_at_once(client: Client):
    await client.subscribe("1", "subscription { changes }")
    await client.receive()

    await client.send({"id": "1", "type": "complete"})
    await client.subscribe("1", "{ hello }")

    assert (await client.receive())["payload"] == {"data": {"hello": "Hello, world"}}
    assert CLOSED == ["changes"]


async def test_completing_what_there_is_not_is_no_mistake(client: Client):
    await client.send({"id": "gone", "type": "complete"})
    await client.subscribe("1", "{ hello }")

    assert (await client.receive())["type"] == "next"


async def test_who_goes_away_closes_the_sources(client: Client):
    for identifier in "abc":
        await client.subscribe(identifier, "subscription { changes }")
        await client.receive()

    await client.connection.close()

    await eventually(lambda: CLOSED == ["changes"] * 3)


async def test_who_is_cut_off_closes_the_sources(client: Client):
    await client.subscribe("1", "subscription { changes }")
    await client.receive()

    client.connection.transport.abort()

    await eventually(lambda: CLOSED == ["changes"])


async def test_a_slow_reader_slows_its_own_operation(opening: Callable[..., Any], token: str):
    """The source is asked for its next result only when the last one is on its way."""
    async with opening(max_queue=1, compression=None) as client:
        await client.begin({"Authorization": f"Bearer {token}"})
        await client.subscribe("1", "subscription { flood }")
        await eventually(lambda: FLOODED)
        await several_turns(20 * MOST_BUFFERED)

        assert len(FLOODED) < MOST_BUFFERED
        client.connection.transport.abort()
    await eventually(lambda: CLOSED == ["flood"])


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "A message must be JSON"),
        ("{", "A message must be JSON"),
        ("[" * 10_000, "A message must be JSON"),
        (b"{}", "Messages are text frames"),
        ("[3]", "A message must be a JSON object"),
        ("null", "A message must be a JSON object"),
        ("{}", "'type' is required and must be a string"),
        ('{"type": ["subscribe"]}', "'type' is required and must be a string"),
        ('{"type": "start"}', "'type' 'start' is not one of graphql-transport-ws"),
        ('{"type": "subscribe"}', "'id' is required and must be a string"),
        ('{"type": "subscribe", "id": {}}', "'id' is required and must be a string"),
        ('{"type": "ping", "payload": 3}', "'payload' of ping must be an object"),
        ('{"type": "pong", "payload": []}', "'payload' of pong must be an object"),
        ('{"type": "complete", "id": 1}', "'id' is required and must be a string"),
        ('{"type": "complete", "id": ""}', "'id' is required and must be a string"),
        ('{"type": "subscribe", "id": "1"}', "'payload' of subscribe must be a JSON object."),
        ('{"type": "subscribe", "id": "1", "payload": {}}', "'query' is required"),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{hello}", "variables": [1]}}',
            "'variables' must be an object or null.",
        ),
    ],
)
async def test_a_malformed_message_closes_the_connection_with_the_reason(
    client: Client, frame: str | bytes, reason: str
):
    await client.connection.send(frame)

    code, told = await client.closed()
    assert code == 4400
    assert told.startswith(reason)


@pytest.mark.parametrize("payload", [3, [], {"Authorization": 7}])
async def test_a_malformed_beginning_closes_the_connection(
    opening: Callable[..., Any], payload: Any
):
    async with opening() as client:
        await client.send({"type": "connection_init", "payload": payload})
        assert (await client.closed())[0] == 4400


async def test_an_operation_before_the_beginning_is_unauthorized(opening: Callable[..., Any]):
    async with opening() as client:
        await client.subscribe("1", "{ hello }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_an_unknown_message_before_the_beginning_is_malformed(opening: Callable[..., Any]):
    async with opening() as client:
        await client.send({"id": "1", "type": "start", "payload": {"query": "{ hello }"}})
        assert (await client.closed())[0] == 4400


async def test_without_a_token_the_connection_is_unauthorized(opening: Callable[..., Any]):
    async with opening() as client:
        await client.send({"type": "connection_init"})
        code, reason = await client.closed()
        assert code == 4401
        assert "A token is required" in reason


async def test_a_token_that_is_refused_is_forbidden(opening: Callable[..., Any]):
    async with opening() as client:
        await client.send({"type": "connection_init", "payload": {"authorization": "Bearer no"}})
        assert await client.closed() == (4403, "The token is malformed.")


async def test_another_subprotocol_is_told_which(opening: Callable[..., Any]):
    async with opening(subprotocols=["graphql-ws"]) as client:
        assert await client.closed() == (4406, "The subprotocol must be graphql-transport-ws")


async def test_who_does_not_begin_is_not_waited_for(opening: Callable[..., Any], server: Server):
    async with opening() as client:
        later(server, 9)
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}

        later(server, 10)

        assert await client.closed() == (4408, "Connection initialisation timeout")


def later(server: Server, seconds: float) -> None:
    """Let the server look at its connections as if so much time had passed."""
    server.enforce_limits(asyncio.get_running_loop().time() + seconds)


async def test_an_operation_before_the_acknowledgement_is_unauthorized(
    opening: Callable[..., Any], token: str
):
    async with opening() as client:
        client.send_together(
            {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}},
            {"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}},
        )
        assert await client.closed() == (4401, "Unauthorized")


async def test_beginning_again_before_the_acknowledgement_closes_the_connection(
    opening: Callable[..., Any], token: str
):
    begin = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
    async with opening() as client:
        client.send_together(begin, begin)
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_a_client_that_gives_no_sign_of_life_is_closed(
    opening: Callable[..., Any], token: str, server: Server
):
    """One that answers a ping, which the server sends every 20 seconds, is not."""
    payload = {"Authorization": f"Bearer {token}"}
    async with opening() as silent, opening() as client:
        for each in (silent, client):
            await each.begin(payload)
        silent.connection.transport.pause_reading()
        later(server, 20)
        await client.connection.ping()
        await client.subscribe("1", "{ hello }")
        assert (await client.receive())["type"] == "next"
        assert (await client.receive())["type"] == "complete"

        later(server, 40)

        silent.connection.transport.resume_reading()
        assert await silent.closed() == (1011, "keepalive ping timeout")
        await client.subscribe("2", "{ hello }")
        assert (await client.receive())["id"] == "2"


async def test_an_idle_connection_has_no_task_and_nothing_of_its_handshake(
    opening: Callable[..., Any], token: str, server: Server, app: Gateway
):
    gc.freeze()  # hides the objects of earlier tests from get_objects
    async with opening() as client:
        await client.begin({"Authorization": f"Bearer {token}"})
        await eventually(lambda: not server.server_state.tasks)

        kinds = Counter(type(each) for each in gc.get_objects())
    gc.unfreeze()

    assert kinds[OpenSocket] == 1
    assert not kinds[LimitedProtocol] + kinds[LimitedSocket] + kinds[WebSocket]


async def test_an_id_that_is_in_use_closes_the_connection(client: Client):
    await client.subscribe("1", "subscription { changes }")
    await client.receive()

    await client.subscribe("1", "subscription { changes }")

    assert await client.closed() == (4409, "Subscriber for 1 already exists")
    await eventually(lambda: CLOSED == ["changes"])


async def test_beginning_twice_closes_the_connection(client: Client):
    await client.send({"type": "connection_init"})

    assert await client.closed() == (4429, "Too many initialisation requests")


async def test_a_subscription_does_not_outlive_its_token(client: Client, server: Server):
    """Which is valid for an hour."""
    await client.subscribe("1", "subscription { changes }")
    await client.receive()
    later(server, 3600 - PATIENCE)
    await client.send({"type": "ping"})
    assert await client.receive() == {"type": "pong"}

    later(server, 3600)

    assert await client.closed() == (4401, "The token has expired.")
    await eventually(lambda: CLOSED == ["changes"])


async def test_an_operation_after_the_token_has_expired_closes_the_connection(
    client: Client, clock: SettableClock
):
    """The clock was set forward: the timer did not see it, the next operation does."""
    clock.now += timedelta(hours=2)

    await client.subscribe("1", "{ hello }")

    assert await client.closed() == (4401, "The token has expired.")


async def test_a_client_that_connects_during_an_outage_tries_again_later(
    opening: Callable[..., Any], token: str, app: Starlette, caplog: pytest.LogCaptureFixture
):
    """An outage is no fault of the gateway: no reference and no traceback for each client."""
    await app.state.storage._disconnect()

    async with opening() as client:
        payload = {"Authorization": f"Bearer {token}"}
        await client.send({"type": "connection_init", "payload": payload})
        code, reason = await client.closed()

    assert code == 1013
    assert "Nothing was written" in reason
    assert not [record for record in caplog.records if record.exc_info]
