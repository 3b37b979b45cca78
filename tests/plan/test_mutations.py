"""What is written is written once, whatever becomes of the payload; and it is told as by core."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import UUID

import orjson
import pytest

from resolvers.identity import parse_global_id
from resolvers.storage import Overloaded, Storage
from resolvers.viewer import Viewer
from tests.plan.both_ways import BothWays, Told
from tests.plan.documents import Document, Known, doubled, mutation
from tests.plan.failing import failing, replaced

Twins = tuple[BothWays, BothWays]

# graphql-core forgets the coroutines of fields beside one that raises
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

HERE = """{
  candidates(search: "BARE") { nodes { id } }
  open: events(first: 3, filter: {start: {gte: "2027-01-20T00:00:00Z"}}) { nodes { id } }
  booked: enrolments(first: 60, filter: {status: [CONFIRMED], start: {gte: "2027-01-13T00:00:00Z"}})
    { nodes { id payment { reference } } }
  registered: registrations(first: 9, filter: {status: [CONFIRMED]})
    { nodes { id candidate { reference } } }
  notificationEndpoints { deliveries(first: 30) { nodes { id } } }
  over: enrolments(first: 9, filter: {status: [CONFIRMED], start: {lt: "2027-01-10T00:00:00Z"}})
    { nodes { id } }
}"""
NOTHING = Known({"Event": ["RXZlbnQ6MA=="]}, {}, {})


async def here(twins: Twins, viewer: Viewer) -> dict[str, Any]:
    """The ids that mutations need; they are the same in both worlds.

    What was told since is under keys that each world has made for itself.
    """
    found, other = [await _found(both, viewer) for both in twins]
    in_both = set(_deliveries(other))
    return {
        "candidate": found["candidates"]["nodes"][0]["id"],
        "open": [one["id"] for one in found["open"]["nodes"]],
        "booked": [one["id"] for one in found["booked"]["nodes"]],
        "payments": [one["payment"]["reference"] for one in found["booked"]["nodes"]],
        "registered": found["registered"]["nodes"],
        "deliveries": [id for id in _deliveries(found) if id in in_both],
        "over": [one["id"] for one in found["over"]["nodes"]],
    }


async def _found(both: BothWays, viewer: Viewer) -> Any:
    with both.without_plans():
        told = await both.by_plans(Document(HERE), viewer)
    assert told.data is not None
    return orjson.loads(told.data)


def _deliveries(found: Any) -> list[str]:
    return [
        one["id"]
        for endpoint in found["notificationEndpoints"]
        for one in endpoint["deliveries"]["nodes"]
    ]


@contextmanager
def writes(storage: Storage) -> Iterator[list[str]]:
    """The commands that are carried out meanwhile, by the names of their functions."""
    done: list[str] = []
    real = storage.write

    async def write(run: Any, commands: Any, **options: Any) -> Any:
        done.append(run.__name__)
        return await real(run, commands, **options)

    with replaced(storage, {"write": write}):
        yield done


def told_alike(one: Told, other: Told) -> bool:
    """Whether two worlds tell the same, but for the keys that each has made for itself."""
    return Told(_masked(one.data), one.errors).agrees(Told(_masked(other.data), other.errors))


CURSOR = "WyJ"  # a JSON array that begins with a text, in base64; it names keys
SECRET = re.compile(r"[\w-]{43}")  # the key of an endpoint
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _masked(data: bytes | None) -> bytes | None:
    return None if data is None else orjson.dumps(_without_keys(orjson.loads(data)))


def _without_keys(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_keys(inner) for key, inner in value.items()}
        case list():
            return [_without_keys(one) for one in value]
        case str():
            if value.startswith(CURSOR):
                return "cursor"
            if SECRET.fullmatch(value):
                return "secret"
            named = parse_global_id(value)
            return UUIDS.sub("key", value) if named is None else named[0]
    return value


async def both_told(twins: Twins, asked: Document, viewer: Viewer) -> Told:
    """What is told, which has to be the same. Raises: AssertionError."""
    planned, by_core = twins
    told, expected = await planned.by_plans(asked, viewer), await by_core.by_plans(asked, viewer)
    assert told_alike(told, expected), (asked, told, expected)
    return told


PERSON = """mutation ($name: String!) { upsertCandidate(
    input: {reference: "FULL", firstNames: $name, lastName: "Byron"}) { %s } }"""
PAYLOADS = {
    "planned": (
        "candidate { reference firstNames centres { name } } created errors { code }",
        1,
        0,
    ),
    "not planned": (
        "candidate { bookings { nodes { ... on Enrolment { ...F0 } } } } created",
        0,
        1,
    ),
    "nothing of it": ("__typename", 1, 0),
}


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_a_payload_is_told_and_its_command_done_once(
    twins: Twins, who: dict[str, Viewer], payload: str
):
    """Also where graphql-core has to answer it."""
    selected, answered, not_planned = PAYLOADS[payload]
    fragments = doubled(13) if "F0" in selected else ""
    asked = Document(f"{PERSON % selected}\n{fragments}", {"name": "Augusta"})

    with writes(twins[0].storage) as done:
        await both_told(twins, asked, who["admin"])

    assert done == ["upsert_candidates"]
    counts = twins[0].planner.counts
    assert (counts.answered, counts.not_planned) == (answered, not_planned)


BOOKED = """mutation ($event: ID!) {
  bookEnrolment(input: { candidate: { reference: "BARE" }, event: { id: $event } }) {
    enrolment {
      enrolmentStatus attemptNumber deliveryMode allowedActions
      module { name } candidate { reference } previousAttempt { reference allowedActions }
    }
    errors { code }
  }
}"""
CANCELLED = """mutation ($bookings: [ID!]!) {
  cancelBookings(input: { bookingIds: $bookings, reason: ILLNESS }) {
    cancelled {
      onBehalf
      booking {
        __typename reference
        ... on Enrolment { enrolmentStatus cancellation { reason } }
        ... on Registration { identifier registrationStatus testForm { name } }
      }
    }
    errors { code }
  }
}"""


async def test_a_payload_shows_what_completes_its_bookings_by_plans(
    twins: Twins, who: dict[str, Viewer]
):
    """The status, the attempt and so on of each kind, of one booking and of several kinds."""
    ids = await here(twins, who["admin"])
    several = [ids["booked"][0], ids["registered"][0]["id"], ids["booked"][1]]

    told = await both_told(twins, Document(BOOKED, {"event": ids["open"][0]}), who["admin"])
    assert b'"enrolmentStatus":"BOOKED"' in (told.data or b"")
    told = await both_told(twins, Document(CANCELLED, {"bookings": several}), who["admin"])
    assert b'"registrationStatus":"CANCELLED"' in (told.data or b"")

    assert (twins[0].planner.counts.answered, twins[0].planner.counts.not_planned) == (2, 0)


@pytest.mark.parametrize("table", ["candidate_centre", "booking", "external_id"])
async def test_a_payload_that_cannot_be_read_is_an_error_and_not_a_second_write(
    twins: Twins, who: dict[str, Viewer], table: str
):
    """What was written stays written."""
    selected = (
        "candidate { lastName centres { name } externalIds { value } bookings { totalCount } }"
    )
    asked = Document(PERSON % selected, {"name": "Augusta"})

    one, other = (both.storage for both in twins)
    with failing(one, table), failing(other, table), writes(one) as done:
        told = await both_told(twins, asked, who["admin"])

    assert told.errors
    assert done == ["upsert_candidates"]
    asked = Document('{ candidates(search: "FULL") { nodes { firstNames lastName } } }')
    assert b"Augusta" in ((await both_told(twins, asked, who["admin"])).data or b"")


SEATS = "errors { code message } enrolment { status event { seats { taken } } %s }"


@pytest.mark.parametrize(
    ("candidate", "last"),
    [
        ("demo-candidate-1", ""),
        ("demo-candidate-1", "candidate { address { city } }"),
        ("demo-candidate-2", "...F0"),
    ],
)
async def test_two_mutations_of_one_document_tell_what_was_there_after_each(
    twins: Twins, who: dict[str, Viewer], candidate: str, last: str
):
    """The first payload does not show what the second has done, whatever executes them.

    If the second payload has no plan, graphql-core answers it alone. On PostgreSQL the twins stay
    as they are between tests, so the candidate of that payload must not have been booked before.
    """
    ids = await here(twins, who["admin"])
    first, second = (
        f'bookEnrolment(input: {{candidate: {{reference: "{reference}"}}, '
        f'event: {{id: "{ids["open"][0]}"}}}})'
        for reference in ("BARE", candidate)
    )
    asked = Document(
        f"mutation {{ a: {first} {{ {SEATS % ''} }} t: __typename "
        f"b: {second} {{ {SEATS % last} }} }}\n{doubled(13) if 'F0' in last else ''}"
    )

    with writes(twins[0].storage) as done:
        await both_told(twins, asked, who["admin"])

    assert done == ["book", "book"]
    planned = "F0" not in last
    counts = twins[0].planner.counts
    assert (counts.answered, counts.not_planned) == (int(planned), int(not planned))


@pytest.mark.parametrize("raised", [Overloaded(), RuntimeError("the disk is full")])
async def test_a_command_that_raises_is_not_tried_again(
    twins: Twins, who: dict[str, Viewer], raised: Exception
):
    """Nobody knows what it has done."""
    tries = []

    async def write(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise raised

    asked = Document(PERSON % "created", {"name": "Augusta"})
    with (
        replaced(twins[0].storage, {"write": write}),
        replaced(twins[1].storage, {"write": write}),
    ):
        told = await both_told(twins, asked, who["admin"])

    assert told.errors
    assert len(tries) == 2  # once in each world


async def test_a_command_that_raises_after_its_commit_is_not_done_again(
    twins: Twins, who: dict[str, Viewer]
):
    """The connection was lost when it had been written."""
    tries = []

    def losing(storage: Storage) -> Any:
        real = storage.write

        async def write(*given: Any, **options: Any) -> Any:
            tries.append(1)
            await real(*given, **options)
            raise ConnectionResetError

        return {"write": write}

    asked = Document(PERSON % "created", {"name": "Augusta"})
    one, other = (both.storage for both in twins)
    with replaced(one, losing(one)), replaced(other, losing(other)):
        assert (await both_told(twins, asked, who["admin"])).errors

    assert len(tries) == 2


async def test_arguments_that_are_wrong_write_nothing(twins: Twins, who: dict[str, Viewer]):
    """And are told as graphql-core tells them."""
    text = "mutation ($i: UpsertCandidateInput!) { upsertCandidate(input: $i) { created } }"
    with writes(twins[0].storage) as done:
        for given in ({}, {"reference": 1}, {"reference": "a", "firstNames": "b", "x": 1}, None):
            assert (await both_told(twins, Document(text, {"i": given}), who["admin"])).errors

    assert done == []


@pytest.mark.parametrize("viewer", ["admin", "invigilator"])
@pytest.mark.parametrize("part", range(2))
async def test_generated_payloads(twins: Twins, who: dict[str, Viewer], viewer: str, part: int):
    """Mutation after mutation in two worlds, which stay alike."""
    ids = await here(twins, who["admin"])
    random = Random(part)
    for _ in range(20):
        calls = [_call(random, ids) for _ in range(random.choice([1, 1, 2, 3]))]
        is_valid = twins[0].is_valid
        asked = mutation(twins[0].schema, NOTHING, random, calls, is_valid)
        with writes(twins[0].storage) as done, writes(twins[1].storage) as expected:
            await both_told(twins, asked, who[viewer])
        assert done == expected

    assert twins[0].planner.counts.answered > 0


def _call(random: Random, ids: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Something to do, which is often refused."""
    booking = random.choice(ids["booked"][:12])
    name = random.choice(["FULL", "BARE", "demo-candidate-1", "demo-candidate-2", "nobody"])
    registered = random.choice(ids["registered"])
    learner = {"reference": registered["candidate"]["reference"]}
    target = {"event": {"id": random.choice(ids["open"])}}
    calls: dict[str, dict[str, Any]] = {
        "bookRegistration": {
            "registration": str(UUID(int=random.randrange(1, 4))),
            "target": target,
            "candidate": {"reference": name},
        },
        "transferRegistration": {
            "registrationId": registered["id"],
            "target": target,
            "candidate": learner,
            "message": "why",
        },
        "changeAssessment": {"registrationId": registered["id"], "testForm": "A"},
        "deleteRegistration": {"registrationId": registered["id"]},
        "upsertCandidate": {"reference": name, "firstNames": name, "lastName": "Byron"},
        "bookEnrolment": {
            "candidate": {"reference": name},
            "event": {"id": random.choice(ids["open"])},
        },
        "moveEnrolment": {"enrolmentId": booking, "toEvent": {"id": random.choice(ids["open"])}},
        "cancelBooking": {"bookingId": booking, "reason": "ILLNESS"},
        "cancelBookings": {"bookingIds": ids["booked"][:2], "reason": "ILLNESS"},
        "grantAccommodation": {
            "bookingId": booking,
            "accommodation": {"type": "reader", "timeExtensionMinutes": random.choice([5, 90])},
        },
        "assignResults": {
            "results": [{"enrolmentId": one, "result": "PASS"} for one in ids["over"][:2]]
        },
        "recordPayment": {"paymentReference": random.choice(ids["payments"]), "status": "PAID"},
        "createEvent": {"title": "Made now", "examType": random.choice(["a", ""])},
        "updateSettings": {
            "billingCodes": ["B1", "B2"],
            "windowBufferHours": random.choice([1, 999]),
        },
        "registerNotification": {
            "topics": ["EVENT_CHANGED"],
            "channel": "HTTP_XML",
            "url": random.choice(["https://example.org", "http://example.org"]),
        },
        "redeliver": {"deliveryId": random.choice(ids["deliveries"])},
        "upsertCentre": {"reference": "YORK", "name": "York", "timeZone": "Europe/London"},
    }
    chosen = random.choice(sorted(calls))
    return chosen, calls[chosen]
