"""Errors are reported once, name the argument that was sent, and contain no Python text."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from resolvers import checks
from resolvers.identity import global_id
from resolvers.vocabulary import Permission, Role
from tests.schema.conftest import Client, Made, World

ERRORS = "errors { code message path }"
CANCEL = f"""mutation ($input: CancelBookingsInput!) {{
  cancelBookings(input: $input) {{ cancelled {{ booking {{ id }} }} {ERRORS} }} }}"""
ASSIGN = f"""mutation ($input: AssignResultsInput!) {{
  assignResults(input: $input) {{ updated {{ id }} {ERRORS} }} }}"""
UPDATE = f"""mutation ($input: UpdateEventInput!) {{
  updateEvent(input: $input) {{ event {{ version title }} {ERRORS} }} }}"""
BOOKED = "query ($filter: BookingFilter) { bookings(filter: $filter) { totalCount } }"
START = "query ($filter: EventFilter) { events(filter: $filter) { totalCount } }"


@pytest.fixture
async def enrolments(made: Made, world: World) -> list[str]:
    """Three bookings of three candidates."""
    event = await made(
        "createEvent", "event", start="2027-03-01T09:00:00Z", room={"id": world.room}
    )
    return [await enrolled(made, event, n) for n in range(3)]


async def enrolled(made: Made, event: str, number: int) -> str:
    candidate = {"reference": f"E{number}", "firstNames": "A", "lastName": "B"}
    key = await made("upsertCandidate", "candidate", **candidate)
    return await made("bookEnrolment", "enrolment", candidate={"id": key}, event={"id": event})


BOOK = """mutation ($input: BookEnrolmentInput!) {
  bookEnrolment(input: $input) { errors { code overridableWith } } }"""


async def test_an_error_names_the_override_that_the_viewer_may_use(
    client: Client, made: Made, world: World
) -> None:
    full = await made(
        "createEvent",
        "event",
        start="2027-03-01T09:00:00Z",
        capacityMaximum=1,
        room={"id": world.room},
    )
    closed = await made(
        "createEvent",
        "event",
        start="2027-03-02T09:00:00Z",
        room={"id": world.room},
        registrationDeadline="2027-01-02T00:00:00Z",
    )
    await enrolled(made, full, 0)
    may_not = client.viewer.permissions - {Permission.OVERRIDE_CAPACITY, Permission.MANAGE_EVENTS}

    for event, code, override in (
        (full, "EVENT_FULL", "CAPACITY"),
        (closed, "REGISTRATION_CLOSED", "REGISTRATION_WINDOW"),
    ):
        input = {"candidate": {"id": world.candidate}, "event": {"id": event}}
        for viewer, expected in (
            (client, override),
            (client.seeing(permissions=may_not), None),
        ):
            payload = await viewer.of(BOOK, input=input)
            assert payload["errors"] == [{"code": code, "overridableWith": expected}]


async def test_no_override_opens_a_cancelled_event(
    client: Client, made: Made, world: World
) -> None:
    event = await made(
        "createEvent", "event", start="2027-03-01T09:00:00Z", room={"id": world.room}
    )
    await made("cancelEvent", "event", eventId=event, message="Snow")

    input = {"candidate": {"id": world.candidate}, "event": {"id": event}}
    payload = await client.of(BOOK, input=input)

    assert payload["errors"] == [{"code": "REGISTRATION_CLOSED", "overridableWith": None}]


STALE = """mutation ($input: CancelBookingInput!) { cancelBooking(input: $input) {
  errors { code ... on StateError { currentVersion booking { id version status } } } } }"""


async def test_a_stale_version_returns_the_current_booking(
    client: Client, enrolments: list[str]
) -> None:
    input = {"bookingId": enrolments[0], "reason": "ILLNESS", "expectedVersion": 7}

    payload = await client.of(STALE, input=input)

    current = {"id": enrolments[0], "version": 1, "status": "CONFIRMED"}
    [error] = payload["errors"]
    assert error == {"code": "STALE_BOOKING", "currentVersion": 1, "booking": current}


ITEMS = """mutation ($input: CancelBookingsInput!) { cancelBookings(input: $input) {
  items { booking { id status } changed errors { code path } }
  warnings { code } errors { code path } replayed
  ... on MutationPayload { errors { code } }
} }"""


async def test_a_batch_has_an_outcome_for_each_item(client: Client, enrolments: list[str]) -> None:
    """Outcomes are in input order, whether the item was cancelled now, was cancelled before, or was
    refused.
    """
    missing = global_id("Enrolment", uuid4())
    earlier = {"bookingIds": [enrolments[1]], "reason": "ILLNESS"}
    assert (await client.of(ITEMS, input=earlier))["errors"] == []

    payload = await client.of(
        ITEMS,
        input={
            "bookingIds": [enrolments[1], missing, enrolments[0], enrolments[1]],
            "reason": "ILLNESS",
            "mode": "BEST_EFFORT",
        },
    )

    error = {"code": "NOT_FOUND", "path": ["input", "bookingIds", "1"]}
    assert payload["items"] == [
        {"booking": {"id": enrolments[1], "status": "CANCELLED"}, "changed": False, "errors": []},
        {"booking": None, "changed": False, "errors": [error]},
        {"booking": {"id": enrolments[0], "status": "CANCELLED"}, "changed": True, "errors": []},
    ]
    assert (payload["errors"], payload["replayed"]) == ([error], False)


async def test_a_batch_that_is_refused_as_a_whole_has_no_outcomes(
    client: Client, enrolments: list[str]
) -> None:
    marker = client.as_role(Role.MARKER)

    payload = await marker.of(ITEMS, input={"bookingIds": enrolments, "reason": "ILLNESS"})

    assert payload["items"] == []
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "BEST_EFFORT"])
async def test_an_error_of_the_whole_request_is_reported_once(
    client: Client, enrolments: list[str], mode: str
) -> None:
    """An error of the request is not repeated for each booking."""
    given = {"bookingIds": enrolments, "mode": mode, "cancelledAt": "2030-01-01T00:00:00Z"}

    payload = await client.of(CANCEL, input={**given, "reason": "OTHER"})

    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("REASON_REQUIRED", ["input", "message"]),
        ("OUT_OF_RANGE", ["input", "cancelledAt"]),
    ]
    assert payload["cancelled"] == []


async def test_repeated_ids_count_once(client: Client, world: World, enrolments: list[str]) -> None:
    """The limits apply to distinct ids."""
    many = [*enrolments[:2], *[enrolments[2]] * checks.BATCH]
    results = [{"enrolmentId": id, "result": "PASS"} for id in many]

    assigned = await client.of(ASSIGN, input={"results": results})
    listed = await client.of(BOOKED, filter={"eventId": {"in": [world.event] * 2000}})
    cancelled = await client.of(CANCEL, input={"bookingIds": many, "reason": "ILLNESS"})

    assert (len(assigned["updated"]), assigned["errors"]) == (3, [])
    assert listed["totalCount"] == 0
    assert {error["code"] for error in cancelled["errors"]} == {"ILLEGAL_STATE"}


async def test_concurrent_updates_return_their_own_version(client: Client, world: World) -> None:
    """Each payload has the title that its own update set, and a different version."""
    titles = [f"Title {n}" for n in range(10)]

    payloads: list[Any] = await asyncio.gather(
        *(client.of(UPDATE, input={"eventId": world.event, "title": title}) for title in titles)
    )

    events = [payload["event"] for payload in payloads]
    assert [event["title"] for event in events] == titles
    assert sorted(event["version"] for event in events) == list(range(2, 12))


@pytest.mark.parametrize(
    "value",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "1900-01-01T00:00:00+00:01",
    ],
)
async def test_the_error_for_an_instant_out_of_range_states_the_range(
    client: Client, value: str
) -> None:
    result = await client.run(START, filter={"start": {"gte": value}})

    assert result.errors is not None
    [error] = result.errors
    assert "must be from 1900-01-01T00:00:00Z to 9999-12-31T23:59:59Z" in error.message


@pytest.mark.parametrize("value", ["1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_the_ends_of_the_range_of_instants_are_valid(client: Client, value: str) -> None:
    result = await client.run(START, filter={"start": {"gte": value}})

    assert result.errors is None


async def test_a_malformed_literal_has_a_location(client: Client) -> None:
    """In a document without variables, the location identifies the invalid value."""
    result = await client.run('{ events(filter: {start: {gte: "abc"}}) { totalCount } }')

    assert result.errors is not None
    [error] = result.errors
    assert error.message.startswith("must be an RFC 3339 instant")
    assert error.locations == [(1, 32)]


BOTH_FILTERS = pytest.mark.parametrize(
    ("document", "one"),
    [
        (START, {"organizationIdentifier": {"eq": "123e4567-e89b-12d3-a456-426614174000"}}),
        (BOOKED, {"status": ["CONFIRMED"]}),
    ],
)


@pytest.mark.both_databases
@BOTH_FILTERS
async def test_a_filter_of_the_largest_size_is_answered(
    client: Client, document: str, one: dict[str, Any]
) -> None:
    """These criteria produce the deepest expressions; SQLite allows a depth of 1,000."""
    for given in ({"or": [one] * 100}, {"and": [{"not": one}] * 50}, deepest(one)):
        assert (await client.run(document, filter=given)).errors is None


def deepest(one: dict[str, Any]) -> dict[str, Any]:
    return {"or": [{"and": [{"or": [{"not": one}] * 32}]}, {"and": [{"or": [{"not": one}] * 15}]}]}


@pytest.mark.both_databases
@BOTH_FILTERS
@pytest.mark.parametrize("count", [101, 2_000])
async def test_a_larger_filter_is_refused_with_the_limit(
    client: Client, document: str, one: dict[str, Any], count: int
) -> None:
    """Empty terms count too."""
    rule = "'or' exceeds the limit of 100 `and`, `or` and `not` terms in one filter"
    for given in (
        {"or": [one] * count},
        {"or": [{}] * count},
        {"and": [{"or": [one] * 90}], "or": [one] * 10},
    ):
        result = await client.run(document, filter=given)
        assert [error.message for error in result.errors or ()] == [rule]


@pytest.mark.both_databases
async def test_too_many_conditions_of_one_filter_are_refused(client: Client) -> None:
    two = {"start": {"gte": "2027-01-01T00:00:00Z", "lt": "2028-01-01T00:00:00Z"}}

    assert (await client.run(START, filter={"or": [two] * 50})).errors is None
    errors = await client.errors(START, filter={"or": [two] * 51})

    assert errors == [("OUT_OF_RANGE", "filter.or.50.start")]


@pytest.mark.both_databases
@pytest.mark.parametrize("character", ["\U0001f600", "\u0390", "\u1fb7", "\ufb03", "%"])
async def test_the_longest_search_is_answered(client: Client, character: str) -> None:
    """Case folding lengthens these texts; SQLite allows a LIKE pattern of 50,000 bytes."""
    text = character * checks.TEXT

    found = await client.of(START, filter={"title": {"contains": text}})
    searched = await client.of(
        "query ($text: String) { candidates(search: $text) { totalCount } }", text=text
    )

    assert found["totalCount"] == searched["totalCount"] == 0


@pytest.mark.both_databases
async def test_the_longest_list_of_values_is_answered(client: Client) -> None:
    """A list is one bound value of any length."""
    found = await client.of(START, filter={"title": {"in": [f"{n}" for n in range(1_000)]}})

    assert found["totalCount"] == 0
