"""Who may do what with registrations over HTTP, and who sees them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.identity import global_id, parse_global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from tests.end_to_end.clients import Client
from tests.end_to_end.conftest import ClientAs
from tests.end_to_end.inputs import must, mutation
from tests.end_to_end.registering import (
    ADA,
    BARE,
    BOB,
    FOUND,
    NODE,
    Place,
    lax,
    learner,
    made_place,
)


@pytest.fixture
async def place(client: Client) -> Place:
    return await made_place(client)


async def test_roles_without_the_permission(place: Place, client_as: ClientAs) -> None:
    """Each mutation needs the permission of its name."""
    registration = await place.registered()
    by_id = {"registrationId": registration["id"]}
    asked = {
        "bookRegistration": place.asked(candidate=learner(BOB)),
        "transferRegistration": {
            **by_id,
            "target": lax(days=6),
            "candidate": learner(ADA),
            "message": "x",
        },
        "changeAssessment": {**by_id, "testForm": "F2"},
        "deleteRegistration": by_id,
    }
    permission = {
        "bookRegistration": "BOOK",
        "transferRegistration": "TRANSFER",
        "changeAssessment": "BOOK",
        "deleteRegistration": "DELETE",
    }
    marker = place.by(await client_as(role="marker"))
    for name, given in asked.items():
        [error] = [e for e in await marker.errors(name, **given) if e["code"] == "FORBIDDEN"]
        assert (error["required"], error["missingScope"]) == (permission[name], None)
        assert (error["__typename"], error["httpStatus"]) == ("PermissionError", 403)

    assert await place.found(registration["identifier"]) == registration


async def user(client: Client, **values: Any) -> UUID:
    """The key of a user."""
    payload = await client.ask(mutation("upsertUser", "user { id }"), input=values)
    assert payload["errors"] == [], payload
    return must(parse_global_id(payload["user"]["id"]))[1]


async def test_agents_and_candidates(place: Place, client_as: ClientAs) -> None:
    """An agent sees no registration; a candidate its own, and may cancel that."""
    ada, bob = await place.registered(), await place.registered(candidate=learner(BOB))
    who = {"reference": "A1", "name": "Agent", "role": "AGENT"}
    agent = place.by(await client_as(role="agent", user_id=await user(place.client, **who)))
    of_ada = {"reference": "C1", "name": "Ada", "role": "CANDIDATE"}
    key = await user(place.client, **of_ada, candidate={"reference": "P1"})
    herself = place.by(await client_as(role="candidate", user_id=key))

    assert await agent.client.ask("{ registrationCount }") == 0
    [told] = await agent.errors("cancelBooking", bookingId=ada["id"], reason="ILLNESS")
    assert told["code"] == "REGISTRATION_NOT_FOUND"
    asked = place.asked(candidate=learner(BOB), target=BARE)
    codes = {error["code"] for error in await agent.errors("bookRegistration", **asked)}
    assert codes == {"LEARNER_NOT_FOUND", "FORBIDDEN"}
    assert await herself.client.ask("{ registrations { nodes { id } } }") == {
        "nodes": [{"id": ada["id"]}]
    }
    assert (await herself.found(ada["identifier"]))["id"] == ada["id"]
    response = await herself.client.answer(FOUND, identifier=bob["identifier"])
    assert response.json()["errors"][0]["message"] == "Registration not found."
    codes = [
        error["code"]
        for error in await herself.errors("deleteRegistration", registrationId=ada["id"])
    ]
    assert codes == ["FORBIDDEN"]
    await herself.made("cancelBooking", bookingId=ada["id"], reason="ILLNESS")
    [error] = await herself.errors("cancelBooking", bookingId=bob["id"], reason="ILLNESS")
    assert error["code"] == "REGISTRATION_NOT_FOUND"


async def test_what_accepts_every_kind_names_a_registration(place: Place) -> None:
    """The type in the id decides the message: an id of a registration, or of another kind."""
    registration = await place.registered()
    key = must(parse_global_id(registration["id"]))[1]
    granted = {"accommodation": {"type": "READER"}}

    for kind, code, message in (
        ("Registration", "REGISTRATION_NOT_FOUND", "Registration not found."),
        ("Enrolment", "NOT_FOUND", "Booking not found."),
        ("TestSchedule", "NOT_FOUND", "Booking not found."),
    ):
        unknown = global_id(kind, uuid4())
        ids = [unknown] if kind == "Registration" else [unknown, global_id(kind, key)]
        for id in ids:
            told = [
                *await place.errors("cancelBooking", bookingId=id, reason="ILLNESS"),
                *await place.errors("cancelBookings", bookingIds=[id], reason="ILLNESS"),
                *await place.errors("grantAccommodation", bookingId=id, **granted),
                *await place.errors("revokeAccommodation", bookingId=id, type="READER"),
            ]
            assert [(error["code"], error["message"]) for error in told] == [(code, message)] * 4
            assert {error["httpStatus"] for error in told} == {404}


async def test_a_scheduler_of_another_centre(place: Place, client_as: ClientAs) -> None:
    """What is elsewhere is not there; to register at a centre of somebody else's is forbidden."""
    registration = await place.registered()
    centre = await place.client.ask('{ centre(ref: {reference: "LEEDS"}) { id } }')
    who = {"reference": "S1", "name": "Sam", "role": "SCHEDULER", "centreIds": [centre["id"]]}
    key = await user(place.client, **who)
    scheduler = place.by(await client_as(role="scheduler", user_id=key))
    by_id = {"registrationId": registration["id"]}

    [missing] = await scheduler.errors("deleteRegistration", **by_id)
    told = await scheduler.errors("changeAssessment", **by_id, testForm="F2")
    elsewhere = await scheduler.errors(
        "bookRegistration", **place.asked(candidate=learner(BOB), target=BARE)
    )

    assert missing["message"] == told[0]["message"] == "Registration not found."
    assert await scheduler.client.ask("{ registrationCount }") == 0
    assert await scheduler.client.ask(NODE, id=registration["id"]) is None
    assert {error["code"] for error in elsewhere} <= {"FORBIDDEN", "LEARNER_NOT_FOUND"}
    assert "FORBIDDEN" in {error["code"] for error in elsewhere}
    scoped = [error for error in elsewhere if error["code"] == "FORBIDDEN"]
    assert scoped[0]["missingScope"] == "CENTRE"


async def test_another_organization(place: Place, client_as: ClientAs, storage: Storage) -> None:
    """It sees nothing of ours, and may use the same identifier for its own."""
    registration = await place.registered()
    made = MakeOrganization(name="Southfield", time_zone="Europe/London", currency="GBP")
    [outcome] = await storage.write(make_organization, [made])
    assert isinstance(outcome, Outcome)
    stranger = await made_place(await client_as(organization_id=outcome.subject))

    response = await stranger.client.answer(FOUND, identifier=registration["identifier"])
    [missing] = await stranger.errors("deleteRegistration", registrationId=registration["id"])
    own = await stranger.registered(registration=registration["identifier"])

    assert response.json()["errors"][0]["message"] == "Registration not found."
    assert missing["message"] == "Registration not found."
    assert own["id"] != registration["id"]
    assert own["reference"] == registration["reference"]
    assert await stranger.client.ask("{ registrationCount }") == 1


async def test_whose_address_it_is(place: Place, client_as: ClientAs) -> None:
    """A search by email needs VIEW_PII."""
    marker = await client_as(role="marker")
    for document in (
        '{ registrations(criteria: {email: "a"}) { totalCount } }',
        '{ registrationCount(criteria: {email: "a"}) }',
    ):
        [error] = (await marker.answer(document)).json()["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert error["extensions"]["path"] == ["criteria", "email"]
