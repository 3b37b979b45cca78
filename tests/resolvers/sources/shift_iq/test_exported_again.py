"""Out again as it came in: an export of what was imported is the source's own document."""

from contextlib import aclosing
from datetime import datetime
from typing import Any

import orjson

from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.exports.asked import EventExport
from resolvers.exports.fields import FIELDS
from resolvers.exports.reads import exported_events
from resolvers.exports.tables import JsonFile
from resolvers.references import ByKey
from resolvers.sources.report import Fate
from resolvers.sources.shift_iq.event_members import (
    EVENT_MEMBERS,
    INSTANTS,
    LAST_CHANGE_TEXTS,
    LAST_CHANGE_TIME,
)
from resolvers.storage import Storage
from resolvers.storage.filters import NO_FILTER
from resolvers.storage.tables import Event
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventKind, ExportFormat
from tests.resolvers.sources.shift_iq.conftest import ImportShift, document
from tests.resolvers.world import World

JSON = EventExport(NO_FILTER, (), ExportFormat.JSON)


async def exported(storage: Storage, viewer: Viewer) -> Any:
    file = JsonFile(FIELDS)
    read = exported_events(viewer, JSON, now=storage.clock())
    async with aclosing(storage.stream(read, size=10)) as batches:
        content = file.begin() + b"".join([file.add(batch) async for batch in batches])
    return orjson.loads(content + b"".join(file.end()))


def test_both_know_the_same_fields() -> None:
    assert {field.name for field in FIELDS} == EVENT_MEMBERS


async def test_an_event_comes_out_as_it_came_in(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    """All but who changed it last, which the gateway keeps for itself."""
    came_in = document("event")
    await imports("event")

    [told] = await exported(storage, viewer)

    for name in EVENT_MEMBERS - {*INSTANTS, *LAST_CHANGE_TEXTS, LAST_CHANGE_TIME}:
        assert told[name] == came_in[name], name
    for name in INSTANTS:
        assert datetime.fromisoformat(told[name]) == datetime.fromisoformat(came_in[name]), name


async def test_the_file_can_be_imported_and_changes_nothing(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    await imports("event")
    file = await exported(storage, viewer)

    report = await imports(file)

    assert [row.fate for row in report.rows] == [Fate.UNCHANGED]
    assert await exported(storage, viewer) == file


async def test_what_was_made_here_is_not_changed_by_its_own_export(
    imports: ImportShift, storage: Storage, viewer: Viewer
) -> None:
    """A kind whose text says otherwise, no text at all, an end that follows, a cancelled event."""
    world = World(storage, viewer)
    venue = await world.centre()
    await world.event(venue=venue, kind=EventKind.CLASS, event_type="Workshop")
    await world.event(venue=venue)
    gone = await world.event(venue=venue, kind=EventKind.APPOINTMENT)
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
