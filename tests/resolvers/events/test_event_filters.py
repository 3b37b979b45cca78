"""Filters of events: every criterion finds exactly the matching events."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from resolvers.events import rules
from resolvers.events.filters import criteria, event_narrowing
from resolvers.events.reads import assembled_seats, events_count, seats_of_events
from resolvers.outcomes import Outcome
from resolvers.reading import of_organization
from resolvers.references import ByExternalId
from resolvers.storage import Read
from resolvers.storage.columns import new_key
from resolvers.storage.filters import AllOf, AnyOf, Condition, Not, Operator
from resolvers.storage.read import DIALECTS, Compiled
from resolvers.storage.rows import changed
from resolvers.storage.tables import Event, columns
from resolvers.storage.tables.bookings import SEATED
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    DurationUnit,
    EventKind,
    EventStatus,
    SourceSystem,
)

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 11, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

TEXTS = {
    "appointment_type",
    "content",
    "duration_unit",
    "billing_type",
    "calendar_color",
    "class_code",
    "description",
    "exam_format",
    "publication_status",
    "requisition_status",
    "scheduling_status",
    "source",
    "summary",
    "title",
    "event_type",
    "exam_type",
    "exam_score_warnings",
    "last_change_type",
    "last_change_user",
    "publication_errors",
    "registration_fields",
    "venue_room",
    "distribution_code",
    "distribution_errors",
    "distribution_process",
    "distribution_status",
    "return_shipment_code",
    "return_shipment_condition",
}
INSTANTS = {
    "start": "start_at",
    "end": "end_at",
    "exam_started": "exam_started",
    "last_change_time": "last_change_time",
    "registration_start": "registration_start",
    "registration_deadline": "registration_deadline",
    "registration_locked": "registration_locked",
    "distribution_expected": "distribution_expected",
    "distribution_ordered": "distribution_ordered",
    "distribution_shipped": "distribution_shipped",
    "distribution_tracked": "distribution_tracked",
    "return_shipment_received": "return_shipment_received",
}
NUMBERS = {
    "capacity_maximum",
    "capacity_minimum",
    "duration_quantity",
    "number",
    "exam_duration_in_minutes",
    "invigilator_minimum",
    "credit_hours",
}
FLAGS = {
    "allow_multiple_registrations",
    "allow_registration_with_link",
    "integration_withhold_distribution",
    "integration_withhold_grades",
    "person_code_is_required",
    "waitlist_enabled",
}
PLAIN_KEYS = {
    "identifier",
    "achievement_identifier",
    "learner_registration_group_identifier",
    "mandatory_survey_form_identifier",
    "venue_coordinator_identifier",
    "venue_office_identifier",
}
KNOWN_KEYS = {"organization_identifier", "venue_identifier"}
BEYOND = {"status", "kind", "local_date", "centre_id", "has_free_seats"}


def test_every_criterion_of_the_contract_has_its_cases():
    """The filter has the source's 61 criteria and five more; each is in a table below."""
    groups = [TEXTS, set(INSTANTS), NUMBERS, FLAGS, PLAIN_KEYS, KNOWN_KEYS]

    assert set(criteria()) == set().union(*groups, BEYOND)
    assert sum(map(len, groups)) == 61


@pytest.fixture
def found(storage, viewer):
    """Return the keys of the events that a filter finds; the count must agree."""

    async def keys(condition):
        narrowing = event_narrowing(viewer, condition, NOW)
        read = Read(
            ("found", narrowing.shape),
            lambda _: sa.select(columns(Event).id).where(
                of_organization(Event), narrowing.narrow()
            ),
            {"organization_id": viewer.organization_id, **narrowing.values},
        )
        rows = await storage.read(read)
        [count] = await storage.read(events_count(viewer, condition, now=NOW))
        assert count.total == len(rows)
        return {row.id for row in rows}

    return keys


def column_of(name):
    return "duration_unit_text" if name == "duration_unit" else name


@pytest.mark.parametrize("name", sorted(TEXTS))
async def test_texts_are_compared_in_any_case(found, an_event, name):
    """Texts match by equality, list, part and start, in any case; pattern characters match
    literally.
    """
    column, never_null = column_of(name), name == "title"
    one = await an_event(**{column: "Übung 100%_A"})
    two = await an_event(**{column: "übung 1000 A"})
    none = None if never_null else await an_event(**{column: None})

    async def finds(operator: Operator, value: Any) -> set[UUID]:
        return await found(Condition(name, operator, value))

    assert await finds(Operator.EQ, "üBUNG 100%_a") == {one.id}
    assert await finds(Operator.IN, ("x", "ÜBUNG 1000 A")) == {two.id}
    assert await finds(Operator.IN, ()) == set()
    assert await finds(Operator.CONTAINS, "G 100") == {one.id, two.id}
    assert await finds(Operator.CONTAINS, "0%_") == {one.id}
    assert await finds(Operator.STARTS_WITH, "Übung 1000") == {two.id}
    assert await finds(Operator.STARTS_WITH, "bung") == set()
    assert await finds(Operator.IS_NULL, True) == ({none.id} if none else set())
    assert await finds(Operator.IS_NULL, False) == {one.id, two.id}


async def test_a_unit_without_a_text_is_found_by_its_name(found, an_event):
    """The gateway's own events are found by the name of their unit."""
    event = await an_event(duration_unit=DurationUnit.HOUR)
    await an_event(duration_unit=DurationUnit.DAY)

    assert await found(Condition("duration_unit", Operator.EQ, "hour")) == {event.id}


@pytest.mark.parametrize("name", sorted(INSTANTS))
async def test_instants_are_equal_to_the_second(found, an_event, name):
    """Instants match by equality to the second and by exact range; a null matches neither."""
    column, never_null = INSTANTS[name], name == "last_change_time"
    early = NOW + HOUR
    late = early + timedelta(milliseconds=900)
    given = {"start_at": NOW, "end_at": NOW + 5 * HOUR}
    if name == "start":
        given["end_at"] = None
    one = await an_event(**{**given, column: early})
    two = await an_event(**{**given, column: late})
    three = await an_event(**{**given, column: early + SECOND})
    none = None
    if not never_null:
        none = await an_event(**{**given, "end_at": None, column: None})

    async def finds(operator: Operator, value: Any) -> set[UUID]:
        return await found(Condition(name, operator, value))

    assert await finds(Operator.EQ, early) == {one.id, two.id}
    assert await finds(Operator.EQ, early + timedelta(milliseconds=300)) == {one.id, two.id}
    assert await finds(Operator.EQ, early - SECOND) == set()
    assert await finds(Operator.GT, early) == {two.id, three.id}
    assert await finds(Operator.GTE, early) == {one.id, two.id, three.id}
    assert await finds(Operator.LT, late) == {one.id}
    assert await finds(Operator.LTE, late) == {one.id, two.id}
    assert await finds(Operator.IS_NULL, True) == ({none.id} if none else set())
    assert await finds(Operator.GT, datetime(1, 1, 1, tzinfo=UTC)) == {one.id, two.id, three.id}
    assert await finds(Operator.EQ, datetime.max.replace(tzinfo=UTC)) == set()


@pytest.mark.parametrize("name", sorted(NUMBERS))
async def test_numbers_are_compared(found, an_event, name):
    """Numbers match by equality, list, minimum and maximum; a null matches none of them."""
    one, two = await an_event(**{name: 3}), await an_event(**{name: 5})
    none = await an_event(**{name: None})

    assert await found(Condition(name, Operator.EQ, 3)) == {one.id}
    assert await found(Condition(name, Operator.GTE, 5)) == {two.id}
    assert await found(Condition(name, Operator.LTE, 4)) == {one.id}
    assert await found(Condition(name, Operator.IS_NULL, True)) == {none.id}
    assert await found(Condition(name, Operator.IS_NULL, False)) == {one.id, two.id}
    if name != "credit_hours":
        assert await found(Condition(name, Operator.IN, (5, 6))) == {two.id}


@pytest.mark.parametrize("name", sorted(FLAGS))
async def test_flags_are_compared(found, an_event, name):
    """True finds events with the flag, false the others."""
    yes, no = await an_event(**{name: True}), await an_event(**{name: False})

    assert await found(Condition(name, Operator.EQ, True)) == {yes.id}
    assert await found(Condition(name, Operator.EQ, False)) == {no.id}


@pytest.mark.parametrize("name", sorted(PLAIN_KEYS))
async def test_identifiers_are_compared(found, an_event, name):
    """Identifiers match by equality, list and null."""
    key, other = uuid4(), uuid4()
    one = await an_event(**{name: key})
    two = await an_event(**{name: other})
    none = set() if name == "identifier" else {(await an_event(**{name: None})).id}

    assert await found(Condition(name, Operator.EQ, key)) == {one.id}
    assert await found(Condition(name, Operator.IN, (uuid4(), other))) == {two.id}
    assert await found(Condition(name, Operator.IN, ())) == set()
    assert await found(Condition(name, Operator.IS_NULL, True)) == none


@pytest.mark.parametrize("system", [SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2])
async def test_a_centre_is_known_by_our_key_or_by_shift_iqs(
    found, an_event, a_centre, known_as, system
):
    """Shift iQ versions share their ids; an id of another kind or system does not match."""
    centre, other = await a_centre(), await a_centre()
    event, elsewhere = await an_event(venue_id=centre.id), await an_event(venue_id=other.id)
    nowhere = await an_event()
    theirs, office, school = uuid4(), uuid4(), uuid4()
    await known_as(ByExternalId(system, "venue", str(theirs).upper()), "Centre", centre)
    await known_as(ByExternalId(system, "office", str(office)), "Centre", centre)
    await known_as(ByExternalId(SourceSystem.EC_ENGLISH, "venue", str(school)), "Centre", centre)

    async def finds(operator: Operator, value: Any) -> set[UUID]:
        return await found(Condition("venue_identifier", operator, value))

    assert await finds(Operator.EQ, centre.id) == {event.id}
    assert await finds(Operator.EQ, theirs) == {event.id}
    assert await finds(Operator.EQ, office) == await finds(Operator.EQ, school) == set()
    assert await finds(Operator.IN, (theirs, other.id)) == {event.id, elsewhere.id}
    assert await finds(Operator.IN, ()) == set()
    assert await finds(Operator.IS_NULL, True) == {nowhere.id}


async def test_an_organization_is_known_by_our_key_or_by_shift_iqs(
    found, an_event, known_as, organization_id
):
    """Filters never find events of another organization."""

    @dataclass
    class Organization:
        id: UUID

    event, theirs = await an_event(), uuid4()
    name = ByExternalId(SourceSystem.SHIFT_IQ_V1, "organization", str(theirs))
    await known_as(name, "Organization", Organization(organization_id))

    async def finds(value: UUID) -> set[UUID]:
        return await found(Condition("organization_identifier", Operator.EQ, value))

    assert await finds(organization_id) == await finds(theirs) == {event.id}
    assert await finds(uuid4()) == set()


async def test_a_centre_and_a_kind_are_one_of_some(found, an_event, a_centre):
    """A list filters by centre key or by kind."""
    centre = await a_centre()
    there = await an_event(venue_id=centre.id, kind=EventKind.CLASS)
    nowhere = await an_event()

    assert await found(Condition("centre_id", Operator.EQ, centre.id)) == {there.id}
    assert await found(Condition("centre_id", Operator.IN, (centre.id,))) == {there.id}
    assert await found(Condition("centre_id", Operator.IS_NULL, True)) == {nowhere.id}
    assert await found(Condition("kind", Operator.IN, (EventKind.CLASS,))) == {there.id}
    assert await found(Condition("kind", Operator.IN, (EventKind.EXAM,))) == {nowhere.id}
    assert await found(Condition("kind", Operator.IN, ())) == set()


async def test_the_local_date_is_that_of_the_events_zone(found, an_event):
    """One instant is on two dates, in the time zones of two events."""
    late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
    london = await an_event(start_at=late)
    tokyo = await an_event(start_at=late, time_zone="Asia/Tokyo")
    far_east = await an_event(
        start_at=datetime(2027, 3, 1, 10, 0, tzinfo=UTC), time_zone="Pacific/Kiritimati"
    )
    far_west = await an_event(
        start_at=datetime(2027, 3, 2, 11, 59, 59, tzinfo=UTC), time_zone="Etc/GMT+12"
    )
    await an_event(start_at=None)

    async def finds(day: date) -> set[UUID]:
        return await found(Condition("local_date", Operator.EQ, day))

    assert await finds(date(2027, 3, 1)) == {london.id, far_west.id}
    assert await finds(date(2027, 3, 2)) == {tokyo.id, far_east.id}
    assert await finds(date.min) == await finds(date.max) == set()


async def test_parts_are_joined(found, an_event):
    """`and`, `or` and `not` combine; `not` includes events with an unknown value."""
    ten = await an_event(number=10, title="Law")
    twenty = await an_event(number=20, title="Law")
    unknown = await an_event(title="Art")
    law = Condition("title", Operator.EQ, "law")
    small = Condition("number", Operator.LTE, 10)

    assert await found(AllOf((law, small))) == {ten.id}
    assert await found(AnyOf((small, Condition("title", Operator.EQ, "ART")))) == {
        ten.id,
        unknown.id,
    }
    assert await found(Not(small)) == {twenty.id, unknown.id}
    assert await found(AllOf((law, Not(AnyOf((small,)))))) == {twenty.id}
    assert await found(AnyOf(())) == set()


@pytest.mark.parametrize("status", list(EventStatus))
async def test_each_status_finds_its_events(found, an_event, status):
    """Each status finds only its own event."""
    events = {
        EventStatus.DRAFT: await an_event(start_at=None),
        EventStatus.SCHEDULED: await an_event(start_at=NOW + HOUR),
        EventStatus.LOCKED: await an_event(start_at=NOW + HOUR, registration_locked=NOW),
        EventStatus.IN_PROGRESS: await an_event(start_at=NOW),
        EventStatus.COMPLETED: await an_event(start_at=NOW - MINUTE),
        EventStatus.CANCELLED: await an_event(start_at=NOW, cancelled_at=NOW),
    }

    assert await found(Condition("status", Operator.IN, (status,))) == {events[status].id}


NEAR = [-HOUR, -MINUTE, -MINUTE + SECOND, timedelta(0), SECOND, HOUR]


def every_combination() -> list[dict[str, Any]]:
    """Events around NOW: every combination of start, end, exam start, lock and cancellation."""
    moments = [None, *(NOW + step for step in NEAR)]
    combinations = []
    for start, end, begun, locked, cancelled, on_demand in product(
        moments, moments, moments[::2], moments[::2], (None, NOW), (False, True)
    ):
        if on_demand and (start or end):
            continue
        if start and end and end < start:
            continue
        combinations.append(
            {
                "start_at": start,
                "end_at": end,
                "exam_started": begun,
                "registration_locked": locked,
                "cancelled_at": cancelled,
                "on_demand": on_demand,
            }
        )
    return combinations


async def test_the_database_and_the_rule_agree_on_the_status(
    storage, found, row_of, organization_id
):
    """An event is found only by the status that the rule computes, for all combinations of
    times.
    """
    events = [
        changed(row_of(**values), id=key, identifier=key, organization_id=organization_id)
        for values in every_combination()
        for key in [new_key()]
    ]

    def insert(work: Any, _: Any) -> list[Outcome]:
        work.insert(Event, events)
        return [Outcome(organization_id)]

    await storage.write(insert, [None])

    assert len(events) > 500
    for status in EventStatus:
        expected = {event.id for event in events if rules.status(event, NOW) is status}
        assert await found(Condition("status", Operator.IN, (status,))) == expected, status


async def test_free_seats_are_those_that_the_seats_show(
    storage, viewer, found, an_event, a_booking, a_room, a_centre, a_candidate
):
    """The filter finds exactly the events whose free seats are positive or unlimited."""
    chance = Random(11)
    centre, candidate = await a_centre(), await a_candidate()
    rooms = [None, *[await a_room(centre, capacity=n) for n in (1, 2, 4)]]
    events = []
    for _ in range(40):
        start = NOW + chance.randrange(12) * 10 * MINUTE
        room = chance.choice(rooms)
        events.append(
            await an_event(
                room_id=None if room is None else room.id,
                capacity_maximum=chance.choice([None, 1, 3, 5]),
                **chance.choice(
                    [
                        {"start_at": start},
                        {"start_at": start, "end_at": start},
                        {"start_at": start, "end_at": start + 30 * MINUTE},
                        {"start_at": start, "end_at": start + HOUR, "cancelled_at": NOW},
                        {"start_at": None},
                        {"start_at": None, "on_demand": True},
                    ]
                ),
            )
        )
    for _ in range(120):
        start = NOW + chance.randrange(24) * 5 * MINUTE
        status = chance.choice([*SEATED, BookingStatus.CANCELLED])
        cancelled = status is BookingStatus.CANCELLED
        await a_booking(
            chance.choice(events),
            candidate,
            status=status,
            cancel_reason=CancellationReason.OTHER if cancelled else None,
            cancelled_at=NOW if cancelled else None,
            start_at=start,
            end_at=start + chance.choice([5, 20, 60]) * MINUTE,
        )

    rows = await storage.read(seats_of_events(viewer, [event.id for event in events]))
    seats = assembled_seats(rows, now=NOW)

    free = {key for key, facts in seats.items() if facts.free is None or facts.free > 0}
    assert len(seats) == 40
    assert 8 < len(free) < 32
    assert await found(Condition("has_free_seats", Operator.EQ, True)) == free
    assert await found(Condition("has_free_seats", Operator.EQ, False)) == set(seats) - free


async def test_many_conditions_on_free_seats(found, an_event, a_booking, a_candidate):
    """Each condition finds the same events in any position as alone."""
    full, free = [await an_event(number=n, capacity_maximum=1) for n in (1, 2)]
    await a_booking(full, await a_candidate())

    def seats(value: bool) -> Condition:
        return Condition("has_free_seats", Operator.EQ, value)

    def number(n: int) -> Condition:
        return Condition("number", Operator.EQ, n)

    others = tuple(AllOf((seats(n % 2 == 0), number(n))) for n in range(10, 50))
    for event, value in product((full, free), (True, False)):
        wanted = AllOf((seats(value), number(event.number)))
        matches = {event.id} if (event is free) is value else set()
        assert await found(AnyOf((*others, wanted))) == matches
        assert await found(Not(AnyOf((*others, wanted)))) == {full.id, free.id} - matches
        assert await found(AllOf((wanted, *(3 * [Not(seats(not value))])))) == matches


@pytest.mark.parametrize("alternatives", [1, 2, 3, 40])
async def test_free_seats_are_counted_twice_at_most(viewer, alternatives):
    """A filter counts an event's bookings at most twice, for any number of conditions."""
    given = AnyOf(
        tuple(
            AllOf(
                (
                    Condition("has_free_seats", Operator.EQ, n % 2 == 0),
                    Condition("title", Operator.EQ, f"{n}"),
                )
            )
            for n in range(alternatives)
        )
    )

    wanted = sa.select(columns(Event).id).where(event_narrowing(viewer, given, NOW).narrow())

    counted = Compiled(wanted, DIALECTS["postgresql"]).sql.count("capacity_maximum IS NULL")
    assert counted == min(alternatives, 2)
