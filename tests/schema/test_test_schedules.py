"""Test schedules in the API: fields, masking, and the results of each mutation."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from resolvers.vocabulary import Permission, Role

FIELDS = """fragment everything on TestSchedule {
  id kind reference status allowedActions candidate { id } centre { id } room { id } event { id }
  times { timeZone localStart localEnd start end durationMinutes extraTimeMinutes extraBreakMinutes
    windows { date localStart localEnd start end bufferedStart bufferedEnd } }
  accommodations { type scope timeExtensionMinutes extraTimePercentage effectiveMinutes
    extraBreaksPerSection reason }
  payment { id } cancellation { reason } version externalIds { value } organization { name }
  keycode pin scheduleStatus test { id } subject { id } testForm { code } testFormAutoSelected
  startDate endDate startTime endTime enforceTimes requiresInvigilation markedExternally
  allowMultipleOpenSessions testTags marker { name user { id } proxyFor } moderator { name }
  purchaseOrder language unscheduledBreakMinutes sessionStartedAt sessionCompletedAt
}"""
ERROR = "__typename code message path httpStatus"
BOOK = f"""mutation ($input: BookTestScheduleInput!) {{ bookTestSchedule(input: $input) {{
  testSchedule {{ ...everything }} replayed warnings {{ code path }}
  errors {{ {ERROR} ... on PermissionError {{ required missingScope }} }} }} }} {FIELDS}"""
MOVE = f"""mutation ($input: MoveTestScheduleInput!) {{ moveTestSchedule(input: $input) {{
  testSchedule {{ ...everything }} changed replayed warnings {{ code }} errors {{ {ERROR} }}
}} }} {FIELDS}"""
DELETE = f"""mutation ($input: DeleteTestScheduleInput!) {{ deleteTestSchedule(input: $input) {{
  deletedId errors {{ {ERROR} }} }} }}"""
RECORD = f"""mutation ($input: RecordSessionInput!) {{ recordSession(input: $input) {{
  testSchedule {{ id status scheduleStatus sessionStartedAt }} changed errors {{ {ERROR} }}
}} }}"""
CANCEL = """mutation ($id: ID!) { cancelBooking(input: {bookingId: $id, reason: ILLNESS}) {
  booking { id status ... on TestSchedule { scheduleStatus keycode } } changed } }"""
ONE = f"query ($ref: TestScheduleRef!) {{ testSchedule(ref: $ref) {{ ...everything }} }} {FIELDS}"
LIST = """query ($filter: BookingFilter) { testSchedules(filter: $filter) {
  nodes { id status scheduleStatus } totalCount } }"""
OF_ALL = """query ($filter: BookingFilter) { bookings(filter: $filter) {
  nodes { __typename id status ... on TestSchedule { scheduleStatus } } totalCount } }"""
ACTIONS = ["CANCEL", "DELETE", "GRANT_ACCOMMODATION", "MOVE", "REVOKE_ACCOMMODATION"]
HISTORY = """query ($id: ID!) { booking(id: $id) { history { nodes {
  type changedFields before after } } } }"""


@pytest.fixture
async def ready(world, made) -> None:
    """The world's centre offers the test's subject; the test has marking and invigilation."""
    await made(
        "upsertTest",
        "test",
        reference="T1",
        name="Anatomy test",
        subject={"id": world.subject},
        durationMinutes=100,
        breakMinutes=20,
        requiresInvigilation=True,
        allowsMarkers=True,
    )


def given(world, **values: Any) -> dict[str, Any]:
    return {
        "test": {"reference": "T1"},
        "centre": {"reference": "C1"},
        "candidate": {"id": world.candidate},
        "startDate": "2027-02-01",
        "endDate": "2027-02-02",
        "startTime": "09:00",
        "endTime": "17:00",
        **values,
    }


async def test_every_attribute_is_shown_as_it_was_given(client, world, ready) -> None:
    """A complete schedule has its given, computed and generated values."""
    payload = await client.of(
        BOOK,
        input=given(
            world,
            reasonableAdjustments={
                "timeExtensionMinutes": 30,
                "extraTimePercentage": 25,
                "reason": "why",
            },
            breakReasonableAdjustments={
                "extraTimePercentage": 30,
                "extraBreaksPerSection": 2,
            },
            unscheduledBreak={"timeExtensionMinutes": 15},
            markedExternally=True,
            allowMultipleOpenSessions=True,
            testTags=[" late ", "late", "big print"],
            marker={"reference": "U1"},
            purchaseOrder="PO-1",
            subject={"reference": "S1"},
            language="en",
            enforceTimes=False,
        ),
    )

    assert payload["errors"] == []
    shown = payload["testSchedule"]
    keycode, pin = shown.pop("keycode"), shown.pop("pin")
    assert len(keycode) == 8
    assert len(pin) == 6
    windows = shown["times"].pop("windows")
    assert windows == [
        {
            "date": "2027-02-01",
            "localStart": "2027-02-01T09:00:00",
            "localEnd": "2027-02-01T17:00:00",
            "start": "2027-02-01T09:00:00Z",
            "end": "2027-02-01T17:00:00Z",
            "bufferedStart": "2027-01-31T21:00:00Z",
            "bufferedEnd": "2027-02-01T17:00:00Z",
        },
        {
            "date": "2027-02-02",
            "localStart": "2027-02-02T09:00:00",
            "localEnd": "2027-02-02T17:00:00",
            "start": "2027-02-02T09:00:00Z",
            "end": "2027-02-02T17:00:00Z",
            "bufferedStart": "2027-02-02T09:00:00Z",
            "bufferedEnd": "2027-02-03T05:00:00Z",
        },
    ]
    assert {a["type"]: a["effectiveMinutes"] for a in shown.pop("accommodations")} == {
        "extra-test-time": 30,
        "extra-break-time": 6,
        "unscheduled-break": 15,
    }
    assert shown == {
        "id": shown["id"],
        "kind": "TEST_SCHEDULE",
        "reference": shown["reference"],
        "status": "CONFIRMED",
        "allowedActions": ACTIONS,
        "candidate": {"id": world.candidate},
        "centre": {"id": world.centre},
        "room": None,
        "event": None,
        "times": {
            "timeZone": "Europe/London",
            "localStart": "2027-02-01T09:00:00",
            "localEnd": "2027-02-02T17:00:00",
            "start": "2027-02-01T09:00:00Z",
            "end": "2027-02-02T17:00:00Z",
            "durationMinutes": 100,
            "extraTimeMinutes": 30,
            "extraBreakMinutes": 21,
        },
        "payment": None,
        "cancellation": None,
        "version": 1,
        "externalIds": [],
        "organization": {"name": "Northfield Exams"},
        "scheduleStatus": "SCHEDULED",
        "test": {"id": world.test},
        "subject": {"id": world.subject},
        "testForm": {"code": "F1"},
        "testFormAutoSelected": True,
        "startDate": "2027-02-01",
        "endDate": "2027-02-02",
        "startTime": "09:00:00",
        "endTime": "17:00:00",
        "enforceTimes": False,
        "requiresInvigilation": True,
        "markedExternally": True,
        "allowMultipleOpenSessions": True,
        "testTags": ["late", "big print"],
        "marker": {"name": "Cleo", "user": {"id": world.user}, "proxyFor": None},
        "moderator": None,
        "purchaseOrder": "PO-1",
        "language": "en",
        "unscheduledBreakMinutes": 15,
        "sessionStartedAt": None,
        "sessionCompletedAt": None,
    }
    assert await client.of(ONE, ref={"keycode": keycode}) == await client.of(
        ONE, ref={"id": shown["id"]}
    )


async def booked(client, world, **values: Any) -> dict[str, Any]:
    payload = await client.of(BOOK, input=given(world, **values))
    assert payload["errors"] == []
    schedule: dict[str, Any] = payload["testSchedule"]
    return schedule


async def test_secrets_are_for_those_who_may_see_them(client, world, ready) -> None:
    """Without VIEW_SECRETS, the keycode and the PIN are null; the history never has them."""
    schedule = await booked(client, world)
    marker = client.as_role(Role.MARKER)

    shown = await marker.of(ONE, ref={"id": schedule["id"]})
    history = await client.of(HISTORY, id=schedule["id"])

    assert (shown["keycode"], shown["pin"]) == (None, None)
    assert schedule["keycode"] not in str(history)
    assert schedule["pin"] not in str(history)
    assert not {"keycode", "pin"} & set(history["history"]["nodes"][0]["changedFields"])


async def test_refusals_are_data(client, world, ready) -> None:
    """Each refusal has its type, path and HTTP status; the missing association is named."""
    payload = await client.of(
        BOOK,
        input=given(
            world,
            requiresInvigilation=False,
            reasonableAdjustments={"timeExtensionMinutes": 1000},
            moderator={"reference": "U1"},
        ),
    )
    lacking = client.confined_to(Role.SCHEDULER, centres=[UUID(int=1)], subjects=[])
    forbidden = await lacking.of(BOOK, input=given(world, autoSyncCentreSubject=True))

    assert payload["testSchedule"] is None
    assert [
        (e["__typename"], e["code"], e["path"][-1], e["httpStatus"]) for e in payload["errors"]
    ] == [
        ("InputError", "OUT_OF_RANGE", "timeExtensionMinutes", 400),
        ("PolicyError", "INVIGILATION_REQUIRED_BY_TEST", "requiresInvigilation", 422),
        ("PolicyError", "MODERATOR_NOT_ENABLED", "moderator", 422),
    ]
    [hidden, *elsewhere] = forbidden["errors"]
    assert (hidden["code"], hidden["path"]) == ("NOT_FOUND", ["input", "candidate"])
    assert [(e["required"], e["missingScope"], e["path"]) for e in elsewhere] == [
        ("SCHEDULE_TEST", "CENTRE", ["input", "centre"]),
        ("SCHEDULE_TEST", "SUBJECT", ["input", "test"]),
    ]


async def test_an_idempotency_key_schedules_once(client, world, ready) -> None:
    """Repeating a key and input returns the first result with the same keycode."""
    twice = given(world, idempotencyKey="k1")

    first, again = [await client.of(BOOK, input=twice) for _ in range(2)]

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["testSchedule"] == again["testSchedule"]


async def test_a_schedule_is_moved_and_deleted(client, world, ready) -> None:
    """A move returns the new window; after a deletion the node remains, with a null keycode."""
    schedule = await booked(client, world)

    moved = await client.of(
        MOVE,
        input={"testScheduleId": schedule["id"], "startTime": "10:00", "message": "late train"},
    )
    deleted = await client.of(DELETE, input={"testSchedule": {"keycode": schedule["keycode"]}})
    shown = await client.of(ONE, ref={"id": schedule["id"]})

    assert moved["changed"]
    assert moved["testSchedule"]["times"]["windows"][0]["start"] == "2027-02-01T10:00:00Z"
    assert moved["testSchedule"]["pin"] == schedule["pin"]
    assert deleted == {"deletedId": schedule["id"], "errors": []}
    assert (shown["status"], shown["scheduleStatus"], shown["keycode"], shown["pin"]) == (
        *("DELETED", "DELETED"),
        *(None, None),
    )
    assert shown["allowedActions"] == []
    assert await client.of(ONE, ref={"keycode": schedule["keycode"]}) is None
    assert (await client.of(LIST))["totalCount"] == 0
    found = await client.of(LIST, filter={"status": ["DELETED"]})
    assert found["nodes"] == [
        {"id": schedule["id"], "status": "DELETED", "scheduleStatus": "DELETED"}
    ]


async def test_sessions_lead_to_every_state(client, world, ready, clock) -> None:
    """A schedule is OPEN by the clock, IN_PROGRESS with the PIN, MARKED_EXTERNALLY when marked, and
    VOIDED when cancelled.
    """
    schedule = await booked(client, world, markedExternally=True)
    other = await booked(client, world, allowMultipleOpenSessions=True)
    ref = {"testSchedule": {"keycode": schedule["keycode"]}}
    clock.now = datetime(2027, 2, 1, 12, tzinfo=UTC)
    opened = await client.of(ONE, ref={"id": schedule["id"]})

    without = await client.of(RECORD, input={**ref, "state": "STARTED"})
    started = await client.of(RECORD, input={**ref, "state": "STARTED", "pin": schedule["pin"]})
    completed = await client.of(RECORD, input={**ref, "state": "COMPLETED"})
    voided = await client.of(CANCEL, id=other["id"])

    assert (opened["status"], opened["scheduleStatus"]) == ("CONFIRMED", "OPEN")
    assert [(e["code"], e["path"][-1]) for e in without["errors"]] == [("INVALID_VALUE", "pin")]
    assert started["testSchedule"]["scheduleStatus"] == "IN_PROGRESS"
    assert started["testSchedule"]["sessionStartedAt"] == "2027-02-01T12:00:00Z"
    assert completed["testSchedule"] == {
        "id": schedule["id"],
        "status": "COMPLETED",
        "scheduleStatus": "MARKED_EXTERNALLY",
        "sessionStartedAt": "2027-02-01T12:00:00Z",
    }
    assert voided["booking"]["scheduleStatus"] == "VOIDED"
    assert voided["booking"]["keycode"] == other["keycode"]


async def test_readers_and_filters_see_what_has_expired(client, world, ready, clock) -> None:
    """A schedule is listed as EXPIRED from the second at which its window closes."""
    schedule = await booked(client, world)
    expired, confirmed = {"status": ["EXPIRED"]}, {"status": ["CONFIRMED"]}
    closes = datetime(2027, 2, 3, 5, tzinfo=UTC)

    clock.now = closes.replace(hour=4, minute=59, second=59)
    before = [await client.of(LIST, filter=f) for f in (expired, confirmed)]
    clock.now = closes
    after = [await client.of(LIST, filter=f) for f in (expired, confirmed)]
    of_all = await client.of(OF_ALL, filter=expired)

    assert [found["totalCount"] for found in before] == [0, 1]
    assert [found["totalCount"] for found in after] == [1, 0]
    assert after[0]["nodes"][0]["scheduleStatus"] == "EXPIRED"
    assert of_all["nodes"] == [
        {
            "__typename": "TestSchedule",
            "id": schedule["id"],
            "status": "EXPIRED",
            "scheduleStatus": "EXPIRED",
        }
    ]


async def test_a_reference_that_is_none_is_an_error(client, world, key_of: Callable[[str], UUID]):
    """An id of another type and a malformed keycode are refused by name; an unknown keycode returns
    null.
    """
    assert await client.errors(ONE, ref={"id": world.test}) == [("INVALID_VALUE", "ref.id")]
    assert await client.errors(ONE, ref={"keycode": "\0"}) == [("INVALID_VALUE", "ref.keycode")]
    assert await client.of(ONE, ref={"keycode": "NOSUCH00"}) is None


async def test_a_schedule_outside_the_scope_is_not_there(client, world, ready) -> None:
    """A schedule outside the scope is found neither by id or keycode nor in lists."""
    schedule = await booked(client, world)
    elsewhere = client.confined_to(Role.SCHEDULER, centres=[UUID(int=1)], subjects=[UUID(int=1)])

    assert await elsewhere.of(ONE, ref={"keycode": schedule["keycode"]}) is None
    assert (await elsewhere.of(LIST))["totalCount"] == 0
    assert elsewhere.viewer.may(Permission.VIEW_SECRETS)
