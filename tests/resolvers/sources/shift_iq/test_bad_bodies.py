"""What is wrong in a body, in the source's own words and at its own members."""

from typing import Any
from uuid import UUID

import pytest

from resolvers.sources.shift_iq.bodies import OF_EVENT_BODY, OF_REGISTRATION_BODY
from tests.resolvers.sources.conftest import Snapshot, fates, reasons
from tests.resolvers.sources.shift_iq.conftest import (
    EVENT,
    IN_ORDER,
    LEARNER,
    OTHER,
    ImportShift,
    body,
    document,
    learner,
)
from tests.resolvers.world import World

NAMED: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("register-lax", {"Learner": OTHER}, [("Learner", "Learner not found.")]),
    ("register-lax", {"Learner": None}, [("Learner", "Learner not found.")]),
    ("register-lax", {"Assessment": "X"}, [("Assessment", "Assessment form not found.")]),
    ("register-lax", {"Assessment": None}, [("Assessment", "Assessment form not found.")]),
    ("register-lax", {"EventVenue": OTHER}, [("EventVenue", "Venue not found.")]),
    ("register-lax", {"EventVenue": str(UUID(int=0))}, [("EventVenue", "Venue not found.")]),
    ("register-lax", {"EventStart": "soon"}, [("EventStart", "Invalid EventStartTime value.")]),
    ("register-lax", {"EventStart": None}, [("EventStart", "Invalid EventStartTime value.")]),
    (
        "register-lax",
        {"EventExamType": None, "EventExamFormat": "", "EventBillingCode": None},
        [
            ("EventExamType", "EventExamType not specified."),
            ("EventExamFormat", "EventExamFormat not specified."),
            ("EventBillingCode", "EventBillingCode not specified."),
        ],
    ),
    (
        "register-lax",
        {"Accommodations": [{"Type": "a"}, {"Name": "x"}]},
        [("Accommodations[1].Type", "Accommodation type cannot be empty.")],
    ),
    (
        "register-lax",
        {"Accommodations": [{"Type": "a", "TimeExtension": 1000}]},
        [("Accommodations[0].TimeExtension", "'TimeExtension' must be from 0 to 999")],
    ),
    ("transfer-lax", {"Learner": OTHER}, [("Learner", "Learner not found.")]),
    (
        "transfer-lax",
        {"EventStart": "2027-02-01T13:00:00Z"},
        [("", "Registration already assigned to event.")],
    ),
    ("change-assessment", {"Assessment": "X"}, [("Assessment", "Assessment form not found.")]),
    (
        "change-assessment",
        {"Assessment": "CARP-1-A"},
        [("Assessment", "Assessment already assigned to registration.")],
    ),
    ("grant-accommodation", {"Type": " "}, [("Type", "Accommodation type cannot be empty.")]),
    ("revoke-accommodation", {"Type": None}, [("Type", "Accommodation type cannot be empty.")]),
    (
        "revoke-accommodation",
        {"Type": "lift"},
        [("Type", "The booking has no accommodation of this type.")],
    ),
    ("transfer-lax", {"Reason": None}, [("Reason", "'Reason' is required")]),
    ("cancel-registration", {"Reason": None}, [("Reason", "'Reason' is required")]),
    (
        "cancel-registration",
        {"Reason": " "},
        [("Reason", "'Reason' must be between 1 and 500 characters")],
    ),
    ("cancel-registration", {"Why": "x"}, [("Why", "'Why' is not a member of this document")]),
    (
        "add-event",
        {"RegistrationLimit": 0},
        [("RegistrationLimit", "'RegistrationLimit' must be from 1 to 100000")],
    ),
    (
        "add-event",
        {"EventStart": "2027-02-15"},
        [("EventStart", "'EventStart' must be YYYY-MM-DDTHH:MM:SS with an offset or Z")],
    ),
    (
        "add-event",
        {"EventTitle": "x"},
        [("EventTitle", "'EventTitle' is not a member of this document")],
    ),
]


@pytest.mark.parametrize(("name", "values", "told"), NAMED)
async def test_every_message_stands_at_the_bodys_own_member(
    imports: ImportShift,
    snapshot: Snapshot,
    known: UUID,
    name: str,
    values: dict[str, Any],
    told: list[tuple[str, str]],
) -> None:
    """What the source names it by, word for word; and nothing of the body stays."""
    if name not in {"register-lax", "add-event"}:
        await imports("register-lax")
    before = await snapshot()

    report = await imports(body(name, **values))

    [row] = report.refused
    assert [(reason.path, reason.message) for reason in row.reasons] == [
        (f"$.body.{member}".rstrip("."), message) for member, message in told
    ]
    assert await snapshot() == before


@pytest.mark.parametrize("name", IN_ORDER[1:])
async def test_a_registration_that_nobody_knows_is_reported(
    imports: ImportShift, known: UUID, name: str
) -> None:
    """Of every command: `Registration not found.`"""
    [row] = (await imports(name)).refused

    assert ("$.registration", "Registration not found.") in [
        (reason.path, reason.message) for reason in row.reasons
    ]


async def test_the_learner_is_the_registrations(
    imports: ImportShift, world: World, known: UUID
) -> None:
    """A transfer that names another learner than who is registered is refused."""
    await learner(world, OTHER, "C2")
    await imports("register-lax")

    report = await imports(body("transfer-lax", Learner=OTHER))

    assert reasons(report) == [("$.body.Learner", "LEARNER_DOES_NOT_BELONG_TO_REGISTRATION")]


async def test_an_event_that_nobody_knows_is_not_cancelled(imports: ImportShift) -> None:
    """It is reported, and tried again the next time."""
    assert reasons(await imports("cancel-event")) == [("$.event", "EVENT_NOT_FOUND")]
    assert fates(await imports([document("add-event"), document("cancel-event")])) == [
        "made",
        "changed",
    ]


WRAPPED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"registration": "x"}, [("$.registration", "INVALID_VALUE")]),
    ({"registration": None}, [("$.registration", "REQUIRED")]),
    ({"registration": str(UUID(int=0))}, [("$.registration", "REQUIRED")]),
    ({"command": None}, [("$.command", "REQUIRED")]),
    ({"command": "register"}, [("$.command", "INVALID_VALUE")]),
    ({"command": "add"}, [("$.command", "INVALID_VALUE")]),
    ({"body": None}, [("$.body", "REQUIRED")]),
    ({"body": []}, [("$.body", "INVALID_VALUE")]),
    ({"event": EVENT}, [("$.event", "INVALID_VALUE"), ("$.command", "INVALID_VALUE")]),
    ({"learner": LEARNER}, [("$.learner", "INVALID_VALUE")]),
    ({"command": "delete"}, [("$.body.Type", "INVALID_VALUE")]),
]


@pytest.mark.parametrize(("values", "told"), WRAPPED)
async def test_what_stands_beside_a_body_is_read_strictly(
    imports: ImportShift, values: dict[str, Any], told: list[tuple[str, str]]
) -> None:
    """One UUID, of an event or of a registration, a command of it, and its body."""
    given = {**document("revoke-accommodation"), **values}

    assert reasons(await imports(given)) == told


def test_every_member_of_a_body_has_its_place() -> None:
    """What the commands speak of is told by the members that [002] prints."""
    printed = {name for places in (OF_EVENT_BODY, OF_REGISTRATION_BODY) for name in places.values()}
    members = {place[1] for place in printed if place[:1] == ("body",) and len(place) > 1}

    assert members == {
        "EventVenue",
        "EventStart",
        "EventExamType",
        "EventExamFormat",
        "EventBillingCode",
        "RegistrationLimit",
        "Learner",
        "LearnerRegistrantType",
        "Assessment",
        "Accommodations",
        "Type",
        "Name",
        "TimeExtension",
        "Reason",
    }
