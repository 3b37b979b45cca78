"""Multipart subscriptions: the bytes that Apollo Client reads, by a real server."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from tests.conftest import SettableClock
from tests.gateway.conftest import CLOSED
from tests.gateway.test_change_feed import commit
from tests.patience import eventually
from tests.streaming import MULTIPART, streaming

CHANGES = "subscription { changes }"
APOLLO = (
    "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,"
    "application/graphql-response+json,application/json;q=0.9"
)


@pytest.mark.parametrize("accept", [MULTIPART, APOLLO, 'multipart/mixed; subscriptionSpec="1.0"'])
async def test_results_are_parts_with_a_payload(address: str, token: str, accept: str):
    query = "subscription { count(to: 2) }"
    async with streaming(address, token, query, accept=accept) as stream:
        body = await stream.rest()

    part = b"\r\ncontent-type: application/json\r\n\r\n"
    assert stream.response.headers["content-type"] == (
        'multipart/mixed; boundary="-"; subscriptionSpec=1.0'
    )
    assert body == (
        b"\r\n---"
        + part
        + b'{"payload":{"data":{"count":1}}}\r\n---'
        + part
        + b'{"payload":{"data":{"count":2}}}\r\n---'
        + b"--\r\n"
    )


async def test_a_commit_reaches_the_subscriber(
    address: str, token: str, app: Starlette, organization_id: UUID
):
    async with streaming(address, token, CHANGES, accept=MULTIPART) as stream:
        assert await stream.part() == {"payload": {"data": {"changes": 0}}}

        await commit(app.state.storage, organization_id)

        assert await stream.part() == {"payload": {"data": {"changes": 1}}}
    await eventually(lambda: CLOSED == ["changes"])


async def test_an_error_of_the_operation_is_in_the_payload(address: str, token: str):
    async with streaming(address, token, "subscription { refuses }", accept=MULTIPART) as stream:
        part = await stream.part()
        end = await stream.rest()

    assert part["payload"]["errors"][0]["extensions"]["code"] == "EVENT_NOT_FOUND"
    assert end == b"--\r\n"


async def test_an_expired_token_is_an_error_beside_the_payload(
    address: str, token: str, clock: SettableClock
):
    clock.now += timedelta(hours=1, seconds=-0.2)  # the token is valid for an hour

    async with streaming(address, token, CHANGES, accept=MULTIPART) as stream:
        await stream.part()
        part = await stream.part()
        end = await stream.rest()

    expired = {"message": "The token has expired.", "extensions": {"code": "UNAUTHENTICATED"}}
    assert part == {"payload": None, "errors": [expired]}
    assert end == b"--\r\n"


async def test_an_invalid_document_is_answered_in_json(client: httpx.AsyncClient):
    asked = {"query": "subscription { nothing }"}

    answer = await client.post("/graphql", json=asked, headers={"accept": APOLLO})

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert "Cannot query field 'nothing'" in answer.json()["errors"][0]["message"]


async def test_multipart_for_other_purposes_is_no_stream(client: httpx.AsyncClient):
    """Incremental delivery of queries has another version of the header."""
    headers = {"accept": "multipart/mixed;deferSpec=20220824, application/json"}

    answer = await client.post("/graphql", json={"query": CHANGES}, headers=headers)

    assert answer.status_code == 400


async def test_events_win_if_a_client_prefers_neither(address: str, token: str):
    accept = "multipart/mixed;subscriptionSpec=1.0, text/event-stream"
    for given, expected in [
        (accept, "text/event-stream"),
        (f"{accept};q=0.5", "multipart/mixed"),
    ]:
        async with streaming(address, token, CHANGES, accept=given) as stream:
            assert stream.response.headers["content-type"].startswith(expected)
