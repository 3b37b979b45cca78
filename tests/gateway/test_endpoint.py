"""GraphQL over HTTP: every request is answered in GraphQL's form, and none with a stack trace."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.media_types import negotiated

GRAPHQL_RESPONSE = "application/graphql-response+json"


def message(response: httpx.Response) -> str:
    [error] = response.json()["errors"]
    return str(error["message"])


async def post(client: httpx.AsyncClient, query: str, **more: Any) -> Any:
    response = await client.post("/graphql", json={"query": query, **more})
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_query_is_answered(client: httpx.AsyncClient):
    answer = await post(
        client,
        "query A { hello } query B($n: String!) { hello(name: $n) }",
        variables={"n": "Ada"},
        operationName="B",
    )

    assert answer == {"data": {"hello": "Hello, Ada"}}


async def test_the_viewer_is_whom_the_token_names(client: httpx.AsyncClient):
    assert await post(client, "{ viewer }") == {"data": {"viewer": "admin:robot"}}


async def test_a_query_may_come_by_get(client: httpx.AsyncClient):
    response = await client.get(
        "/graphql",
        params={
            "query": "query Q($n: String!) { hello(name: $n) }",
            "variables": '{"n": "Ada"}',
            "operationName": "Q",
            "extensions": "",
        },
    )

    assert response.status_code == 200
    assert response.json() == {"data": {"hello": "Hello, Ada"}}


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
async def test_a_mutation_by_get_is_refused(client: httpx.AsyncClient, accept: str):
    response = await client.get(
        "/graphql", params={"query": "mutation { touch }"}, headers={"accept": accept}
    )

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert message(response) == "A mutation needs POST."


async def test_a_mutation_by_post_is_carried_out(client: httpx.AsyncClient):
    assert await post(client, "mutation { touch }") == {"data": {"touch": True}}


async def test_a_subscription_over_http_is_told_where_to_go(client: httpx.AsyncClient):
    response = await client.post("/graphql", json={"query": "subscription { count(to: 3) }"})

    assert response.status_code == 400
    assert message(response) == (
        "A subscription needs a WebSocket at this address,"
        " or the header 'Accept: text/event-stream'."
    )


@pytest.mark.parametrize(
    ("authorization", "told", "challenge"),
    [
        (None, "A token is required", "Bearer"),
        ("Bearer nonsense", "The token is malformed.", 'Bearer error="invalid_token"'),
    ],
)
async def test_without_a_valid_token_nothing_is_answered(
    anonymous: httpx.AsyncClient, authorization: str | None, told: str, challenge: str
):
    headers = {} if authorization is None else {"authorization": authorization}

    response = await anonymous.post("/graphql", json={"query": "{ hello }"}, headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == challenge
    assert message(response).startswith(told)
    assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/plain", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; charset=utf-8, application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE};q=0.5", "application/json"),
        (f"{GRAPHQL_RESPONSE};q=0", "application/json"),
        (f"{GRAPHQL_RESPONSE};q=x", "application/json"),
        (",;,;q=", "application/json"),
    ],
)
def test_the_media_type_is_the_one_that_is_liked_best(accept: str | None, media_type: str):
    assert negotiated(accept) == media_type


@pytest.mark.parametrize(
    "query",
    ["{ hello", "{ helo }", "{ number(value: 1.5) }", "", "fragment F on Query { hello }"],
)
@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (GRAPHQL_RESPONSE, 400)])
async def test_a_request_that_cannot_be_carried_out_has_errors_and_no_data(
    client: httpx.AsyncClient, query: str, accept: str, status: int, caplog: Any
):
    """As a client's mistake it is not logged as an error."""
    response = await client.post("/graphql", json={"query": query}, headers={"accept": accept})

    assert response.status_code == status
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert "data" not in response.json()
    assert response.json()["errors"]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("request_body", "told"),
    [
        (
            {"query": "query($v: Int!) { number(value: $v) }"},
            "Variable '$v' has invalid value: Expected a value of non-null type 'Int!'",
        ),
        (
            {"query": "query($v: Int!) { number(value: $v) }", "variables": {"v": "1"}},
            "Variable '$v' has invalid value",
        ),
        (
            {"query": "query A { hello } query B { hello }"},
            "Must provide operation name",
        ),
        ({"query": "{ hello }", "operationName": "B"}, "Unknown operation named 'B'."),
    ],
)
async def test_wrong_variables_and_names_are_request_errors(
    client: httpx.AsyncClient, request_body: dict[str, Any], told: str
):
    response = await client.post(
        "/graphql", json=request_body, headers={"accept": GRAPHQL_RESPONSE}
    )

    assert response.status_code == 400
    assert "data" not in response.json()
    assert told in message(response)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "The request body must be JSON in UTF-8"),
        (b"{", "The request body must be JSON in UTF-8"),
        (b'{"query": "\xff"}', "The request body must be JSON in UTF-8"),
        (b'{"query": "\\ud800"}', "The request body must be JSON in UTF-8"),
        (b"[" * 9_000, "The request body must be JSON in UTF-8"),
        (b"NaN", "The request body must be JSON in UTF-8"),
        (b"[3]", "The request body must be a JSON object."),
        (b"null", "The request body must be a JSON object."),
        (b'"x"', "The request body must be a JSON object."),
        (b"{}", "'query' is required and must be a string."),
        (b'{"query": null}', "'query' is required and must be a string."),
        (b'{"query": ["{ hello }"]}', "'query' is required and must be a string."),
        (b'{"query": "{ hello }", "variables": []}', "'variables' must be an object or null."),
        (b'{"query": "{ hello }", "variables": "{}"}', "'variables' must be an object or null."),
        (b'{"query": "{ hello }", "extensions": 1}', "'extensions' must be an object or null."),
        (b'{"query": "{ hello }", "operationName": 1}', "'operationName' must be a string"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
async def test_a_malformed_body_is_told_the_field_and_the_rule(
    client: httpx.AsyncClient, body: bytes, told: str, accept: str, caplog: Any
):
    response = await client.post(
        "/graphql",
        content=body,
        headers={"content-type": "application/json", "accept": accept},
    )

    assert response.status_code == 400
    assert message(response).startswith(told)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_body_nested_100000_deep_is_a_mistake_like_any_other(
    client: httpx.AsyncClient,
):
    levels = 100_000
    deep = b'{"query": "{ hello }", "variables": {"v": ' + b"[" * levels + b"]" * levels + b"}}"

    response = await client.post(
        "/graphql", content=deep, headers={"content-type": "application/json"}
    )

    assert response.status_code == 400
    assert "JSON" in message(response)


@pytest.mark.parametrize("parameters", [{}, {"query": "{ hello }", "variables": "[1]"}])
async def test_a_malformed_get_is_told_too(client: httpx.AsyncClient, parameters: dict[str, str]):
    response = await client.get("/graphql", params=parameters)

    assert response.status_code == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "",
    ],
)
async def test_only_json_is_read(client: httpx.AsyncClient, content_type: str):
    """A form of another site cannot send it without asking first."""
    response = await client.post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type}
    )

    assert response.status_code == 415
    assert message(response) == "The header 'Content-Type' must be application/json, in UTF-8."


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
async def test_json_in_any_spelling_is_read(client: httpx.AsyncClient, content_type: str):
    response = await client.post(
        "/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type}
    )

    assert response.status_code == 200


async def test_a_body_that_announces_too_much_is_not_read(client: httpx.AsyncClient):
    response = await client.post("/graphql", json={"query": "{ hello }" + " " * 300_000})

    assert response.status_code == 413
    assert message(response) == "The request body must not be larger than 300000 bytes."


async def test_a_body_without_end_is_read_up_to_the_limit(client: httpx.AsyncClient):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 1_000
            yield b" " * 1_000

    response = await client.post(
        "/graphql", content=endless(), headers={"content-type": "application/json"}
    )

    assert response.status_code == 413
    assert sent <= 301_000


async def test_other_methods_are_refused(client: httpx.AsyncClient):
    response = await client.put("/graphql", json={"query": "{ hello }"})

    assert response.status_code == 405


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String!) { hello(name: $n) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String = null) { count(to: $n) }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_malformed_document_has_a_code(client: httpx.AsyncClient, query: str, code: str):
    response = await client.post("/graphql", json={"query": query})

    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {code}


async def test_a_refusal_in_a_query_says_its_code_and_path(client: httpx.AsyncClient, caplog: Any):
    answer = await post(client, "{ refused }")

    assert answer == {
        "data": {"refused": None},
        "errors": [
            {
                "message": "Event not found.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["refused"],
                "extensions": {
                    "code": "EVENT_NOT_FOUND",
                    "path": ["input", "event"],
                    "httpStatus": 404,
                },
            }
        ],
    }
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_several_refusals_are_several_errors_of_one_field(client: httpx.AsyncClient):
    answer = await post(client, "{ refusedTwice }")

    assert [e["extensions"]["code"] for e in answer["errors"]] == ["REQUIRED", "EVENT_FULL"]
    assert [e["path"] for e in answer["errors"]] == [["refusedTwice"]] * 2


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("overloaded", "OVERLOADED"),
        ("unavailable", "OVERLOADED"),
        ("outcomeUnknown", "OUTCOME_UNKNOWN"),
    ],
)
async def test_an_overloaded_gateway_says_when_to_repeat_a_request(
    client: httpx.AsyncClient, accept: str, field: str, code: str, caplog: Any
):
    response = await client.post(
        "/graphql", json={"query": f"{{ {field} }}"}, headers={"accept": accept}
    )

    answer = response.json()
    [error] = answer["errors"]
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.headers["content-type"].startswith(accept)
    assert answer["data"] == {field: None}
    assert error["extensions"] == {"code": code, "retryAfterSeconds": 1}
    assert ("Nothing was written" in error["message"]) == (code == "OVERLOADED")
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("beside", ["hello", "faulty"])
async def test_a_request_that_failed_only_in_part_because_of_overload_is_not_503(
    client: httpx.AsyncClient, beside: str
):
    """A field that succeeded, or that failed for another reason, must not be asked for again."""
    response = await client.post("/graphql", json={"query": f"{{ overloaded {beside} }}"})

    assert response.status_code == 200
    assert "retry-after" not in response.headers
    assert "OVERLOADED" in {e["extensions"]["code"] for e in response.json()["errors"]}


@pytest.mark.parametrize("field", ["faulty", "nullWhereNoneMayBe", "outOfRange"])
async def test_a_fault_of_ours_is_logged_once_and_told_as_a_reference(
    client: httpx.AsyncClient, field: str, caplog: Any
):
    answer = await post(client, f"{{ {field} }}")

    [error] = answer["errors"]
    [record] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    reference = error["message"].removeprefix("Internal error. Reference: ")
    assert error["extensions"] == {"code": "INTERNAL"}
    assert len(bytes.fromhex(reference)) == 4
    assert reference in record.getMessage()
    assert record.exc_info
    assert "hunter2" not in json.dumps(answer)


async def test_a_fault_that_strikes_at_several_places_has_one_reference(
    client: httpx.AsyncClient, caplog: Any
):
    answer = await post(client, "{ shared again { shared } }")

    assert [error["path"] for error in answer["errors"]] == [["shared"], ["again", "shared"]]
    assert len({error["message"] for error in answer["errors"]}) == 1
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1


async def test_a_resolvers_own_graphql_error_is_told(client: httpx.AsyncClient, caplog: Any):
    answer = await post(client, "{ told }")

    [error] = answer["errors"]
    assert error["message"] == "Page too long"
    assert error["extensions"] == {"code": "OUT_OF_RANGE"}
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_data_that_is_null_because_of_an_error_is_not_a_request_error(
    client: httpx.AsyncClient,
):
    response = await client.post(
        "/graphql", json={"query": "{ nullWhereNoneMayBe }"}, headers={"accept": GRAPHQL_RESPONSE}
    )

    assert response.status_code == 200
    assert response.json()["data"] is None
