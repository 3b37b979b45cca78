"""Requests that are wrong before, or apart from, the values in them."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest

from gateway.auth import make_token
from resolvers.identity import global_id
from resolvers.storage import utc_now
from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import Examples, mutation
from tests.end_to_end.servers import SECRET
from tests.end_to_end.shared import SharedServer
from tests.end_to_end.test_bad_input import names, violations
from tests.patience import PATIENCE

NOBODY = UUID(int=1)
TYPES = ("Candidate", "Event", "Room", "Centre", "Enrolment", "Module", "Test", "Subject")
OF_ANOTHER_TYPE = [
    ("bookEnrolment", ("candidate", "id"), "Event"),
    ("bookEnrolment", ("event", "id"), "Candidate"),
    ("bookEnrolment", ("room", "id"), "Centre"),
    ("bookEnrolment", ("module", "id"), "Test"),
    ("moveEnrolment", ("enrolmentId",), "Candidate"),
    ("moveEnrolment", ("toEvent", "id"), "Enrolment"),
    ("moveEnrolment", ("toRoom", "id"), "Event"),
    ("moveEnrolment", ("fromEventId",), "Room"),
    ("moveEnrolment", ("fromRoomId",), "Event"),
    ("cancelBooking", ("bookingId",), "Event"),
    ("cancelBooking", ("candidateId",), "Enrolment"),
    ("cancelBookings", ("bookingIds",), "Event"),
    ("cancelBookings", ("candidateIds",), "Event"),
    ("cancelBookings", ("eventId",), "Room"),
    ("grantAccommodation", ("bookingId",), "Candidate"),
    ("revokeAccommodation", ("bookingId",), "Candidate"),
    ("updateEvent", ("eventId",), "Enrolment"),
    ("cancelEvent", ("eventId",), "Enrolment"),
    ("createEvent", ("centre", "id"), "Room"),
    ("createEvent", ("test", "id"), "Module"),
    ("createEvent", ("modules",), "Test"),
    ("upsertRoom", ("centre", "id"), "Room"),
    ("upsertTest", ("subject", "id"), "Test"),
    ("upsertCandidate", ("centreIds",), "Room"),
    ("upsertCandidate", ("subjectIds",), "Module"),
    ("upsertUser", ("centreIds",), "Event"),
]
"""Where an id is expected, and a type that it is not to be of."""


def holding(path: tuple[str, ...], id: str) -> dict[str, Any]:
    value: Any = id
    if path[-1].endswith("Ids"):
        value = [id]
    elif path[-1] == "modules":
        value = [{"id": id}]
    return {path[0]: value if len(path) == 1 else {path[1]: value}}


async def test_an_id_of_another_type_is_told_from_one_that_is_unknown(
    shared_client: Client, shared_examples: Examples
):
    """The one can never be right, INVALID_VALUE; the other is NOT_FOUND. Both name the field."""
    for name, path, kind in OF_ANOTHER_TYPE:
        for of_type, codes in ((kind, {"INVALID_VALUE"}), (None, {"NOT_FOUND", "EVENT_NOT_FOUND"})):
            expected = of_type or right_type(path)
            given = {**shared_examples.of[name], **holding(path, global_id(expected, NOBODY))}
            told = violations(await shared_client.answer(mutation(name), input=given))
            about = [error for error in told if names([error], path[0])]
            assert {e["code"] for e in about} & codes, (name, path, of_type, told)
            assert of_type is None or of_type in about[0]["message"], about


def right_type(path: tuple[str, ...]) -> str:
    word = path[0].removeprefix("to").removeprefix("from").lower()
    known = {"centre": "Centre", "booking": "Enrolment", **{one.lower(): one for one in TYPES}}
    return next(kind for start, kind in known.items() if word.startswith(start))


EVENTS = "query ($a: String, $b: String) { events(first: 1, after: $a, before: $b) { totalCount } }"
QUERIES: list[tuple[str, dict[str, Any], str]] = [
    ("{ nothing }", {}, "Cannot query field 'nothing'"),
    ("{ viewer { nothing } }", {}, "Cannot query field 'nothing'"),
    ("{ events(frist: 1) { totalCount } }", {}, "Unknown argument 'frist'"),
    ("{ events(first: 101) { totalCount } }", {}, "'first' must be from 0 to 100"),
    ("{ events(first: -1) { totalCount } }", {}, "'first' must be from 0 to 100"),
    ("{ events(last: 2147483648) { totalCount } }", {}, "Int cannot represent"),
    ("{ events(first: 1, last: 1) { totalCount } }", {}, "'last' cannot be given together"),
    (EVENTS, {"a": ""}, "'after' is not a cursor"),
    (EVENTS, {"a": "garbage"}, "'after' is not a cursor"),
    (EVENTS, {"b": "W10"}, "'before' is not a cursor"),
    (EVENTS, {"a": "x" * 1_000_000}, "'after' is not a cursor"),
    (EVENTS, {"a": "\0"}, "'after' is not a cursor"),
    ("{ events(filter: {status: [GONE]}) { totalCount } }", {}, "Value 'GONE' does not exist"),
    ("{ events(filter: {nothing: 1}) { totalCount } }", {}, "unknown field 'nothing'"),
    ("{ events(filter: {number: {eq: 1.5}}) { totalCount } }", {}, "Int cannot represent"),
    ('{ events(filter: {localDate: "1.1.27"}) { totalCount } }', {}, "a date as YYYY-MM-DD"),
    ("{ events(sort: [{field: NAME}]) { totalCount } }", {}, "Value 'NAME' does not exist"),
    ('{ event(ref: {id: "x", reference: "y"}) { id } }', {}, "RefInput"),
    ("{ event(ref: {}) { id } }", {}, "RefInput"),
    ("{ event(ref: {id: null}) { id } }", {}, "RefInput"),
    ('{ booking(id: "x") { id } }', {}, "'id' is not the global id of a booking"),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": []}, "from 1 to 100 elements"),
    (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [f"x{n}" for n in range(10_000)]},
        "'ids' must have from 1 to 100 elements",
    ),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {}, "'$ids' has invalid value"),
    ("query ($x: Nothing) { viewer { role } }", {}, "Unknown type 'Nothing'"),
    ("query ($x: Int) { viewer { role } }", {}, "Variable '$x' is never used"),
    ("{ viewer { ...F } }", {}, "Unknown fragment 'F'"),
    ("fragment F on Viewer { ...F } { viewer { ...F } }", {}, "Cannot spread fragment 'F' within"),
    ("{ viewer { role }", {}, "Syntax Error"),
    ('{ node(id: "\\ud800") { id } }', {}, "Syntax Error"),
    ("{ viewer { role } } " * 2, {}, "must be the only defined operation"),
    ("mutation { bookEnrolment { replayed } }", {}, "bookEnrolment(input:)"),
    ("mutation { nothing }", {}, "Cannot query field 'nothing'"),
    ("{ a" + " { a" * 10_000 + " }" * 10_001, {}, "Document is nested too deeply"),
]


async def test_a_query_that_is_wrong_is_told_why(shared_client: Client):
    """In one of its errors is the rule, with the name of what broke it."""
    for document, variables, rule in QUERIES:
        told = violations(await shared_client.answer(document, **variables))
        assert any(rule in error["message"] for error in told), (document[:200], told[:3])


async def test_a_cursor_is_good_in_its_own_list_only(
    shared_client: Client, shared_examples: Examples
):
    """A cursor of another list, or of another order, is refused."""
    candidates = "query ($after: String) { candidates(after: $after) { pageInfo { endCursor } } }"
    cursor = (await shared_client.ask(candidates))["pageInfo"]["endCursor"]
    others = ("events", "centres", "bookings", "enrolments", "bookingChanges", "users", "tests")
    for name in others:
        other = f"query ($after: String) {{ {name}(after: $after) {{ totalCount }} }}"
        told = violations(await shared_client.answer(other, after=cursor))
        assert "'after' is not a cursor of this list in this order" in told[0]["message"], name
    assert violations(await shared_client.answer(candidates, after=cursor)) == []


@pytest.mark.parametrize("turns", [6, 7, 500])
async def test_a_query_is_at_most_twenty_levels_deep(shared_client: Client, turns: int):
    """The twentieth level is answered, the next is not; fragments count as what they hold."""
    inner = "{ nodes { event { bookings " * turns + "{ totalCount }" + " } } }" * turns
    written_out = f"{{ bookings {inner} }}"  # 3 levels a turn, and two
    fragments = "fragment F0 on BookingConnection { totalCount } " + " ".join(
        f"fragment F{n} on BookingConnection "
        f"{{ nodes {{ event {{ bookings {{ ...F{n - 1} }} }} }} }}"
        for n in range(1, turns + 1)
    )
    for document in (written_out, f"{{ bookings {{ ...F{turns} }} }} {fragments}"):
        rules = [error["message"] for error in violations(await shared_client.answer(document))]
        assert rules == [] if turns == 6 else "nested" in rules[0] and "deep" in rules[0]


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "must be JSON"),
    (b"{", 400, "must be JSON"),
    (b"[]", 400, "must be a JSON object"),
    (b"null", 400, "must be a JSON object"),
    (b'"{ viewer }"', 400, "must be a JSON object"),
    (b'[{"query": "{ __typename }"}]', 400, "must be a JSON object"),
    (b"[" * 100_000, 400, "must be JSON"),
    (b'{"query": "\xff"}', 400, "must be JSON in UTF-8"),
    (b'{"query": "\\ud800"}', 400, "must be JSON in UTF-8"),
    (b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}', 400, "must be JSON in UTF-8"),
    (b"{}", 400, "'query' is required"),
    (b'{"query": 3}', 400, "'query' is required and must be a string"),
    (b'{"query": "{ __typename }", "variables": []}', 400, "'variables' must be an object"),
    (b'{"query": "{ __typename }", "extensions": 1}', 400, "'extensions' must be an object"),
    (b'{"query": "{ __typename }", "operationName": 1}', 400, "'operationName' must be a string"),
    (b'{"query": "{ __typename }", "operationName": "Q"}', 200, "'Q'"),
    (b'{"query": "query A { __typename } query B { __typename }"}', 200, "operation name"),
    (b'{"query": "subscription { bookingChanged { cursor } }"}', 400, "needs a WebSocket"),
]


async def test_a_body_that_is_no_request_is_told_why(shared_client: Client):
    """The status is the client's to act on, and the answer is JSON that says what to change."""
    for body, status, rule in BODIES:
        kind = {"content-type": "application/json"}
        response = await shared_client.http.post("/graphql", content=body, headers=kind)
        assert response.status_code == status, (body[:100], response.text)
        assert rule in violations(response)[0]["message"], (body[:100], response.text)


async def test_a_body_that_is_too_large_is_not_waited_for(shared: SharedServer):
    """The answer comes when the length is known, before any of the body has been sent."""
    host, port = shared.server.host.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = [
        "POST /graphql HTTP/1.1",
        f"Host: {shared.server.host}",
        f"Authorization: Bearer {shared.token()}",
    ]
    lines += ["Content-Type: application/json", f"Content-Length: {8 * 1024 * 1024 + 1}", "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith("HTTP/1.1 413 ")
    assert "The request body must not be larger than 8388608 bytes." in answer


async def test_another_content_type_is_refused(shared_client: Client):
    """What a page of another site can send without being asked is not carried out."""
    body = json.dumps({"query": "{ __typename }"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"):
        response = await shared_client.http.post(
            "/graphql", content=body, headers={"content-type": kind}
        )
        assert response.status_code == 415, kind
        assert "'Content-Type' must be application/json" in violations(response)[0]["message"]


async def test_another_method_is_refused(shared_client: Client):
    """A mutation by GET would be a link that books."""
    booked = {"query": 'mutation { upsertDepartment(input: {name: "x"}) { created } }'}
    response = await shared_client.http.get("/graphql", params=booked)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    for method in ("PUT", "DELETE", "PATCH"):
        assert (await shared_client.http.request(method, "/graphql")).status_code == 405


def forged(organization: UUID) -> dict[str, str | None]:
    """Tokens, each wrong in one way."""
    claims = {"org": str(organization), "role": "admin", "sub": "admin"}
    now = utc_now()
    soon = int((now + timedelta(hours=1)).timestamp())
    good = {"organization_id": organization, "role": "admin", "now": now, "hours": 1}
    return {
        "missing": None,
        "garbage": "garbage",
        "three dots": "a.b.c",
        "another's": make_token(secret="x" * 40, **good),  # type: ignore[arg-type]
        "expired": make_token(secret=SECRET, **{**good, "hours": -1}),  # type: ignore[arg-type]
        "unsigned": jwt.encode({**claims, "exp": soon}, None, algorithm="none"),
        "signed otherwise": jwt.encode({**claims, "exp": soon}, SECRET.ljust(64, "x"), "HS512"),
        "for ever": jwt.encode(claims, SECRET, "HS256"),
        "no role": jwt.encode({**claims, "exp": soon, "role": "king"}, SECRET, "HS256"),
        "elsewhere": jwt.encode({**claims, "exp": soon, "org": str(NOBODY)}, SECRET, "HS256"),
        "nobody's": jwt.encode({**claims, "exp": soon, "user": str(NOBODY)}, SECRET, "HS256"),
    }


async def test_a_token_that_is_not_ours_opens_nothing(shared_client: Client, shared: SharedServer):
    """401 with the reason and a challenge, whatever is wrong with it; nothing of it is repeated."""
    for what, token in forged(shared.organization_id).items():
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=shared_client.http.base_url, headers=headers
        ) as stranger:
            response = await stranger.post("/graphql", json={"query": "{ viewer { role } }"})
        [error] = violations(response)
        assert response.status_code == 401, what
        assert response.headers["www-authenticate"].startswith("Bearer"), what
        assert error["extensions"]["code"] == "UNAUTHENTICATED", what
        assert "oken" in error["message"], error
        assert not token or token not in response.text, what


async def test_a_batch_of_ten_thousand_is_refused_whole(
    shared_client: Client, shared_examples: Examples
):
    """An empty one too: by its size, in one error, and not element by element."""
    ids = [global_id("Enrolment", UUID(int=n)) for n in range(10_000)]
    results = [{"enrolmentId": id, "result": "PASS"} for id in ids]
    for name, field, value in (
        ("cancelBookings", "bookingIds", ids),
        ("cancelBookings", "bookingIds", []),
        ("assignResults", "results", results),
        ("assignResults", "results", []),
    ):
        given = {**shared_examples.of[name], field: value}
        [error] = violations(await shared_client.answer(mutation(name), input=given))
        assert (error["code"], error["path"]) == ("OUT_OF_RANGE", ["input", field])
        assert error["message"] == f"'{field}' must have from 1 to 1000 elements"


async def test_a_batch_that_is_written_out_is_refused_all_the_same(shared_client: Client):
    """Inline a list of ids is as long as it may be in a variable; a longer document is not read."""
    ids = ", ".join(f'"{global_id("Enrolment", UUID(int=n))}"' for n in range(10_000))
    cancel = f"cancelBookings(input: {{bookingIds: [{ids}], reason: ILLNESS}})"
    document = f"mutation {{ {cancel} {{ errors {{ message path }} }} }}"
    [error] = violations(await shared_client.answer(document))
    assert error["message"] == "'bookingIds' must have from 1 to 1000 elements"

    results = ", ".join(f'{{enrolmentId: "{n}", result: PASS}}' for n in range(10_000))
    assign = (
        f"mutation {{ assignResults(input: {{results: [{results}]}}) {{ errors {{ code }} }} }}"
    )
    [error] = violations(await shared_client.answer(assign))
    assert "more than 20000 tokens" in error["message"]
