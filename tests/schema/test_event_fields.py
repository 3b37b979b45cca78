"""Every field of a Shift iQ event can be written and read through GraphQL."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from resolvers.identity import global_id
from resolvers.vocabulary import EventKind
from tests.schema.event_fields import BY_SOURCE, FIELDS, REFUSED, Field, at, nested

SHOWN = """fragment shown on Event { id version kind
  identifier organization { id } centre { reference } number eventType title summary description
  content classCode calendarColor appointmentType source creditHours venueRoom
  venueOfficeIdentifier venueCoordinatorIdentifier achievementIdentifier
  learnerRegistrationGroupIdentifier mandatorySurveyFormIdentifier times { start end }
  durationQuantity durationUnit examDurationInMinutes examType examFormat examStarted
  examScoreWarnings billingType billingCodeEnabled capacityMinimum capacityMaximum
  invigilatorMinimum waitlistEnabled allowMultipleRegistrations allowRegistrationWithLink
  personCodeIsRequired registrationFields registrationStart registrationDeadline
  registrationLocked publicationStatus publicationErrors requisitionStatus schedulingStatus
  integrationWithholdDistribution integrationWithholdGrades
  distribution { code process status errors ordered expected shipped tracked
    returnShipmentCode returnShipmentCondition returnShipmentReceived }
  lastChangeTime lastChangeType lastChangeUser }"""
EVENT = f"query ($id: ID!) {{ event(ref: {{id: $id}}) {{ ...shown }} }} {SHOWN}"
UPDATE = f"""mutation ($input: UpdateEventInput!) {{ updateEvent(input: $input) {{
  event {{ ...shown }} errors {{ code path }} }} }} {SHOWN}"""

WRITABLE = [field for field in FIELDS if field.given is not None]
STARTS = {"EventScheduledEnd": {"start": "2027-03-01T09:00:00Z"}}
"""Other input that an event needs so that a field can be set."""


def test_the_table_has_every_field():
    """The source has 62 fields, eight of them identifiers."""
    assert len(FIELDS) == len(BY_SOURCE) == 62
    assert len([name for name in BY_SOURCE if name.endswith("Identifier")]) == 8
    assert {type(field.first) for field in FIELDS} == {str, bool, int, float, type(None)}
    assert len({field.shown for field in FIELDS}) == 62
    assert all(re.search(rf"\b{field.shown.split('.')[-1]}\b", SHOWN) for field in FIELDS)


@pytest.fixture
async def centres(made):
    for name in ("V1", "V2"):
        await made("upsertCentre", "centre", reference=name, name=name, timeZone="Asia/Tokyo")


def ids(field: Field) -> str:
    return field.source


@pytest.mark.parametrize("field", WRITABLE, ids=ids)
async def test_a_field_is_written_and_read(client, made, centres, clock, field):
    """A field is set on creation, replaced by an update and cleared by a null; the history records
    who changed it.
    """
    somebody = client.seeing(name="Cleo")
    given = {"title": "T", **STARTS.get(field.source, {}), **nested(field.made_by, field.first)}
    event = await made("createEvent", "event", **given)
    found = await client.of(EVENT, id=event)
    assert at(field.shown, found) == field.first
    assert found["lastChangeType"] == "Created"

    clock.now += timedelta(hours=1)
    change = nested(field.given, field.second)
    changed = await somebody.of(UPDATE, input={"eventId": event, **change})
    found = await client.of(EVENT, id=event)
    assert changed == {"event": found, "errors": []}
    assert at(field.shown, found) == field.second
    assert found["version"] == 2
    assert (found["lastChangeType"], found["lastChangeUser"]) == ("Updated", "Cleo")
    assert found["lastChangeTime"] == "2027-01-11T13:00:00Z"

    cleared = await client.of(UPDATE, input={"eventId": event, **clearing(field)})
    found = await client.of(EVENT, id=event)
    if field.empty is REFUSED:
        path = ["input", *field.given.split(".")]
        assert cleared == {"event": None, "errors": [{"code": "REQUIRED", "path": path}]}
        assert at(field.shown, found) == field.second
    else:
        assert cleared == {"event": found, "errors": []}
        assert at(field.shown, found) is None


def clearing(field: Field) -> dict[str, object]:
    """Return an input that clears a field; a reference is cleared as a whole."""
    place = field.given.removesuffix(".reference")
    return nested(place, None)


async def test_what_else_is_left_alone(client, made, centres):
    """Setting a field changes no other: all fields set at once keep their values."""
    given = {}
    for field in WRITABLE:
        merge(given, nested(field.made_by, field.first))
    event = await made("createEvent", "event", **{**given, "title": "T"})

    found = await client.of(EVENT, id=event)

    shown = {field.source: at(field.shown, found) for field in WRITABLE}
    assert shown == {field.source: field.first for field in WRITABLE} | {"EventTitle": "T"}


def merge(into: dict, values: dict) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            merge(into.setdefault(name, {}), value)
        else:
            into[name] = value


@pytest.mark.parametrize("kind", list(EventKind))
async def test_the_kind(client, made, kind):
    """`kind` and the source's own `eventType` are separate fields."""
    event = await made("createEvent", "event", title="T", kind=kind, details={"eventType": "Own"})

    found = await client.of(EVENT, id=event)

    assert (found["kind"], found["eventType"]) == (kind, "Own")


async def test_the_identifier_and_the_organization(client, made):
    """An event has the client's identifier and its creator's organization."""
    field = BY_SOURCE["EventIdentifier"]
    event = await made("createEvent", "event", title="T", identifier=field.first)

    found = await client.of(EVENT, id=event)

    assert found["identifier"] == field.first
    own = global_id("Organization", client.viewer.organization_id)
    assert found["organization"]["id"] == own


async def test_the_gateway_keeps_the_last_change(client, made, clock):
    """Every command that changes an event updates its last change; other commands do not."""

    async def last() -> tuple[str, str, str]:
        found = await client.of(EVENT, id=event)
        return found["lastChangeTime"], found["lastChangeType"], found["lastChangeUser"]

    update = (
        "mutation ($input: UpdateEventInput!) { updateEvent(input: $input) { errors { code } } }"
    )
    cancel = (
        "mutation ($input: CancelEventInput!) { cancelEvent(input: $input) { errors { code } } }"
    )
    event = await made("createEvent", "event", title="T", start="2027-03-01T09:00:00Z")
    assert await last() == ("2027-01-11T12:00:00Z", "Created", "admin")

    cleo = replace(client, viewer=replace(client.viewer, name="Cleo"))
    clock.now += timedelta(minutes=1)
    await cleo.of(update, input={"eventId": event, "title": "T"})
    assert await last() == ("2027-01-11T12:00:00Z", "Created", "admin")

    await cleo.of(update, input={"eventId": event, "title": "U"})
    assert await last() == ("2027-01-11T12:01:00Z", "Updated", "Cleo")

    clock.now += timedelta(minutes=1)
    await client.of(cancel, input={"eventId": event, "message": "Storm"})
    assert await last() == ("2027-01-11T12:02:00Z", "Cancelled", "admin")

    clock.now += timedelta(minutes=1)
    await cleo.of(cancel, input={"eventId": event, "message": "Again"})
    await cleo.of(update, input={"eventId": event, "title": "V"})
    assert await last() == ("2027-01-11T12:02:00Z", "Cancelled", "admin")
