"""Every named message of Shift iQ's, word for word, as a client is told it over HTTP."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from resolvers.identity import global_id, parse_global_id
from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import must
from tests.end_to_end.registering import ADA, BOB, FOUND, Place, lax, learner, made_place

NOBODY = str(UUID(int=0xDEAD))
NIL = str(UUID(int=0))
ALLOWED = ["CANCEL", "CHANGE_ASSESSMENT", "DELETE", "GRANT_ACCOMMODATION", "TRANSFER"]
"""What an administrator may do with a registration that nothing is granted to."""


@pytest.fixture
async def place(client: Client) -> Place:
    return await made_place(client)


class Message(NamedTuple):
    """What one of the named messages is told with."""

    message: str
    code: str
    type: str
    http_status: int
    path: str
    extensions: dict[str, Any] = {}  # noqa: RUF012 - never changed


def as_told(error: dict[str, Any]) -> Message:
    """An error as a client is told it, whole."""
    named = ("__typename", "code", "message", "path", "httpStatus")
    return Message(
        error["message"],
        error["code"],
        error["__typename"],
        error["httpStatus"],
        ".".join(error["path"]),
        {name: value for name, value in error.items() if name not in named},
    )


def of_input(field: str, **values: Any) -> dict[str, Any]:
    nothing = {"minLength": None, "maxLength": None, "allowedValues": None}
    return {"fieldName": field, **nothing, **values}


LAX = "input.target.lax"
Input = Callable[[dict[str, Any]], dict[str, Any]]

# [002] register-lax: the input, made of one that would go well, and what is told
REGISTER: dict[str, tuple[Input, Message]] = {
    "accommodation type": (
        lambda given: {
            **given,
            "accommodations": [{"name": "more time", "timeExtensionMinutes": 5}],
        },
        Message(
            "Accommodation type cannot be empty.",
            *("ACCOMMODATION_TYPE_EMPTY", "InputError", 400, "input.accommodations.0.type"),
            of_input("type"),
        ),
    ),
    "candidate": (
        lambda given: {**given, "candidate": learner(NOBODY)},
        Message(
            "Learner not found.",
            *("LEARNER_NOT_FOUND", "NotFoundError", 400, "input.candidate"),
            {"objectType": "Candidate", "identifier": f"SHIFT_IQ_V1/learner/{NOBODY}"},
        ),
    ),
    "form": (
        lambda given: {**given, "testForm": "DRAFT"},
        Message(
            "Assessment form not found.",
            *("ASSESSMENT_FORM_NOT_FOUND", "NotFoundError", 400, "input.testForm"),
            {"objectType": "TestForm", "identifier": "DRAFT"},
        ),
    ),
    "type missing": (
        lambda given: {**given, "target": lax(eventExamType=None)},
        Message(
            "EventExamType not specified.",
            *("EVENT_EXAM_TYPE_NOT_SPECIFIED", "InputError", 400, f"{LAX}.eventExamType"),
            of_input("eventExamType"),
        ),
    ),
    "type invalid": (
        lambda given: {**given, "target": lax(eventExamType="Oral")},
        Message(
            "Invalid EventExamType value.",
            *("INVALID_EVENT_EXAM_TYPE", "InputError", 400, f"{LAX}.eventExamType"),
            of_input("eventExamType", allowedValues=["Written"]),
        ),
    ),
    "billing code missing": (
        lambda given: {**given, "target": lax(eventBillingCode=None)},
        Message(
            "EventBillingCode not specified.",
            *("EVENT_BILLING_CODE_NOT_SPECIFIED", "InputError", 400, f"{LAX}.eventBillingCode"),
            of_input("eventBillingCode"),
        ),
    ),
    "billing code invalid": (
        lambda given: {**given, "target": lax(eventBillingCode="B3")},
        Message(
            "Invalid EventBillingCode value.",
            *("INVALID_EVENT_BILLING_CODE", "InputError", 400, f"{LAX}.eventBillingCode"),
            of_input("eventBillingCode", allowedValues=["B1", "B2"]),
        ),
    ),
    "format missing": (
        lambda given: {**given, "target": lax(eventExamFormat=None)},
        Message(
            "EventExamFormat not specified.",
            *("EVENT_EXAM_FORMAT_NOT_SPECIFIED", "InputError", 400, f"{LAX}.eventExamFormat"),
            of_input("eventExamFormat"),
        ),
    ),
    "format invalid": (
        lambda given: {**given, "target": lax(eventExamFormat="Screen")},
        Message(
            "Invalid EventExamFormat value.",
            *("INVALID_EVENT_EXAM_FORMAT", "InputError", 400, f"{LAX}.eventExamFormat"),
            of_input("eventExamFormat", allowedValues=["Paper"]),
        ),
    ),
    "start": (
        lambda given: {**given, "target": lax(eventStart="2027-02-01T09:00")},
        Message(
            "Invalid EventStartTime value.",
            *("INVALID_EVENT_START_TIME", "InputError", 400, f"{LAX}.eventStart"),
            of_input("eventStart"),
        ),
    ),
    "centre": (
        lambda given: {**given, "target": lax(centre=NOBODY)},
        Message(
            "Venue not found.",
            *("VENUE_NOT_FOUND", "NotFoundError", 400, f"{LAX}.centre"),
            {"objectType": "Centre", "identifier": NOBODY},
        ),
    ),
}


@pytest.mark.parametrize("name", REGISTER)
async def test_the_named_messages_of_register_lax(place: Place, name: str) -> None:
    """Each is told word for word with its code, place and HTTP class; and nothing is written."""
    change, expected = REGISTER[name]
    given = change(place.asked())

    payload = await place.done("bookRegistration", **given)

    assert [as_told(error) for error in payload["errors"]] == [expected]
    assert payload["registration"] is payload["event"] is None
    assert payload["eventCreated"] is payload["replayed"] is False
    assert await place.client.ask("{ registrationCount }") == 0
    assert (await place.client.ask("{ events { totalCount } }"))["totalCount"] == 0


async def test_registration_already_exists(place: Place) -> None:
    """An identifier is used once, also when its registration was deleted since."""
    first = await place.registered()
    again = place.asked(registration=first["identifier"], candidate=learner(BOB))

    [live] = await place.errors("bookRegistration", **again)
    await place.made("deleteRegistration", registrationId=first["id"])
    [deleted] = await place.errors("bookRegistration", **again)

    assert as_told(live) == as_told(deleted)
    assert as_told(live) == Message(
        "Registration already exists. You cannot add a new registration with the same identifier.",
        *("REGISTRATION_ALREADY_EXISTS", "ConflictError", 409, "input.registration"),
        {"conflicting": [{"id": first["id"]}]},
    )


# [002] transfer-lax: the registration's id and the input that would go well, and what is told
TRANSFER: dict[str, tuple[Input, Message]] = {
    "registration": (
        lambda given: {**given, "registrationId": global_id("Registration", UUID(int=7))},
        Message(
            "Registration not found.",
            *("REGISTRATION_NOT_FOUND", "NotFoundError", 404, "input.registrationId"),
            {"objectType": "Registration", "identifier": str(UUID(int=7))},
        ),
    ),
    "another learner": (
        lambda given: {**given, "candidate": learner(BOB)},
        Message(
            "Learner does not belong to registration.",
            *("LEARNER_DOES_NOT_BELONG_TO_REGISTRATION", "InputError", 400, "input.candidate"),
            of_input("candidate"),
        ),
    ),
    "already there": (
        lambda given: {**given, "target": lax()},
        Message(
            "Registration already assigned to event.",
            *("REGISTRATION_ALREADY_ASSIGNED_TO_EVENT", "StateError", 409, LAX),
            {
                "currentStatus": "CONFIRMED",
                "eventStatus": None,
                "currentVersion": 1,
                "allowedActions": ALLOWED,
            },
        ),
    ),
    "candidate": (
        lambda given: {**given, "candidate": learner(NOBODY)},
        Message(
            "Learner not found.",
            *("LEARNER_NOT_FOUND", "NotFoundError", 400, "input.candidate"),
            {"objectType": "Candidate", "identifier": f"SHIFT_IQ_V1/learner/{NOBODY}"},
        ),
    ),
}


def transferred(id: str, **values: Any) -> dict[str, Any]:
    """The input of a transfer to another day."""
    given = {
        "registrationId": id,
        "target": lax(days=5),
        "candidate": learner(ADA),
        "message": "Ill",
    }
    return {**given, **values}


@pytest.mark.parametrize("name", TRANSFER)
async def test_the_named_messages_of_transfer_lax(place: Place, name: str) -> None:
    """Each is told word for word with its code, place and HTTP class; and nothing moves."""
    change, expected = TRANSFER[name]
    registration = await place.registered()

    payload = await place.done("transferRegistration", **change(transferred(registration["id"])))

    [told] = [as_told(error) for error in payload["errors"]]
    assert told == expected
    assert payload["registration"] is payload["from"] is payload["to"] is None
    assert await place.found(registration["identifier"]) == registration


async def test_registration_has_no_assessment_form(place: Place) -> None:
    """A strict registration may have none, and is then not transferred."""
    event = await place.event()
    bare = await place.registered(target={"event": {"id": event}}, testForm=None)
    assert bare["testForm"] is None

    [error] = await place.errors("transferRegistration", **transferred(bare["id"]))

    told = as_told(error)
    assert told[:5] == (
        "Registration has no assessment form.",
        *("REGISTRATION_HAS_NO_ASSESSMENT_FORM", "StateError", 409, "input.registrationId"),
    )
    assert told.extensions["currentStatus"] == "CONFIRMED"
    assert told.extensions["currentVersion"] == 1
    assert told.extensions["allowedActions"] == ALLOWED


async def test_failures_of_one_stage_are_told_together(place: Place) -> None:
    """In the order of the checks, each with its place."""
    given = place.asked(
        registration=None,
        target=lax(centre=NIL, eventStart="soon"),
        candidate=learner(NOBODY),
        accommodations=[{"type": " "}],
        testForm="TWO-TONGUED",
    )

    told = await place.errors("bookRegistration", **given)
    missing = dict.fromkeys(("eventExamType", "eventExamFormat", "eventBillingCode"))
    of_event = await place.errors("bookRegistration", **place.asked(target=lax(**missing)))

    assert [error["code"] for error in told] == [
        "REQUIRED",
        "INVALID_EVENT_START_TIME",
        "VENUE_NOT_FOUND",
        "LEARNER_NOT_FOUND",
        "ACCOMMODATION_TYPE_EMPTY",
        "ASSESSMENT_FORM_NOT_FOUND",
    ]
    assert [error["message"] for error in of_event] == [
        "EventExamType not specified.",
        "EventExamFormat not specified.",
        "EventBillingCode not specified.",
    ]


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("transferRegistration", {"target": lax(), "candidate": learner(ADA), "message": "x"}),
        ("changeAssessment", {"testForm": "F1"}),
        ("deleteRegistration", {}),
    ],
)
async def test_an_id_that_is_no_registrations(
    place: Place, name: str, rest: dict[str, Any]
) -> None:
    """Malformed, of another type, or with the key of another kind: there is no such one."""
    enrolment = await place.enrolled("P2")
    [_, key] = must(parse_global_id(enrolment))
    pretended = global_id("Registration", key)

    for id in ("", "nonsense", global_id("Candidate", UUID(int=1)), enrolment, pretended):
        told = await place.errors(name, registrationId=id, **rest)

        of_it = [error for error in told if error["path"] == ["input", "registrationId"]]
        assert [(e["code"], e["message"], e["httpStatus"]) for e in of_it] == [
            ("REGISTRATION_NOT_FOUND", "Registration not found.", 404)
        ], id
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await place.client.ask(nodes, ids=[enrolment, pretended]) == [{"id": enrolment}, None]


async def test_an_id_that_is_no_learners(place: Place) -> None:
    """A learner by a malformed id, or by that of another type, is not found."""
    for id in ("", "nonsense", global_id("Event", UUID(int=1))):
        [error] = await place.errors("bookRegistration", **place.asked(candidate={"id": id}))

        assert (error["code"], error["message"]) == ("LEARNER_NOT_FOUND", "Learner not found.")
        assert error["path"] == ["input", "candidate"]


async def test_a_registration_that_is_not_there(place: Place) -> None:
    """Asked for by its UUID: the message of the commands, in the place of the field."""
    response = await place.client.answer(FOUND, identifier=NOBODY)

    [error] = response.json()["errors"]
    assert response.json()["data"] == {"registration": None}
    assert (error["message"], error["path"]) == ("Registration not found.", ["registration"])
    assert error["extensions"] == {
        "code": "REGISTRATION_NOT_FOUND",
        "path": ["identifier"],
        "httpStatus": 404,
    }
