"""The events of a date, and the classes of an organization."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.identity import global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.vocabulary import Role

ON_DATE = """query ($date: Date!, $centre: ID) {
  eventsOnDate(date: $date, centreId: $centre) { title status centre { name } } }"""
CLASSES = "query ($id: ID) { eventClasses(organizationId: $id) }"

MISSING = UUID(int=9)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)

ZONES = {
    "London": "Europe/London",
    "Tokyo": "Asia/Tokyo",
    "New York": "America/New_York",
    "Kiritimati": "Pacific/Kiritimati",
    "West": "Etc/GMT+12",
}

STARTS = [
    # Clocks go forward in London at 01:00 on 28 March: a day of 23 hours.
    ("London", "2027-03-27T23:59:59Z", "2027-03-27"),
    ("London", "2027-03-28T00:00:00Z", "2027-03-28"),
    ("London", "2027-03-28T22:59:59Z", "2027-03-28"),
    ("London", "2027-03-28T23:00:00Z", "2027-03-29"),
    # Clocks go back at 02:00 on 31 October: a day of 25 hours.
    ("London", "2027-10-30T22:59:59Z", "2027-10-30"),
    ("London", "2027-10-30T23:00:00Z", "2027-10-31"),
    ("London", "2027-10-31T23:59:59Z", "2027-10-31"),
    ("London", "2027-11-01T00:00:00Z", "2027-11-01"),
    # New York changes its clocks on other days.
    ("New York", "2027-03-14T04:59:59Z", "2027-03-13"),
    ("New York", "2027-03-14T05:00:00Z", "2027-03-14"),
    ("New York", "2027-03-15T03:59:59Z", "2027-03-14"),
    ("New York", "2027-03-15T04:00:00Z", "2027-03-15"),
    # Tokyo does not change its clocks.
    ("Tokyo", "2027-03-27T14:59:59Z", "2027-03-27"),
    ("Tokyo", "2027-03-27T15:00:00Z", "2027-03-28"),
    # The time zones furthest from UTC.
    ("Kiritimati", "2027-03-27T10:00:00Z", "2027-03-28"),
    ("West", "2027-03-29T11:59:59Z", "2027-03-28"),
    (None, "2027-03-28T22:59:59Z", "2027-03-28"),
]


@pytest.fixture
async def term(made):
    """Events at each start, named `centre start`; return the centres by name."""
    centres = {
        name: await made("upsertCentre", "centre", reference=name, name=name, timeZone=zone)
        for name, zone in ZONES.items()
    }
    for centre, start, _ in STARTS:
        place = {} if centre is None else {"centre": {"id": centres[centre]}}
        await made("createEvent", "event", title=f"{centre} {start}", start=start, **place)
    await made("createEvent", "event", title="a draft")
    await made("createEvent", "event", title="on demand", onDemand=True)
    return centres


@pytest.mark.parametrize("day", sorted({day for *_, day in STARTS} | {"2027-03-01"}))
async def test_the_local_date_counts(client, term, day):
    """An event is listed only on its centre's local date, in order."""
    found = await client.of(ON_DATE, date=day)

    titles = [event["title"] for event in found]
    starts = [title.rpartition(" ")[2] for title in titles]
    assert starts == sorted(starts)
    assert sorted(titles) == sorted(
        f"{centre} {start}" for centre, start, on in STARTS if on == day
    )


async def test_only_at_a_centre(client, term):
    """A centre restricts the list; an unknown centre has no events."""
    tokyo = await client.of(ON_DATE, date="2027-03-28", centre=term["Tokyo"])
    unknown = await client.of(ON_DATE, date="2027-03-28", centre=global_id("Centre", MISSING))
    everywhere = await client.of(ON_DATE, date="2027-03-28", centre=None)

    assert [event["centre"] for event in tokyo] == [{"name": "Tokyo"}]
    assert unknown == []
    assert len(everywhere) == 6
    for wrong in ("nonsense", global_id("Room", MISSING)):
        refused = await client.errors(ON_DATE, date="2027-03-28", centre=wrong)
        assert refused == [("INVALID_VALUE", "centreId")]


async def test_cancelled_events_are_listed(client, made):
    """Cancelled events are listed with their status."""
    event = await made("createEvent", "event", title="Off", start="2027-03-01T09:00:00Z")
    await made("cancelEvent", "event", eventId=event, message="Storm")

    [found] = await client.of(ON_DATE, date="2027-03-01")

    assert found == {"title": "Off", "status": "CANCELLED", "centre": None}


async def test_at_most_a_thousand(client, storage, viewer):
    """A date returns its first 1,000 events by start; lists return more in pages."""
    commands = [
        CreateEvent(viewer, {"title": f"{n:04}", "start_at": NOON - timedelta(seconds=n)})
        for n in range(1_001)
    ]
    await storage.write(create_events, commands)

    found = await client.of(ON_DATE, date="2027-03-01")

    assert [event["title"] for event in found] == [f"{n:04}" for n in range(1_000, 0, -1)]


@pytest.fixture
async def elsewhere(storage, client):
    """An administrator of another organization."""
    command = MakeOrganization(name="Elsewhere", time_zone="Asia/Tokyo", currency="JPY")
    [outcome] = await storage.write(make_organization, [command])
    return client.seeing(organization_id=outcome.subject)


async def test_classes(client, made, elsewhere):
    """Each code appears once, sorted, per organization; events without a code add none."""
    own = global_id("Organization", client.viewer.organization_id)
    for code in ("B2", "A10", "B2", None, "a1"):
        await made("createEvent", "event", title="T", details={"classCode": code})

    assert await client.of(CLASSES) == ["A10", "B2", "a1"]
    assert await client.of(CLASSES, id=own) == ["A10", "B2", "a1"]
    assert await elsewhere.of(CLASSES) == []
    assert await elsewhere.of(CLASSES, id=own) is None
    refused = await client.errors(CLASSES, id=global_id("Centre", MISSING))
    assert refused == [("INVALID_VALUE", "organizationId")]


async def test_events_are_open_to_whoever_may_read(client, term, elsewhere, made, world):
    """A candidate without access to anything else can list an organization's events and classes."""
    candidate = client.confined_to(Role.CANDIDATE, candidate=MISSING)
    await made("createEvent", "event", title="T", details={"classCode": "C1"})

    assert len(await candidate.of(ON_DATE, date="2027-03-28")) == 6
    assert await candidate.of(CLASSES) == ["C1"]
    assert await elsewhere.of(ON_DATE, date="2027-03-28") == []
    assert await elsewhere.of(ON_DATE, date="2027-03-28", centre=term["Tokyo"]) == []
