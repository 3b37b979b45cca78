"""Out again as it came in: an export of what was imported is the source's own document."""

from contextlib import aclosing
from datetime import datetime
from typing import Any

import orjson

from resolvers.exports.asked import EventExport
from resolvers.exports.fields import FIELDS
from resolvers.exports.reads import exported_events
from resolvers.exports.tables import JsonFile
from resolvers.sources.report import Fate
from resolvers.sources.shift_iq.event_members import (
    EVENT_MEMBERS,
    INSTANTS,
    LAST_CHANGE_TEXTS,
    LAST_CHANGE_TIME,
)
from resolvers.storage import Storage
from resolvers.storage.filters import NO_FILTER
from resolvers.viewer import Viewer
from resolvers.vocabulary import ExportFormat
from tests.resolvers.sources.shift_iq.conftest import ImportShift, document

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
