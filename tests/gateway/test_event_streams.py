"""Server-sent events: the bytes of the protocol, by a real server."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from tests.conftest import SettableClock
from tests.gateway.conftest import CLOSED, FLOODED
from tests.gateway.test_change_feed import commit
from tests.patience import eventually, several_turns
from tests.streaming import EVENTS, event_of, streaming

COUNT = "subscription { count(to: 2) }"
CHANGES = "subscription { changes }"


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_results_are_next_events_and_the_end_is_complete(
    address: str, token: str, method: str
):
    async with streaming(address, token, COUNT, method=method) as stream:
        body = await stream.rest()

    first, rest = body.split(b"\n\n", 1)
    assert event_of(first).fields.keys() == {"retry"}
    assert 1_000 <= int(event_of(first).fields["retry"]) <= 3_000
    assert rest == (
        b'event: next\ndata: {"data":{"count":1}}\n\n'
        b'event: next\ndata: {"data":{"count":2}}\n\n'
        b"event: complete\ndata:\n\n"
    )


async def test_the_headers_keep_proxies_from_storing_or_buffering(address: str, token: str):
    async with streaming(address, token, COUNT) as stream:
        headers = stream.response.headers

    assert stream.response.status_code == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_commit_reaches_the_subscriber(
    address: str, token: str, app: Starlette, organization_id: UUID
):
    async with streaming(address, token, CHANGES) as stream:
        assert (await stream.event()).data == {"data": {"changes": 0}}

        await commit(app.state.storage, organization_id)

        assert (await stream.event()).data == {"data": {"changes": 1}}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("subscription { refuses }", "Event not found."),
        ("subscription ($n: Int!) { count(to: $n) }", "Variable '$n' has invalid value"),
    ],
)
async def test_a_subscription_that_fails_has_a_last_event_with_the_errors(
    address: str, token: str, query: str, told: str
):
    async with streaming(address, token, query) as stream:
        event = await stream.event()
        end = await stream.rest()

    assert event.event == "next"
    assert told in event.data["errors"][0]["message"]
    assert end == b"event: complete\ndata:\n\n"


async def test_a_subscription_that_breaks_is_masked(address: str, token: str, caplog):
    async with streaming(address, token, "subscription { breaks }") as stream:
        assert (await stream.event()).data == {"data": {"breaks": 1}}
        event = await stream.event()
        assert (await stream.event()).event == "complete"

    assert event.data["errors"][0]["message"].startswith("Internal error. Reference: ")
    assert [record.exc_info is not None for record in caplog.records] == [True]


async def test_only_a_subscription_is_streamed_to_a_client_that_also_reads_json(
    client: httpx.AsyncClient,
):
    """urql lists every type that it can read, whatever it asks for."""
    accept = "application/graphql-response+json, application/json, text/event-stream"
    answers = [
        await client.post("/graphql", json={"query": query}, headers={"accept": accept})
        for query in ("{ hello }", "mutation { touch }", "{ nothing }", COUNT)
    ]

    types = [answer.headers["content-type"].split(";")[0] for answer in answers]
    assert types == ["application/graphql-response+json"] * 3 + ["text/event-stream"]


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("{ hello }", b'{"data":{"hello":"Hello, world"}}'),
        ("mutation { touch }", b'{"data":{"touch":true}}'),
    ],
)
async def test_a_client_that_reads_events_only_gets_a_single_result_as_events(
    client: httpx.AsyncClient, query: str, result: bytes
):
    answer = await client.post("/graphql", json={"query": query}, headers={"accept": EVENTS})

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.content == b"event: next\ndata: %b\n\nevent: complete\ndata:\n\n" % result


async def test_an_invalid_document_is_an_event_with_the_errors(client: httpx.AsyncClient):
    """As the protocol requires: a browser cannot read the body of another status."""
    asked = {"query": "subscription { nothing }"}

    answer = await client.post("/graphql", json=asked, headers={"accept": EVENTS})

    assert answer.status_code == 200
    assert b"Cannot query field 'nothing'" in answer.content
    assert answer.content.endswith(b"\n\nevent: complete\ndata:\n\n")


async def test_without_a_valid_token_no_stream_begins(anonymous: httpx.AsyncClient):
    answer = await anonymous.post("/graphql", json={"query": COUNT}, headers={"accept": EVENTS})

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/json")


async def test_a_head_request_opens_no_stream(client: httpx.AsyncClient):
    params = {"query": CHANGES}

    answer = await client.head("/graphql", params=params, headers={"accept": EVENTS})

    assert answer.status_code == 400


async def test_a_client_that_disconnects_closes_the_source(address: str, token: str):
    async with streaming(address, token, CHANGES) as stream:
        await stream.event()

    await eventually(lambda: CLOSED == ["changes"])


async def test_a_client_that_stops_reading_stops_the_source(address: str, token: str):
    """The next result is made when the last one is on its way; a disconnect ends it all."""
    async with streaming(address, token, "subscription { flood }") as stream:
        await eventually(lambda: FLOODED)
        await several_turns(20_000)

        assert len(FLOODED) < 1_000
        del stream
    await eventually(lambda: CLOSED == ["flood"])


async def test_a_stream_does_not_outlive_its_token(address: str, token: str, clock: SettableClock):
    """The last event says that the token has expired, and the response ends."""
    clock.now += timedelta(hours=1, seconds=-0.2)  # the token is valid for an hour

    async with streaming(address, token, CHANGES) as stream:
        assert (await stream.event()).data == {"data": {"changes": 0}}
        event = await stream.event()
        end = await stream.rest()

    expired = {"message": "The token has expired.", "extensions": {"code": "UNAUTHENTICATED"}}
    assert event.data == {"errors": [expired]}
    assert end == b"event: complete\ndata:\n\n"
    await eventually(lambda: CLOSED == ["changes"])
