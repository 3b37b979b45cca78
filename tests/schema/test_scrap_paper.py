"""Scrap paper: one sheet per taken seat, in order of names."""

from uuid import UUID

import pytest

from resolvers.identity import global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.vocabulary import Role

MISSING = UUID(int=9)

SHEETS = """query ($event: ID!) { scrapPaper(eventId: $event) {
  event { id title centre { name } }
  sheets { seat reference candidate { id fullName reference email } } } }"""
PEOPLE = [
    ("P1", "Ada", "Young"),
    ("P2", "Zoe", "Abbot"),
    ("P3", "Ada", "Abbot"),
    ("P4", "Ada", "Young"),
]


@pytest.fixture
async def hall(made, world):
    """An event without a limit at the world's centre."""
    return await made(
        "createEvent",
        "event",
        title="Sitting",
        centre={"id": world.centre},
        start="2027-05-01T09:00:00Z",
        allowMultipleRegistrations=True,
    )


@pytest.fixture
def book(made, world):
    async def booked(candidate, event):
        return await made(
            "bookEnrolment",
            "enrolment",
            candidate={"id": candidate},
            event={"id": event},
            room={"id": world.room},
        )

    return booked


@pytest.fixture
async def people(made, world):
    """The ids of the candidates by reference."""
    return {
        reference: await made(
            "upsertCandidate",
            "candidate",
            reference=reference,
            firstNames=first,
            lastName=last,
            email=f"{reference}@example.org",
        )
        for reference, first, last in PEOPLE
    }


async def test_seats_are_numbered_by_name(client, hall, people, book, made):
    """Sheets are sorted by last name, first names and reference, for live bookings of this event
    only.
    """
    other = await made(
        "createEvent",
        "event",
        title="Other",
        centre={"reference": "C1"},
        start="2027-06-01T09:00:00Z",
    )
    gone = await book(people["P2"], hall)
    await made("cancelBooking", "booking", bookingId=gone, reason="ILLNESS")
    for reference in ("P1", "P2", "P3", "P4"):
        await book(people[reference], hall)
    await book(people["P1"], other)

    paper = await client.of(SHEETS, event=hall)

    assert paper["event"]["title"] == "Sitting"
    assert [(s["seat"], s["candidate"]["reference"]) for s in paper["sheets"]] == [
        (1, "P3"),
        (2, "P2"),
        (3, "P1"),
        (4, "P4"),
    ]
    assert [s["reference"] for s in paper["sheets"]] == ["ENR-4", "ENR-3", "ENR-2", "ENR-5"]


async def test_a_candidate_with_two_bookings_has_two_sheets(client, hall, people, book):
    """Each booking has its own sheet."""
    await book(people["P1"], hall)
    await book(people["P1"], hall)

    paper = await client.of(SHEETS, event=hall)

    assert [(s["seat"], s["reference"]) for s in paper["sheets"]] == [(1, "ENR-1"), (2, "ENR-2")]


async def test_only_what_the_viewer_may_see(client, world, hall, people, book, key_of):
    """A viewer who sees some of the bookings gets their sheets, with unchanged seat numbers."""
    for reference in ("P1", "P2", "P3"):
        await book(people[reference], hall)
    one = client.confined_to(Role.CANDIDATE, candidate=key_of(people["P1"]))
    here = client.confined_to(Role.INVIGILATOR, centres={key_of(world.centre)})
    elsewhere = client.confined_to(Role.CENTRE_STAFF, centres={MISSING})
    nobody = client.confined_to(Role.CANDIDATE, candidate=MISSING)
    marker = client.confined_to(Role.MARKER, subjects=set(), marker=MISSING)
    agent = client.confined_to(Role.AGENT, agent_offices={MISSING})

    [own] = (await one.of(SHEETS, event=hall))["sheets"]
    assert (own["seat"], own["candidate"]["reference"]) == (3, "P1")
    assert own["candidate"]["email"] == "P1@example.org"
    sheets = (await here.of(SHEETS, event=hall))["sheets"]
    assert [sheet["seat"] for sheet in sheets] == [1, 2, 3]
    assert {sheet["candidate"]["email"] for sheet in sheets} == {None}
    for stranger in (elsewhere, nobody, marker, agent):
        assert await stranger.of(SHEETS, event=hall) == {
            "event": {"id": hall, "title": "Sitting", "centre": {"name": "York"}},
            "sheets": [],
        }


async def test_an_event_that_is_not_there(client, storage, hall, world):
    """An unknown event or another organization's is null; an id of another type is refused."""
    command = MakeOrganization(name="Elsewhere", time_zone="Asia/Tokyo", currency="JPY")
    [outcome] = await storage.write(make_organization, [command])
    stranger = client.seeing(organization_id=outcome.subject)

    assert await stranger.of(SHEETS, event=hall) is None
    assert await client.of(SHEETS, event=global_id("Event", MISSING)) is None
    assert (await client.of(SHEETS, event=world.event))["sheets"] == []
    for wrong in ("nonsense", world.room):
        assert await client.errors(SHEETS, event=wrong) == [("INVALID_VALUE", "eventId")]
