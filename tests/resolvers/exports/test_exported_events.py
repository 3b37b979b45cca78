"""The rows of a file, read from both databases."""

import csv
import io
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from resolvers.exports.asked import EventExport
from resolvers.exports.fields import FIELDS
from resolvers.exports.files import FORMATS
from resolvers.exports.reads import exported_events
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.filters import NO_FILTER, AllOf, Condition, Operator
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Centre, Event, ExternalId, Room
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    DurationUnit,
    EventKind,
    EventSortField,
    EventStatus,
    ExportFormat,
    Role,
    SortDirection,
    SourceSystem,
)
from tests.resolvers.exports.sittings import fields

pytestmark = pytest.mark.both_databases

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
ASC, DESC = SortDirection.ASC, SortDirection.DESC
File = Callable[..., Awaitable[str]]
Maker = Callable[..., Awaitable[Any]]


@pytest.fixture
def file(storage: Storage, viewer: Viewer) -> File:
    """Return the text of a file, read in batches of two rows."""

    async def made(seen_by: Viewer = viewer, **asked: Any) -> str:
        given = {"filter": NO_FILTER, "sort": (), "format": ExportFormat.CSV, **asked}
        packed = orjson.dumps(EventExport(**given).packed())
        export = EventExport.unpacked(orjson.loads(packed))
        writer = FORMATS[export.format].write(export.fields)
        content = writer.begin()
        read = exported_events(seen_by, export, now=storage.clock())
        async with aclosing(storage.stream(read, size=2)) as batches:
            async for batch in batches:
                content += writer.add(batch)
        return b"".join([content, *writer.end()]).decode()

    return made


@pytest.fixture
def titles(file: File) -> Callable[..., Awaitable[list[str]]]:
    async def made(**asked: Any) -> list[str]:
        text = await file(**asked, fields=fields("EventTitle"))
        return [title for [title] in csv.reader(io.StringIO(text))][1:]

    return made


@pytest.fixture
def an_event(insert: Maker) -> Maker:
    async def made(title: str = "Biology", **values: Any) -> Any:
        key = new_key()
        given = {
            "identifier": key,
            "kind": EventKind.EXAM,
            "time_zone": "Europe/London",
            "start_at": START,
            "last_change_time": START - timedelta(days=90),
            **values,
        }
        return await insert(Event, id=key, title=title, **given)

    return made


@pytest.fixture
def a_place(insert: Maker) -> Maker:
    async def made() -> tuple[Any, Any]:
        centre = await insert(
            Centre, reference="C1", name="York", time_zone="Europe/London", search_text="york"
        )
        return centre, await insert(Room, centre_id=centre.id, name="Hall", capacity=10)

    return made


async def test_every_field_is_the_event_s_own(
    file: File, an_event: Maker, a_place: Maker, organization_id: UUID
) -> None:
    """A different value in each column appears under its source name."""
    centre, _ = await a_place()
    values: dict[str, Any] = {}
    for number, field in enumerate(FIELDS, 1):
        values[field.column] = {
            "IDENTIFIER": UUID(int=number),
            "FLAG": number % 2 == 0,
            "TEXT": field.name,
            "NUMBER": number,
            "INSTANT": START + timedelta(days=number),
        }[field.kind]
    values["start_at"], values["end_at"] = values["end_at"], values["start_at"]
    values["duration_unit_text"] = values.pop("duration_unit")
    del values["organization_identifier"], values["venue_identifier"]
    await an_event(**values, venue_id=centre.id)

    [told] = orjson.loads(await file(format=ExportFormat.JSON))

    assert list(told) == [field.name for field in FIELDS]
    assert told["OrganizationIdentifier"] == str(organization_id)
    assert told["VenueLocationIdentifier"] == str(centre.id)
    assert told["DurationUnit"] == "DurationUnit"
    assert told["EventScheduledStart"] < told["EventScheduledEnd"]
    for number, field in enumerate(FIELDS, 1):
        match field.kind:
            case _ if field.name in {"OrganizationIdentifier", "VenueLocationIdentifier"}:
                pass
            case "IDENTIFIER":
                assert told[field.name] == str(UUID(int=number))
            case "FLAG":
                assert told[field.name] is (number % 2 == 0)
            case "TEXT":
                assert told[field.name] == field.name
            case "NUMBER":
                assert told[field.name] == number
            case "INSTANT" if not field.name.startswith("EventScheduled"):
                day = START + timedelta(days=number)
                assert told[field.name] == day.strftime("%Y-%m-%dT%H:%M:%S.000Z")


async def test_what_no_source_has_said_is_the_gateway_s_own(file: File, an_event: Maker) -> None:
    """The kind and the unit's name replace missing texts of the source."""
    await an_event(kind=EventKind.CLASS, duration_unit=DurationUnit.HOUR)

    [told] = orjson.loads(await file(format=ExportFormat.JSON))

    assert (told["EventType"], told["DurationUnit"]) == ("CLASS", "HOUR")
    assert told["VenueLocationIdentifier"] is None


async def test_shift_iq_s_own_ids_come_first(
    file: File, an_event: Maker, a_place: Maker, storage: Storage, organization_id: UUID
) -> None:
    """The newer version's id precedes the older one's; ids of other objects do not count."""
    centre, _ = await a_place()
    await an_event(venue_id=centre.id)
    theirs = UUID(int=7)
    for kind, model, key, system, value in (
        ("venue", "Centre", centre.id, SourceSystem.SHIFT_IQ_V1, "another"),
        ("venue", "Centre", centre.id, SourceSystem.SHIFT_IQ_V2, str(theirs).upper()),
        ("centre", "Centre", centre.id, SourceSystem.SURPASS_TEST_SCHEDULE, "C"),
        ("organization", "Organization", organization_id, SourceSystem.SHIFT_IQ_V1, "org-1"),
    ):
        given = {"system": system, "kind": kind, "value": value, "object_type": model}
        row = new_row(ExternalId, organization_id=organization_id, object_id=key, **given)
        await storage.write(add, [row])

    [told] = orjson.loads(await file(format=ExportFormat.JSON))

    assert told["VenueLocationIdentifier"] == str(theirs)
    assert told["OrganizationIdentifier"] == "org-1"


def add(work: UnitOfWork, rows: Sequence[ExternalId]) -> list[Outcome | Refused]:
    work.insert(ExternalId, rows)
    return [Outcome(row.object_id) for row in rows]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ((), ["b", "c", "a", "d"]),
        (((EventSortField.TITLE, DESC),), ["d", "c", "b", "a"]),
        (((EventSortField.NUMBER, ASC), (EventSortField.TITLE, DESC)), ["d", "a", "c", "b"]),
    ],
)
async def test_the_order_is_the_one_asked_for(
    titles: Any, an_event: Maker, sort: Any, expected: list[str]
) -> None:
    """The default order is by start; nulls are last."""
    await an_event("a", number=2, start_at=START + timedelta(hours=2))
    await an_event("b", start_at=START)
    await an_event("c", start_at=START + timedelta(hours=1))
    await an_event("d", number=1, start_at=None)

    assert await titles(sort=sort) == expected


@pytest.mark.parametrize(
    "condition",
    [
        Condition("title", Operator.EQ, "THIS"),
        Condition("kind", Operator.IN, (EventKind.CLASS,)),
        Condition("status", Operator.IN, (EventStatus.SCHEDULED,)),
        Condition("start", Operator.EQ, START),
        Condition("local_date", Operator.EQ, START.date()),
        Condition("identifier", Operator.EQ, UUID(int=1)),
        Condition("identifier", Operator.IN, (UUID(int=1), UUID(int=3))),
        Condition("credit_hours", Operator.GTE, 1.5),
        Condition("waitlist_enabled", Operator.EQ, True),
        Condition("venue_identifier", Operator.IS_NULL, False),
    ],
    ids=lambda condition: condition.field,
)
async def test_the_filter_means_in_a_file_what_it_means_in_a_list(
    titles: Any, an_event: Maker, a_place: Maker, condition: Condition
) -> None:
    centre, _ = await a_place()
    await an_event(
        "this",
        identifier=UUID(int=1),
        kind=EventKind.CLASS,
        credit_hours=1.5,
        waitlist_enabled=True,
        venue_id=centre.id,
        local_start=START.replace(tzinfo=None),
    )
    await an_event(
        "other",
        start_at=START - timedelta(days=500),
        local_start=(START - timedelta(days=500)).replace(tzinfo=None),
        credit_hours=1.0,
    )

    assert await titles(filter=AllOf((condition,))) == ["this"]


async def test_another_organization_s_events_are_not_in_it(
    titles: Any, an_event: Maker, storage: Storage, viewer: Viewer
) -> None:
    made = MakeOrganization(name="Other", time_zone="Europe/London", currency="GBP")
    [other] = await storage.write(make_organization, [made])
    assert isinstance(other, Outcome)
    await an_event("theirs", organization_id=other.subject)
    await an_event("ours")

    assert await titles() == ["ours"]
    assert await titles(seen_by=replace(viewer, organization_id=other.subject)) == ["theirs"]


async def test_a_calendar_has_what_has_a_start_and_where(
    file: File, an_event: Maker, a_place: Maker
) -> None:
    """The source's own text for the room precedes our room's name."""
    centre, room = await a_place()
    await an_event("one", venue_id=centre.id, room_id=room.id)
    await an_event("two", venue_id=centre.id, room_id=room.id, venue_room="Annex")
    await an_event("nowhere")
    await an_event("no start", start_at=None)

    text = await file(format=ExportFormat.ICS, sort=((EventSortField.TITLE, ASC),))

    told = [line for line in text.splitlines() if line.startswith(("SUMMARY", "LOCATION"))]
    assert told == [
        "SUMMARY:nowhere",
        "SUMMARY:one",
        "LOCATION:Hall\\, York",
        "SUMMARY:two",
        "LOCATION:Annex\\, York",
    ]


@pytest.mark.parametrize("role", [Role.AGENT, Role.CANDIDATE])
async def test_who_changed_an_event_is_in_files_of_staff_only(
    file: File, an_event: Maker, viewer: Viewer, role: Role
) -> None:
    await an_event(last_change_user="Uma")
    asked = {"fields": fields("EventTitle", "LastChangeUser")}

    by_staff = await file(**asked)
    by_others = await file(replace(viewer, role=role), **asked)

    assert list(csv.reader(io.StringIO(by_staff)))[1] == ["Biology", "Uma"]
    assert list(csv.reader(io.StringIO(by_others)))[1] == ["Biology", ""]
