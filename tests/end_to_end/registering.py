"""A place of Shift iQ's to register at: its centre, learners and forms, and short ways to ask."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import in_days, mutation

VENUE, OTHER_VENUE, ADA, BOB = (str(UUID(int=0xA11CE + n)) for n in range(4))
TEXTS = {"eventExamType": "Written", "eventExamFormat": "Paper", "eventBillingCode": "B1"}
SHOWN = """id identifier reference registrationStatus status version updatedAt
    testForm { code } candidate { reference } event { id }
    transfers { from { id } to { id } message by { name } }
    accommodations { type name timeExtensionMinutes } times { start end }"""
FOUND = f"query ($identifier: UUID!) {{ registration(identifier: $identifier) {{ {SHOWN} }} }}"
NODE = "query ($id: ID!) { node(id: $id) { ... on Registration { id status registrationStatus } } }"
PAYLOADS = {
    "bookRegistration": f"""registration {{ {SHOWN} }} event {{ id title createdAutomatically }}
        eventCreated replayed warnings {{ code path }}""",
    "transferRegistration": f"""registration {{ {SHOWN} }} from {{ id }} to {{ id }} eventCreated
        replayed warnings {{ code path }}""",
    "changeAssessment": f"registration {{ {SHOWN} }}",
    "deleteRegistration": "deletedId",
    "cancelBooking": "booking { id status } changed",
    "cancelBookings": """replayed
        cancelled { booking { id status } paymentReference cost { amount } }""",
    "grantAccommodation": "booking { id version } accommodation { type name } changed",
    "revokeAccommodation": "booking { id version } changed",
}


def shift_iq(kind: str, value: str) -> dict[str, Any]:
    return {"system": "SHIFT_IQ_V1", "kind": kind, "value": value}


def learner(value: str) -> dict[str, Any]:
    return {"external": shift_iq("learner", value)}


def lax(*, centre: str | None = VENUE, days: int = 3, **values: Any) -> dict[str, Any]:
    """A sitting by its centre and start, with what a new one needs; None leaves a value out."""
    given = {"centre": centre, "eventStart": in_days(days), **TEXTS, **values}
    return {"lax": {name: value for name, value in given.items() if value is not None}}


BARE = lax(**dict.fromkeys(TEXTS))
"""The sitting without what only a new one needs."""


@dataclass(frozen=True)
class Place:
    """Somebody at the place; `by` is the same place to somebody else."""

    client: Client

    def by(self, client: Client) -> "Place":
        return Place(client)

    async def done(self, name: str, /, **input: Any) -> Any:
        """The payload of a mutation, whether it was refused or not."""
        return await self.client.ask(mutation(name, PAYLOADS[name]), input=input)

    async def made(self, name: str, /, **input: Any) -> Any:
        """The payload of a mutation that is not refused."""
        payload = await self.done(name, **input)
        assert payload["errors"] == [], payload
        return payload

    async def errors(self, name: str, /, **input: Any) -> Any:
        return (await self.done(name, **input))["errors"]

    def asked(self, **values: Any) -> dict[str, Any]:
        """The input of a lax registration of Ada's for F1, unless said otherwise."""
        given = {
            "registration": str(uuid4()),
            "target": lax(),
            "candidate": learner(ADA),
            "testForm": "F1",
            **values,
        }
        return {name: value for name, value in given.items() if value is not None}

    async def registered(self, **values: Any) -> Any:
        """A registration."""
        payload = await self.made("bookRegistration", **self.asked(**values))
        return payload["registration"]

    async def found(self, identifier: str) -> Any:
        """The registration that has this UUID."""
        return await self.client.ask(FOUND, identifier=identifier)

    async def enrolled(self, reference: str) -> str:
        """A candidate's enrolment at an event of its own."""
        event = {"id": await self.event()}
        given = {"candidate": {"reference": reference}, "event": event, "deliveryMode": "ONLINE"}
        payload = await self.client.ask(mutation("bookEnrolment", "enrolment { id }"), input=given)
        assert payload["errors"] == [], payload
        return str(payload["enrolment"]["id"])

    async def event(self, **values: Any) -> str:
        """An event at the centre that no lax call has made."""
        given = {
            "title": "Strict",
            "start": in_days(9),
            "centre": {"reference": "YORK"},
            "examDurationInMinutes": 60,
            **values,
        }
        payload = await self.client.ask(mutation("createEvent", "event { id }"), input=given)
        assert payload["errors"] == [], payload
        return str(payload["event"]["id"])


async def made_place(client: Client) -> Place:
    """Two centres, two learners, a test with four forms, and a site that lists its exam types."""

    async def upsert(name: str, /, **input: Any) -> None:
        payload = await client.ask(mutation(name), input=input)
        assert payload["errors"] == [], payload

    for reference, value in (("YORK", VENUE), ("LEEDS", OTHER_VENUE)):
        await upsert(
            "upsertCentre",
            reference=reference,
            name=reference.title(),
            timeZone="Europe/London",
            externalIds=[shift_iq("venue", value)],
        )
    for reference, last_name, value in (("P1", "Lovelace", ADA), ("P2", "Bobbin", BOB)):
        await upsert(
            "upsertCandidate",
            reference=reference,
            firstNames="Ada",
            lastName=last_name,
            email=f"{reference}@example.org",
            externalIds=[shift_iq("learner", value)],
        )
    forms = [
        {"code": "F1", "name": "One"},
        {"code": "F2", "name": "Two"},
        {"code": "DRAFT", "name": "Three", "published": False},
        {"code": "TWO-TONGUED", "name": "Four", "bilingual": True},
    ]
    await upsert("upsertTest", reference="T1", name="Bones", durationMinutes=60, forms=forms)
    await upsert(
        "updateSettings", examTypes=["Written"], examFormats=["Paper"], billingCodes=["B1", "B2"]
    )
    return Place(client)
