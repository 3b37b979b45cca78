"""The life of registrations over HTTP: what is done with them, and where they appear."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.identity import global_id
from tests.end_to_end.clients import Client, Socket
from tests.end_to_end.inputs import mutation
from tests.end_to_end.registering import (
    ADA,
    BARE,
    BOB,
    NODE,
    OTHER_VENUE,
    Place,
    lax,
    learner,
    made_place,
)
from tests.end_to_end.watching import BOOKING_CHANGED, newest

LISTED = """query ($filter: BookingFilter, $criteria: RegistrationCriteria) {
    bookings(filter: $filter) { totalCount nodes { __typename id } }
    registrations(filter: $filter, criteria: $criteria) { totalCount nodes { id } }
    registrationCount(criteria: $criteria)
}"""


@pytest.fixture
async def place(client: Client) -> Place:
    return await made_place(client)


# ---------------------------------------------------------------- what is done with them


async def test_the_first_lax_call_makes_the_event(place: Place) -> None:
    """The second finds it, and needs not say what only a new one needs."""
    accommodations = [{"type": "READER", "name": "A reader", "timeExtensionMinutes": 15}]
    first = await place.made(
        "bookRegistration",
        **place.asked(registrantType="Apprentice", accommodations=accommodations),
    )
    second = await place.made(
        "bookRegistration", **place.asked(target=BARE, candidate={"reference": "P2"})
    )

    assert (first["eventCreated"], second["eventCreated"]) == (True, False)
    assert (
        first["event"]
        == second["event"]
        == {
            "id": first["registration"]["event"]["id"],
            "title": "Written at York",
            "createdAutomatically": True,
        }
    )
    made = first["registration"]
    assert made["reference"] == f"REG-{UUID(made['identifier']).hex[:8]}"
    assert (made["status"], made["registrationStatus"]) == ("CONFIRMED", "REGISTERED")
    assert made["testForm"] == {"code": "F1"}
    assert made["accommodations"] == [
        {"type": "READER", "name": "A reader", "timeExtensionMinutes": 15}
    ]
    assert await place.found(made["identifier"]) == made


async def test_a_text_that_differs_is_a_warning(place: Place) -> None:
    """The event is found by centre and start; what else is said of it is compared."""
    await place.registered()
    payload = await place.made(
        "bookRegistration",
        **place.asked(candidate=learner(BOB), target=lax(eventExamType="Oral")),
    )

    assert payload["eventCreated"] is False
    assert [warning["path"] for warning in payload["warnings"]] == [
        ["input", "target", "lax", "eventExamType"]
    ]


async def test_no_event_is_made_where_nobody_wants_one(place: Place) -> None:
    """`onNoMatch: REJECT` asks for an event that is there."""
    [error] = await place.errors("bookRegistration", **place.asked(target=lax(onNoMatch="REJECT")))

    assert (error["code"], error["path"]) == ("EVENT_NOT_FOUND", ["input", "target", "lax"])


async def test_strict_and_lax_transfers(place: Place) -> None:
    """From one event to another and on to a new one; the form stays, the way is kept."""
    registration = await place.registered()
    strict, id = await place.event(), registration["id"]
    target = {"event": {"id": strict}}
    common = {"registrationId": id, "candidate": learner(ADA)}

    first = await place.made("transferRegistration", **common, target=target, message="Snow")
    payload = await place.made(
        "transferRegistration",
        **common,
        target=lax(centre=OTHER_VENUE, eventExamFormat=None, eventBillingCode=None),
        message="Ice",
        expectedVersion=2,
    )

    start = registration["event"]["id"]
    assert (first["from"], first["to"]) == ({"id": start}, {"id": strict})
    assert (first["eventCreated"], payload["eventCreated"]) == (False, True)
    new = payload["to"]["id"]
    moved = payload["registration"]
    assert moved["event"] == {"id": new}
    assert moved["testForm"] == registration["testForm"]
    by = {"name": "admin"}
    assert moved["transfers"] == [
        {"from": {"id": start}, "to": {"id": strict}, "message": "Snow", "by": by},
        {"from": {"id": strict}, "to": {"id": new}, "message": "Ice", "by": by},
    ]


async def test_a_transfer_needs_its_reason(place: Place) -> None:
    """An empty one is none; and the schema lets nobody leave it out."""
    registration = await place.registered()
    given = {
        "registrationId": registration["id"],
        "candidate": learner(ADA),
        "target": lax(days=6),
        "message": "",
    }

    [error] = await place.errors("transferRegistration", **given)
    del given["message"]
    response = await place.client.answer(mutation("transferRegistration"), input=given)

    assert error["path"] == ["input", "message"]
    assert "message" in response.json()["errors"][0]["message"]
    assert await place.found(registration["identifier"]) == registration


async def test_another_form(place: Place) -> None:
    """It is found by its code; the one that is assigned already is refused."""
    registration = await place.registered()
    id = registration["id"]

    payload = await place.made("changeAssessment", registrationId=id, testForm="F2")
    [again] = await place.errors("changeAssessment", registrationId=id, testForm="F2")
    [draft] = await place.errors("changeAssessment", registrationId=id, testForm="DRAFT")
    [stale] = await place.errors(
        "changeAssessment", registrationId=id, testForm="F1", expectedVersion=1
    )

    assert payload["registration"]["testForm"] == {"code": "F2"}
    assert again["message"] == "Assessment already assigned to registration."
    assert (again["code"], again["httpStatus"]) == ("ASSESSMENT_ALREADY_ASSIGNED", 409)
    assert (draft["message"], draft["httpStatus"]) == ("Assessment form not found.", 400)
    assert (stale["code"], stale["currentVersion"]) == ("STALE_BOOKING", 2)


async def test_deleted_ones_are_read_by_id_only(place: Place) -> None:
    """Lists and counts have them where a filter's status names DELETED."""
    registration = await place.registered()
    id = registration["id"]

    first = await place.made("deleteRegistration", registrationId=id)
    again = await place.made("deleteRegistration", registrationId=id)

    assert first["deletedId"] == again["deletedId"] == id
    gone = {"id": id, "status": "DELETED", "registrationStatus": "DELETED"}
    assert await place.client.ask(NODE, id=id) == gone
    assert (await place.found(registration["identifier"]))["status"] == "DELETED"
    listed = await place.client.ask(LISTED)
    assert listed["bookings"]["totalCount"] == listed["registrations"]["totalCount"] == 0
    assert listed["registrationCount"] == 0
    named = await place.client.ask(LISTED, filter={"status": ["DELETED"]})
    assert named["registrations"] == {"totalCount": 1, "nodes": [{"id": id}]}
    seats = "query ($id: ID!) { event(ref: {id: $id}) { seats { taken } } }"
    event = registration["event"]["id"]
    assert await place.client.ask(seats, id=event) == {"seats": {"taken": 0}}


async def test_cancelled_like_every_booking(place: Place) -> None:
    """One, and several of two kinds; again changes nothing, and a registration costs nothing."""
    one, other = await place.registered(), await place.registered(candidate=learner(BOB))
    enrolment = await place.enrolled("P2")
    reason = {"reason": "OTHER", "message": "Moved away"}

    first = await place.made("cancelBooking", bookingId=one["id"], **reason)
    again = await place.made("cancelBooking", bookingId=one["id"], **reason)
    both = await place.made("cancelBookings", bookingIds=[other["id"], enrolment], **reason)

    assert (first["changed"], again["changed"]) == (True, False)
    assert first["booking"] == again["booking"] == {"id": one["id"], "status": "CANCELLED"}
    assert [one["booking"]["status"] for one in both["cancelled"]] == ["CANCELLED"] * 2
    assert both["cancelled"][0]["paymentReference"] is both["cancelled"][0]["cost"] is None
    assert both["cancelled"][1]["paymentReference"] is not None


async def test_a_batch_that_succeeded_in_part_is_answered_again(place: Place) -> None:
    """The errors are answered too, even after what was refused has become possible."""
    one = await place.registered()
    asked = {
        "bookingIds": [one["id"], global_id("Registration", UUID(int=1))],
        "reason": "WITHDRAWN",
        "mode": "BEST_EFFORT",
        "idempotencyKey": "K1",
    }

    first = await place.done("cancelBookings", **asked)
    again = await place.done("cancelBookings", **asked)
    [reused] = await place.errors("cancelBookings", **{**asked, "bookingIds": [one["id"]]})
    [other_mode] = await place.errors("cancelBookings", **{**asked, "mode": "ALL_OR_NOTHING"})

    assert [error["path"] for error in first["errors"]] == [["input", "bookingIds", "1"]]
    assert [one["booking"]["status"] for one in first["cancelled"]] == ["CANCELLED"]
    assert first["replayed"] is False
    assert again == {**first, "replayed": True}
    assert reused["code"] == other_mode["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_accommodations_like_those_of_every_booking(place: Place) -> None:
    """Granted, replaced by type, and revoked once; the end moves with the time."""
    registration = await place.registered(target={"event": {"id": await place.event()}})
    id, end = registration["id"], registration["times"]["end"]
    granted = {"type": "READER", "name": "A reader", "timeExtensionMinutes": 30}

    first = await place.made("grantAccommodation", bookingId=id, accommodation=granted)
    same = await place.made("grantAccommodation", bookingId=id, accommodation=granted)
    longer = await place.found(registration["identifier"])
    revoked = await place.made("revokeAccommodation", bookingId=id, type="READER")
    [gone] = await place.errors("revokeAccommodation", bookingId=id, type="READER")
    [empty] = await place.errors("grantAccommodation", bookingId=id, accommodation={"type": ""})

    assert (first["changed"], same["changed"], revoked["changed"]) == (True, False, True)
    assert first["accommodation"] == {"type": "READER", "name": "A reader"}
    assert (longer["version"], longer["times"]["end"] > end) == (2, True)
    assert (await place.found(registration["identifier"]))["times"]["end"] == end
    assert gone["code"] == "ACCOMMODATION_NOT_GRANTED"
    assert empty["message"] == "Accommodation type cannot be empty."


# ---------------------------------------------------------------- again


async def test_the_same_key_is_answered_from_memory(place: Place) -> None:
    """A booking and a transfer; with other input, or for another mutation, the key is refused."""
    asked = place.asked(registration=None, target={"event": {"id": await place.event()}})
    asked["idempotencyKey"] = "K1"
    first, again = [await place.made("bookRegistration", **asked) for _ in range(2)]
    registration = first["registration"]
    transfer = {
        "registrationId": registration["id"],
        "candidate": learner(ADA),
        "target": lax(),
        "message": "Snow",
        "idempotencyKey": "K2",
    }
    moved, moved_again = [await place.made("transferRegistration", **transfer) for _ in range(2)]

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert {**again, "replayed": False} == first
    assert (moved["replayed"], moved_again["replayed"]) == (False, True)
    assert {**moved_again, "replayed": False} == moved
    assert (moved["eventCreated"], moved_again["eventCreated"]) == (True, True)
    for name, given in (
        ("bookRegistration", {**asked, "testForm": "F2"}),
        ("bookRegistration", {**asked, "accommodations": [{"type": "READER"}]}),
        ("transferRegistration", {**transfer, "idempotencyKey": "K1"}),
    ):
        [error] = await place.errors(name, **given)
        assert (error["code"], error["httpStatus"]) == ("IDEMPOTENCY_KEY_REUSED", 422)
    assert await place.client.ask("{ registrationCount }") == 1


# ---------------------------------------------------------------- where they appear


async def test_they_appear_wherever_bookings_do(place: Place) -> None:
    """In every list, by kind, beside those of other kinds; and their seats count together."""
    registration, event = await place.registered(), await place.event()
    id = registration["id"]
    target = {"event": {"id": event}}
    other = await place.registered(target=target, candidate=learner(BOB))
    booked = {"candidate": {"reference": "P1"}, "event": {"id": event}, "deliveryMode": "ONLINE"}
    payload = await place.client.ask(mutation("bookEnrolment", "enrolment { id }"), input=booked)
    enrolment = payload["enrolment"]["id"]
    both = """query ($event: ID!, $id: ID!, $kind: [BookingKind!]) {
        event(ref: {id: $event}) {
            seats { taken }
            bookings(filter: {kind: $kind}) { totalCount nodes { id __typename } }
        }
        candidate(ref: {reference: "P1"}) { bookings(filter: {kind: $kind}) { nodes { id } } }
        bookings(filter: {kind: $kind}) { nodes { id } }
        booking(id: $id) {
            __typename allowedActions history { nodes { type changedFields } } payment { id }
        }
    }"""

    found = await place.client.ask(
        both, event=event, id=id, kind=["ENROLMENT", "REGISTRATION", "TEST_SCHEDULE"]
    )
    only = await place.client.ask(both, event=event, id=id, kind=["REGISTRATION"])

    assert found["event"]["seats"] == {"taken": 2}
    assert {(one["__typename"], one["id"]) for one in found["event"]["bookings"]["nodes"]} == {
        ("Registration", other["id"]),
        ("Enrolment", enrolment),
    }
    assert {one["id"] for one in found["candidate"]["bookings"]["nodes"]} == {id, enrolment}
    assert {one["id"] for one in found["bookings"]["nodes"]} == {id, other["id"], enrolment}
    assert [one["id"] for one in only["event"]["bookings"]["nodes"]] == [other["id"]]
    assert [one["id"] for one in only["candidate"]["bookings"]["nodes"]] == [id]
    assert {one["id"] for one in only["bookings"]["nodes"]} == {id, other["id"]}
    booking = found["booking"]
    assert (booking["__typename"], booking["payment"]) == ("Registration", None)
    assert set(booking["allowedActions"]) == {
        *("TRANSFER", "CHANGE_ASSESSMENT", "CANCEL", "GRANT_ACCOMMODATION", "DELETE"),
    }
    assert [change["type"] for change in booking["history"]["nodes"]] == ["CREATED"]


async def test_every_change_is_told(place: Place, socket: Socket) -> None:
    """What is done with a registration arrives in `bookingChanged` as its history has it."""
    await place.registered(candidate=learner(BOB))
    start = await newest(place.client)
    registration = await place.registered()
    id = registration["id"]
    given = {"registrationId": id, "candidate": learner(ADA), "target": lax(days=6), "message": "x"}
    await place.made("transferRegistration", **given)
    await place.made("changeAssessment", registrationId=id, testForm="F2")
    await place.made("grantAccommodation", bookingId=id, accommodation={"type": "READER"})
    await place.made("cancelBooking", bookingId=id, reason="ILLNESS")
    await place.made("deleteRegistration", registrationId=id)

    await socket.subscribe(BOOKING_CHANGED, filter={"kind": ["REGISTRATION"]}, after=start)
    told = await socket.several(6)

    history = "query ($id: ID!) { booking(id: $id) { history { nodes { type cursor version } } } }"
    changes = (await place.client.ask(history, id=id))["history"]["nodes"]
    assert [{name: one[name] for name in changes[0]} for one in told] == changes
    assert {one["booking"]["id"] for one in told} == {id}
    assert [change["type"] for change in changes] == [
        *("CREATED", "TRANSFERRED", "ASSESSMENT_CHANGED", "ACCOMMODATION_GRANTED"),
        *("CANCELLED", "DELETED"),
    ]


async def test_a_search_by_criteria(place: Place) -> None:
    """As the source has it: name, email, code and last change; the count says the same."""
    ada, bob = await place.registered(), await place.registered(candidate=learner(BOB))

    async def found(**criteria: Any) -> set[str]:
        listed = await place.client.ask(LISTED, criteria=criteria)
        nodes = listed["registrations"]["nodes"]
        assert listed["registrationCount"] == listed["registrations"]["totalCount"] == len(nodes)
        return {node["id"] for node in nodes}

    assert await found() == {ada["id"], bob["id"]}
    assert await found(name="A LOVE") == {ada["id"]}
    assert await found(email="p2@EXAMPLE") == {bob["id"]}
    assert await found(code="P1") == {ada["id"]}
    assert await found(code="p1") == {ada["id"]}
    assert bob["id"] in await found(lastChangeTimeSince=bob["updatedAt"])
    assert bob["id"] not in await found(lastChangeTimeBefore=bob["updatedAt"])
    assert await found(name="ada", code="P2", email=None) == {bob["id"]}
