"""What callers are told: one error once, the argument that was sent, no text of Python's."""

import asyncio
from typing import Any

import pytest

from resolvers import checks
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


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "BEST_EFFORT"])
async def test_an_error_of_the_whole_request_is_reported_once(
    client: Client, enrolments: list[str], mode: str
) -> None:
    """Not once for each booking."""
    given = {"bookingIds": enrolments, "mode": mode, "cancelledAt": "2030-01-01T00:00:00Z"}

    payload = await client.of(CANCEL, input={**given, "reason": "OTHER"})

    assert [(error["code"], error["path"]) for error in payload["errors"]] == [
        ("REASON_REQUIRED", ["input", "message"]),
        ("OUT_OF_RANGE", ["input", "cancelledAt"]),
    ]
    assert payload["cancelled"] == []


async def test_repeated_ids_count_once(client: Client, world: World, enrolments: list[str]) -> None:
    """The limits are limits of different ids."""
    many = [*enrolments[:2], *[enrolments[2]] * checks.BATCH]
    results = [{"enrolmentId": id, "result": "PASS"} for id in many]

    assigned = await client.of(ASSIGN, input={"results": results})
    listed = await client.of(BOOKED, filter={"eventId": {"in": [world.event] * 2000}})
    cancelled = await client.of(CANCEL, input={"bookingIds": many, "reason": "ILLNESS"})

    assert (len(assigned["updated"]), assigned["errors"]) == (3, [])
    assert listed["totalCount"] == 0
    assert {error["code"] for error in cancelled["errors"]} == {"ILLEGAL_STATE"}


async def test_concurrent_updates_return_their_own_version(client: Client, world: World) -> None:
    """Whichever was last, each answer has the title that it set, under another version."""
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
    """In a document without variables, the location says which value is wrong."""
    result = await client.run('{ events(filter: {start: {gte: "abc"}}) { totalCount } }')

    assert result.errors is not None
    [error] = result.errors
    assert error.message.startswith("must be an RFC 3339 instant")
    assert error.locations == [(1, 32)]
