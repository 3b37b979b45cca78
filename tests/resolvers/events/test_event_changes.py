"""Changes of events: found by the event before or after the change, and recorded once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.changes import THE_CLOCK, record_event
from resolvers.events.changes import changes_page
from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.facts import event_facts
from resolvers.events.filters import criteria
from resolvers.events.reads import events_page, ordering_of
from resolvers.events.updating import update_events
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.storage import UnitOfWork
from resolvers.storage.columns import Document, Instant, WallTime, new_key
from resolvers.storage.filters import NO_FILTER, AllOf, Condition, Filter, Not, Operator
from resolvers.storage.paging import PageRequest
from resolvers.storage.rows import as_dict, new_row
from resolvers.storage.tables import Event, EventVersion, columns
from resolvers.vocabulary import EventChangeType, EventStatus
from tests.resolvers.events.conftest import START, Maker

HOUR = timedelta(hours=1)


@pytest.fixture
def told(storage, viewer) -> Maker:
    """Return the types and versions of the changes that a filter finds, with their events' keys."""

    async def found(condition: Filter = NO_FILTER, after: int = 0) -> list[tuple[Any, ...]]:
        page = PageRequest(IN_COMMIT_ORDER, 100, after=(after,))
        rows = await storage.read(changes_page(viewer, page, condition, now=storage.clock()))
        return [(row.event_id, row.event_type.value, row.version) for row in rows]

    return found


def some_value(column: sa.Column[Any], n: int) -> Any:
    """Return a value for a column, different for each n."""
    match column.type:
        case sa.Enum() as choice:
            assert choice.enum_class is not None
            members: list[Enum] = list(choice.enum_class)
            return members[n % len(members)]
        case sa.String():
            return f"{column.name} {n}"
        case sa.Integer() | sa.Float():
            return 10 + n
        case sa.Boolean():
            return n == 1
        case sa.Uuid():
            return UUID(int=1000 * n + len(column.name))
        case Instant():
            return START + n * HOUR
        case WallTime():
            return datetime(2027, 3, n)
        case Document():
            return {}
    raise TypeError(column)


def full(n: int, **values: Any) -> dict[str, Any]:
    """Return a value for every column of an event, different for each n."""
    made = {column.name: some_value(column, n) for column in columns(Event)}
    made |= {"time_zone": "Europe/London", "on_demand": False, "version": 1, "test_id": None}
    return {**made, "end_at": made["start_at"] + HOUR, **values}


VALUES = {
    "start": lambda event: event.start_at,
    "end": lambda event: event.end_at,
    "status": lambda event: [EventStatus.SCHEDULED],
    "local_date": lambda event: event.local_start.date(),
    "has_free_seats": lambda event: True,
    "organization_identifier": lambda event: event.organization_id,
    "centre_id": lambda event: event.venue_id,
    "venue_identifier": lambda event: event.venue_id,
}
"""Criteria whose value is not the column of the same name."""


@pytest.fixture
async def pair(storage, organization_id, a_centre, a_room, a_booking) -> list[Any]:
    """Two events in the log without a common value; the second is complete and cancelled."""
    rooms = [await a_room(await a_centre()) for _ in range(2)]
    events = [
        new_row(
            Event,
            **full(
                n,
                organization_id=organization_id,
                id=new_key(),
                room_id=room.id,
                venue_id=room.centre_id,
                capacity_maximum=n,
                cancelled_at=cancelled_at,
                registration_locked=START + n * HOUR,
                exam_started=START + n * HOUR,
                duration_unit_text=f"unit {n}",
            ),
        )
        for n, room, cancelled_at in zip((2, 1), rooms, (None, START), strict=True)
    ]

    def run(work: UnitOfWork, _: Sequence[Any]) -> list[Outcome]:
        work.insert(Event, events)
        for event in events:
            facts = event_facts(event, ())
            kind = EventChangeType.CREATED
            record_event(work, kind, THE_CLOCK, event=event, facts_before=None, facts_after=facts)
        return [Outcome(organization_id)]

    await storage.write(run, [None])
    await a_booking(events[1])
    return events


async def test_every_criterion_finds_the_changes_of_the_events_that_it_finds(
    storage, viewer, told, pair
):
    """Every criterion of the schema finds the same events by their versions as by their rows."""
    one, _ = pair
    page = PageRequest(ordering_of(None), 100)
    for name in criteria():
        value = VALUES.get(name, lambda event, name=name: getattr(event, name, None))(one)
        if name == "duration_unit":
            value = one.duration_unit_text
        plain = isinstance(value, bool | datetime | date)
        operator = Operator.EQ if plain else Operator.IN
        condition = Condition(
            name, operator, value if plain or isinstance(value, list) else [value]
        )

        found = await storage.read(events_page(viewer, page, condition, now=storage.clock()))
        changes = await told(condition)

        expected = {event.id for event in pair if name == "organization_identifier"} | {one.id}
        assert {event.id for event in found} == expected, name
        assert {key for key, *_ in changes} == expected, name


async def test_a_change_is_found_by_what_the_event_was_and_by_what_it_is(told, commands):
    """A filter by title finds the change that sets the title and the change that replaces it."""
    event = await commands.made(title="Biology", start_at=START)
    await commands.made(title="Physics", start_at=START)
    await commands.update(event, title="Chemistry")
    await commands.update(event, title="Alchemy")

    def titled(title: str) -> Condition:
        return Condition("title", Operator.EQ, title)

    assert await told(titled("biology")) == [(event, "CREATED", 1), (event, "UPDATED", 2)]
    assert await told(titled("chemistry")) == [(event, "UPDATED", 2), (event, "UPDATED", 3)]
    assert await told(titled("alchemy")) == [(event, "UPDATED", 3)]
    assert await told(Not(titled("physics"))) == [
        (event, "CREATED", 1),
        (event, "UPDATED", 2),
        (event, "UPDATED", 3),
    ]
    # the event never has both titles at once
    assert await told(AllOf((titled("biology"), titled("chemistry")))) == []


async def test_the_status_counts_as_it_stood_at_the_moment(storage, told, commands, clock, viewer):
    """The status is the one at the time of the change, so it does not depend on when the log is
    read.
    """
    begins = clock.now + HOUR
    event = await commands.made(title="Soon", start_at=begins, exam_duration_in_minutes=60)
    called_off = await commands.made(title="Off", start_at=begins)
    command = CancelEvent(viewer=viewer, event=ByKey(called_off), reason="Flood")
    await storage.write(cancel_events, [command])
    clock.now = begins
    await commands.update(event, title="Now")
    clock.now += 3 * HOUR
    await commands.update(event, title="Then")

    async def by(status: EventStatus) -> list[tuple[Any, ...]]:
        return await told(Condition("status", Operator.IN, [status]))

    assert await by(EventStatus.SCHEDULED) == [
        (event, "CREATED", 1),
        (called_off, "CREATED", 1),
        (called_off, "CANCELLED", 2),
    ]
    assert await by(EventStatus.CANCELLED) == [(called_off, "CANCELLED", 2)]
    assert await by(EventStatus.IN_PROGRESS) == [(event, "UPDATED", 2)]
    assert await by(EventStatus.COMPLETED) == [(event, "UPDATED", 3)]


async def test_an_event_without_an_end_counts_for_a_minute(told, commands, clock):
    """An event without an end is in progress for a minute."""
    begins = clock.now + HOUR
    event = await commands.made(start_at=begins)
    for later in (timedelta(0), timedelta(seconds=59, microseconds=999_999), timedelta(minutes=1)):
        clock.now = begins + later
        await commands.update(event, title=f"After {later}")

    completed = Condition("status", Operator.IN, [EventStatus.COMPLETED])
    assert await told(completed) == [(event, "UPDATED", 4)]


async def test_each_command_that_changes_an_event_is_recorded_once(
    storage, told, commands, viewer, rows
):
    """Each command that changes an event records one change, even with others in its transaction;
    one that changes nothing records none.
    """
    event, other = await commands.made(start_at=START), await commands.made(start_at=START)

    def update(**changes: Any) -> UpdateEvent:
        return UpdateEvent(viewer, ByKey(event), changes)

    both = [update(number=1), update(number=2), update(number=2)]
    await storage.write(update_events, both)
    cancel = CancelEvent(viewer=viewer, event=ByKey(event), reason="Flood")
    await storage.write(cancel_events, [cancel, cancel])
    await storage.write(update_events, [update(number=3)])  # refused: the event is cancelled
    await storage.write(
        create_events, [CreateEvent(viewer, {}, event)]
    )  # refused: the identifier exists

    assert await told() == [
        (event, "CREATED", 1),
        (other, "CREATED", 1),
        (event, "UPDATED", 2),
        (event, "UPDATED", 3),
        (event, "CANCELLED", 4),
    ]
    versions = {(row.id, row.version): row for row in await rows(EventVersion)}
    assert sorted(versions) == sorted((key, version) for key, _, version in await told())
    for row in await rows(Event):
        assert as_dict(versions[row.id, row.version]) == as_dict(row)


async def test_a_request_that_is_refused_as_a_whole_records_nothing(storage, told, viewer):
    """A request refused as a whole records no change and no version."""
    good = CreateEvent(viewer, {"title": "Law"})
    bad = CreateEvent(viewer, {"title": ""})

    results = await storage.write(create_events, [good, bad], all_or_nothing=True)

    assert not any(isinstance(result, Outcome) for result in results)
    assert await told() == []


async def test_changed_fields_are_sorted(commands, changes):
    """The changed fields are sorted: a new event's set fields, then an update's different ones."""
    event = await commands.made(title="Law", start_at=START, number=4)
    await commands.update(event, {"title": "Art", "number": 5, "capacity_maximum": 3})

    created, updated = await changes()

    assert created.changed_fields == sorted(created.changed_fields)
    assert {"title", "times", "number"} <= set(created.changed_fields)
    assert updated.changed_fields == ["capacityMaximum", "number", "title"]
