"""Events of [003]: all 62 fields, made and brought up to date, and their centres."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.updating import update_events
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.references import ByExternalId, ByKey
from resolvers.sources.shift_iq.event_members import COLUMNS, EVENT_MEMBERS, INSTANTS, UUIDS
from resolvers.storage.tables import Centre, Event, ExternalId
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingStatus, DurationUnit, EventKind, SourceSystem
from tests.resolvers.sources.conftest import Snapshot, fates, reasons
from tests.resolvers.sources.shift_iq.conftest import (
    EVENT,
    ORGANIZATION,
    VENUE,
    FindShift,
    ImportShift,
    document,
    event,
)
from tests.resolvers.world import World

PRINTED = "2025-08-29T22:13:52.542Z"


def test_the_document_has_all_62_fields() -> None:
    """`event.json` names every field of [003], and the importer knows no other."""
    assert set(document("event")) == EVENT_MEMBERS
    assert len(EVENT_MEMBERS) == 62


async def test_every_field_is_imported(imports: ImportShift, find: FindShift) -> None:
    """Each of the values stands in its column, word for word; so does its last change."""
    given = document("event")

    report = await imports("event")

    assert fates(report) == ["made"]
    row, centre = await find(Event, "event", EVENT), await find(Centre, "venue", VENUE)
    for name, column in COLUMNS.items():
        wanted = UUID(given[name]) if name in UUIDS else given[name]
        if name in INSTANTS:
            wanted = datetime.fromisoformat(wanted)
        assert getattr(row, column) == wanted, name
    assert row.identifier == UUID(EVENT)
    assert row.venue_id == centre.id
    assert (row.kind, row.duration_unit) == (EventKind.CLASS, DurationUnit.HOUR)
    assert (row.last_change_type, row.last_change_user) == ("EventRescheduled", "Robin Field")
    assert row.last_change_time == datetime(2027, 1, 10, 8, 0, 0, 542_000, tzinfo=UTC)


async def test_what_the_source_prints_is_imported(imports: ImportShift, find: FindShift) -> None:
    """The sample as [003] prints it: one UUID, one text and one instant for everything."""
    kinds: dict[type, Any] = {str: "text", bool: True, int: 1}
    printed: dict[str, Any] = {
        name: PRINTED
        if name in {*INSTANTS, "LastChangeTime"}
        else "123e4567-e89b-12d3-a456-426614174000"
        if name.endswith("Identifier")
        else kinds.get(type(value), 1)
        for name, value in document("event").items()
    }

    report = await imports(printed)

    assert reasons(report) == []
    row = await find(Event, "event", "123e4567-e89b-12d3-a456-426614174000")
    assert (row.title, row.kind, row.event_type) == ("text", EventKind.EXAM, "text")
    assert (row.duration_unit, row.duration_unit_text) == (None, "text")
    assert row.start_at == datetime(2025, 8, 29, 22, 13, 52, 542000, tzinfo=UTC)


async def test_an_array_of_events_is_one_row_for_each(imports: ImportShift, world: World) -> None:
    """What is left out or null has its default; one that is over is imported too."""
    report = await imports("events")

    assert [(row.path, row.fate.value) for row in report.rows] == [
        ("$[0]", "made"),
        ("$[1]", "made"),
    ]
    [row] = await world.rows(Event, "title", "Resit")
    assert row.venue_id is None
    assert row.end_at - row.start_at == timedelta(minutes=90)


async def test_a_later_change_is_kept_and_an_earlier_one_is_not(
    imports: ImportShift, find: FindShift
) -> None:
    """A document that differs in nothing else changes the event only if its change is later."""
    later = {"LastChangeTime": "2027-01-10T09:00:00Z", "LastChangeUser": "Sam Hill"}
    await imports("event")

    reports = [await imports(event(**values)) for values in (later, {}, later)]

    assert [fates(report) for report in reports] == [["changed"], ["unchanged"], ["unchanged"]]
    row = await find(Event, "event", EVENT)
    assert (row.version, row.last_change_user) == (2, "Sam Hill")
    assert row.last_change_time == datetime(2027, 1, 10, 9, tzinfo=UTC)


async def test_an_event_without_a_last_change_has_the_gateways(
    imports: ImportShift, find: FindShift
) -> None:
    """Without LastChangeTime, the import is the last change."""
    await imports(event(LastChangeTime=None))

    row = await find(Event, "event", EVENT)
    assert (row.last_change_type, row.last_change_user) == ("Created", "import shift-iq")
    assert row.last_change_time == datetime(2027, 1, 11, 12, tzinfo=UTC)


async def test_arrays_may_stand_in_an_array(imports: ImportShift) -> None:
    """A file of answers, one an event and one an array of events, is read in its order."""
    report = await imports([event(), document("events")])

    assert [row.path for row in report.rows] == ["$[0]", "$[1][0]", "$[1][1]"]
    assert fates(report) == ["made"] * 3


@pytest.mark.parametrize("name", ["event", "events", "matches", "count", "request"])
async def test_twice_is_the_same_as_once(
    imports: ImportShift, snapshot: Snapshot, name: str
) -> None:
    """Every document of [003] again: not one row of any table differs."""
    await imports("event")
    first = await imports(name)
    once = await snapshot()

    again = await imports(name)

    assert fates(again) == ["unchanged"] * len(first.rows)
    assert await snapshot() == once


async def test_an_event_is_brought_up_to_date(
    imports: ImportShift, find: FindShift, world: World
) -> None:
    """What is left out stays, a null clears, and what is never null falls to its default."""
    await imports("event")

    report = await imports(
        {
            "EventIdentifier": EVENT,
            "EventSummary": "Paper 1 of 3",
            "EventClassCode": None,
            "WaitlistEnabled": None,
            "EventTitle": None,
            "EventType": None,
            "DurationUnit": "Lessons",
            "EventScheduledStart": "2027-02-01T05:00:00-08:00",
        }
    )

    row = await find(Event, "event", EVENT)
    assert fates(report) == ["changed"]
    assert (row.summary, row.class_code, row.billing_type) == ("Paper 1 of 3", None, "Invoice")
    assert (row.waitlist_enabled, row.person_code_is_required) == (False, True)
    assert (row.title, row.kind, row.event_type) == ("Carpenter, Level 1", EventKind.EXAM, None)
    assert (row.duration_unit, row.duration_unit_text) == (None, "Lessons")
    assert row.version == 2
    changed = (await world.changes())[-1]
    assert {"eventType", "summary", "classCode"} <= changed.after.keys()
    assert "times" not in {k for k, v in changed.after.items() if changed.before.get(k) != v}


async def test_an_event_that_moves_takes_its_bookings_along(
    imports: ImportShift, find: FindShift, world: World
) -> None:
    """Another start at the source is another start for who is booked here."""
    await imports(event())
    row = await find(Event, "event", EVENT)
    booking = await world.booked(await world.candidate(), row.id, online=True)

    await imports(event(EventScheduledStart="2027-02-02T13:00:00Z"))

    moved = await world.row(booking)
    assert moved.start_at == datetime(2027, 2, 2, 13, tzinfo=UTC)
    assert moved.status is BookingStatus.CONFIRMED


async def test_a_smaller_capacity_than_is_taken_is_reported(
    imports: ImportShift, find: FindShift, world: World
) -> None:
    """Rules that are not about now hold, and the member that breaks one is named."""
    await imports(event())
    row = await find(Event, "event", EVENT)
    for candidate in await world.candidates(2):
        await world.booked(candidate, row.id, online=True)

    report = await imports(event(CapacityMaximum=1))

    assert reasons(report) == [("$.CapacityMaximum", "OUT_OF_RANGE")]


async def test_a_cancelled_event_is_told_again_without_a_refusal(
    imports: ImportShift, viewer: Viewer, find: FindShift, world: World
) -> None:
    """The same document changes nothing; another one cannot change what is cancelled."""
    await imports(event())
    row = await find(Event, "event", EVENT)
    await world.made(
        cancel_events, CancelEvent(viewer=viewer, event=ByKey(row.id), reason="No heating")
    )

    assert fates(await imports(event())) == ["unchanged"]
    report = await imports(event(EventTitle="Carpenter, Level 2"))
    assert reasons(report) == [("$.EventIdentifier", "ILLEGAL_STATE")]


async def test_an_event_that_was_made_here_is_known_by_its_identifier(
    imports: ImportShift, viewer: Viewer, find: FindShift, world: World
) -> None:
    """One with that `identifier` is the one that is meant, and has the external id from then on."""
    command = CreateEvent(viewer, {"title": "Ours"}, UUID(EVENT))
    key = await world.made(create_events, command)

    report = await imports(event())

    row = await find(Event, "event", EVENT)
    assert fates(report) == ["changed"]
    assert (row.id, row.title) == (key, "Carpenter, Level 1")


async def test_a_new_centre_is_made(imports: ImportShift, find: FindShift) -> None:
    """It has its UUID for a name and the organization's clock, and is made once."""
    report = await imports([event(), event(EventIdentifier=str(UUID(int=9)))])

    centre = await find(Centre, "venue", VENUE)
    assert fates(report) == ["made", "made"]
    assert (centre.reference, centre.name, centre.time_zone) == (VENUE, VENUE, "Europe/London")


async def test_a_centre_is_known_by_its_external_id_of_either_version(
    imports: ImportShift, viewer: Viewer, find: FindShift, world: World
) -> None:
    """A centre that has it already is where the event is, on that centre's clock."""
    known = ByExternalId(SourceSystem.SHIFT_IQ_V1, "venue", VENUE)
    command = UpsertCentre(
        viewer=viewer,
        reference="VAN",
        name="Vancouver",
        time_zone="America/Vancouver",
        external_ids=(known,),
    )
    centre = await world.made(upsert_centres, command)

    await imports(event(EventTitle=None))

    row = await find(Event, "event", EVENT)
    assert (row.venue_id, row.time_zone) == (centre, "America/Vancouver")
    assert (row.local_start, row.title) == (datetime(2027, 2, 1, 5), "EXAM at Vancouver")


async def test_our_own_key_is_a_centre_too(
    imports: ImportShift, find: FindShift, world: World
) -> None:
    """What the gateway exports it can import: its own keys name its own objects."""
    centre = await world.centre()

    await imports(event(VenueLocationIdentifier=str(centre)))

    assert (await find(Event, "event", EVENT)).venue_id == centre


async def test_a_centre_with_that_name_is_the_centre(
    imports: ImportShift, viewer: Viewer, find: FindShift, world: World
) -> None:
    """One whose reference is the UUID is the one that is meant, and keeps its other ids."""
    other = ByExternalId(SourceSystem.EC_ENGLISH, "school", "7")
    command = UpsertCentre(
        viewer=viewer, reference=VENUE, name="Hall", time_zone="Asia/Tokyo", external_ids=(other,)
    )
    centre = await world.made(upsert_centres, command)

    await imports(event())

    found = await find(Centre, "venue", VENUE)
    assert (found.id, found.name, found.time_zone) == (centre, "Hall", "Asia/Tokyo")
    assert len(await world.rows(ExternalId, "object_id", centre)) == 2


async def test_the_organization_is_learned_and_then_kept_apart(
    imports: ImportShift, snapshot: Snapshot, organization_id: UUID, world: World
) -> None:
    """The first event says which organization it is; another's events stay out."""
    await imports(event(OrganizationIdentifier=ORGANIZATION))
    before = await snapshot()

    report = await imports(
        event(EventIdentifier=str(UUID(int=9)), OrganizationIdentifier=str(UUID(int=8)))
    )

    [known] = await world.rows(ExternalId, "object_id", organization_id)
    assert (known.system, known.kind, known.value) == ("SHIFT_IQ_V2", "organization", ORGANIZATION)
    assert reasons(report) == [("$.OrganizationIdentifier", "INVALID_VALUE")]
    assert await snapshot() == before


async def test_the_organizations_own_key_names_it(
    imports: ImportShift, organization_id: UUID, world: World
) -> None:
    """Our own key is learned from nobody."""
    report = await imports(event(OrganizationIdentifier=str(organization_id)))

    assert fates(report) == ["made"]
    assert await world.rows(ExternalId, "object_id", organization_id) == []


async def test_a_match_names_an_event_and_nothing_else(imports: ImportShift) -> None:
    """The answer of search makes no event: one that is unknown is reported."""
    early = await imports("matches")
    await imports("event")

    assert reasons(early) == [("$[0].EventIdentifier", "EVENT_NOT_FOUND")]
    assert fates(await imports("matches")) == ["unchanged"]


async def test_what_was_changed_here_is_as_the_source_says_again(
    imports: ImportShift, viewer: Viewer, find: FindShift, world: World
) -> None:
    """The document is the source's present: imported again, it wins over what we changed."""
    await imports(event())
    row = await find(Event, "event", EVENT)
    update = UpdateEvent(viewer, ByKey(row.id), {"title": "Ours", "summary": "Ours too"})
    await world.made(update_events, update)

    report = await imports(event())

    row = await find(Event, "event", EVENT)
    assert fates(report) == ["changed"]
    assert (row.title, row.summary) == ("Carpenter, Level 1", "Ours too")
