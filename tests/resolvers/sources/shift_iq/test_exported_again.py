"""Out again as it came in: an export of what was imported is the source's own document."""

from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.exports.asked import EventExport
from resolvers.exports.fields import FIELDS, LOCAL_FIELDS, ExportField
from resolvers.exports.reads import exported_events
from resolvers.exports.tables import JsonFile
from resolvers.references import ByKey
from resolvers.sources.report import Fate
from resolvers.sources.shift_iq.event_members import (
    EVENT_MEMBERS,
    INSTANTS,
    LAST_CHANGE_TIME,
)
from resolvers.storage import Storage
from resolvers.storage.filters import NO_FILTER
from resolvers.storage.tables import Event
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventKind, ExportFormat
from tests.resolvers.sources.shift_iq.conftest import ImportShift, document
from tests.resolvers.world import World

Fields = tuple[ExportField, ...]

JSON = EventExport(NO_FILTER, (), ExportFormat.JSON)


async def exported(storage: Storage, viewer: Viewer, fields: Fields = FIELDS) -> Any:
    file = JsonFile(fields)
    asked = replace(JSON, fields=fields)
    read = exported_events(viewer, asked, now=storage.clock())
    async with aclosing(storage.stream(read, size=10)) as batches:
        content = file.begin() + b"".join([file.add(batch) async for batch in batches])
    return orjson.loads(content + b"".join(file.end()))


def test_both_know_the_same_fields() -> None:
    assert {field.name for field in FIELDS} == EVENT_MEMBERS


async def test_an_event_comes_out_as_it_came_in(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    """Also when, how and by whom it was changed last."""
    came_in = document("event")
    await imports("event")

    [told] = await exported(storage, viewer)

    for name in EVENT_MEMBERS - {*INSTANTS, LAST_CHANGE_TIME}:
        assert told[name] == came_in[name], name
    for name in (*INSTANTS, LAST_CHANGE_TIME):
        assert datetime.fromisoformat(told[name]) == datetime.fromisoformat(came_in[name]), name


async def test_the_file_can_be_imported_and_changes_nothing(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    await imports("event")
    file = await exported(storage, viewer)

    report = await imports(file)

    assert [row.fate for row in report.rows] == [Fate.UNCHANGED]
    assert await exported(storage, viewer) == file


async def test_a_file_with_local_times_can_be_imported(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    """What follows from the start and the centre is ignored; the three decimals change nothing."""
    world = World(storage, viewer)
    start = datetime(2027, 7, 1, 9, 0, 0, 123_456, tzinfo=UTC)
    await world.event(centre=await world.centre(), start_at=start)
    await imports(await exported(storage, viewer))

    [told] = file = await exported(storage, viewer, (*FIELDS, *LOCAL_FIELDS))
    report = await imports(file)

    assert told["EventScheduledStart"] == "2027-07-01T09:00:00.123Z"
    assert told["EventScheduledStartLocal"] == "2027-07-01T10:00:00"
    assert told["VenueTimeZone"] == "Europe/London"
    assert [row.fate for row in report.rows] == [Fate.UNCHANGED]


async def test_what_was_made_here_is_not_changed_by_its_own_export(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    """A kind whose text says otherwise, no text at all, an end that follows, a cancelled event."""
    world = World(storage, viewer)
    centre = await world.centre()
    await world.event(centre=centre, kind=EventKind.CLASS, event_type="Workshop")
    await world.event(centre=centre)
    gone = await world.event(centre=centre, kind=EventKind.APPOINTMENT)
    cancelled = CancelEvent(viewer=viewer, event=ByKey(gone), reason="Snow")
    await world.made(cancel_events, cancelled)
    await imports(await exported(storage, viewer))
    file = await exported(storage, viewer)
    before = len(await world.changes())

    report = await imports(file)

    assert [row.fate for row in report.rows] == [Fate.UNCHANGED] * 3
    assert len(await world.changes()) == before
    rows = await world.rows(Event, "organization_id", viewer.organization_id)
    assert {row.kind for row in rows} == set(EventKind)
