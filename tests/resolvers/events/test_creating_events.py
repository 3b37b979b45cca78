"""Creating events: stored, computed and refused values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from resolvers.changes import Origin
from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.identity import global_id
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.storage.tables import Event, EventModule, Subject
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    AccessScope,
    DurationUnit,
    EventChangeType,
    EventKind,
    Permission,
    SourceSystem,
)

START = datetime(2027, 7, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refusals(result):
    """Return the codes and paths of the refusals."""
    assert isinstance(result, Refused), result
    return [(refusal.code.value, ".".join(refusal.path)) for refusal in result.refusals]


async def test_an_event_has_defaults(commands, row, clock, organization_id):
    """Without input, an event is a draft of an exam in the organization's time zone."""
    event = await row(Event, await commands.made())

    assert (event.kind, event.title, event.time_zone) == (EventKind.EXAM, "EXAM", "Europe/London")
    assert event.identifier == event.id
    assert event.organization_id == organization_id
    assert (event.start_at, event.end_at, event.local_start, event.duration_minutes) == (None,) * 4
    assert (event.waitlist_enabled, event.on_demand, event.version) == (False, False, 1)
    assert event.last_change_time == clock.now
    assert (event.last_change_type, event.last_change_user) == ("Created", "admin")


async def test_nulls_mean_defaults(commands, row):
    """A null for a required field means its default."""
    key = await commands.made(title=None, kind=None, on_demand=None, billing_code_enabled=None)

    event = await row(Event, key)

    assert (event.title, event.kind) == ("EXAM", EventKind.EXAM)
    assert (event.on_demand, event.billing_code_enabled) == (False, False)


async def test_the_clients_identifier_is_kept(commands, row):
    """A client's identifier is kept; the nil UUID counts as missing."""
    identifier = uuid4()
    given = await commands.create(identifier=identifier)
    nil = await commands.create(identifier=UUID(int=0))

    assert (await row(Event, given.subject)).identifier == identifier
    assert (await row(Event, nil.subject)).identifier == nil.subject


async def test_an_identifier_is_given_once(storage, viewer, commands, rows):
    """A second event with the same identifier is refused, in another batch and in the same one."""
    one, two = uuid4(), uuid4()
    await commands.create(identifier=one)

    results = await storage.write(
        create_events, [CreateEvent(viewer, {}, identifier) for identifier in (one, two, two)]
    )

    assert [isinstance(result, Outcome) for result in results] == [False, True, False]
    assert refusals(results[0]) == refusals(results[2]) == [("ALREADY_EXISTS", "identifier")]
    assert len(await rows(Event)) == 2


async def test_the_place_gives_title_and_zone(commands, row, a_centre, a_room):
    """The default title has the exam type, else the kind, and the centre; the time zone is the
    centre's.
    """
    centre = await a_centre("Lisboa", time_zone="Europe/Lisbon")
    room = await a_room(centre)
    typed = await commands.made(centre=ByKey(centre.id), exam_type="Resit", start_at=START)
    classes = await commands.made(room=ByKey(room.id), kind=EventKind.CLASS)

    first, second = await row(Event, typed), await row(Event, classes)

    assert first.title == "Resit at Lisboa"
    assert (first.time_zone, first.local_start) == (
        "Europe/Lisbon",
        datetime.fromisoformat("2027-07-01T10:00"),
    )
    assert (second.title, second.venue_id, second.room_id) == (
        "CLASS at Lisboa",
        centre.id,
        room.id,
    )


async def test_a_default_title_fits(commands, row, a_centre):
    """A default title with a long exam type still has the complete centre."""
    centre = await a_centre("Northfield")
    key = await commands.made(centre=ByKey(centre.id), exam_type="x" * 4000)

    title = (await row(Event, key)).title

    assert len(title) == 200
    assert title.endswith("x at Northfield")


async def test_the_end_follows_from_the_duration(commands, row, a_test):
    """The end is computed from the first of given end, exam, test and quantity; the given end is
    also stored.
    """
    test = await a_test(45)
    hours = {"duration_quantity": 2, "duration_unit": DurationUnit.HOUR}
    given = await row(Event, await commands.made(start_at=START, given_end_at=START + 3 * HOUR))
    tested = await row(Event, await commands.made(start_at=START, test=ByKey(test.id), **hours))
    quantity = await row(Event, await commands.made(start_at=START, **hours))

    assert (given.end_at, given.given_end_at, given.duration_minutes) == (
        START + 3 * HOUR,
        START + 3 * HOUR,
        180,
    )
    assert (tested.end_at, tested.given_end_at) == (START + timedelta(minutes=45), None)
    assert tested.duration_minutes == 45
    assert (quantity.end_at, quantity.duration_minutes) == (START + 2 * HOUR, 120)
    assert quantity.duration_unit_text == "HOUR"


async def test_a_unit_that_is_none_is_kept_as_it_came(commands, row):
    """An import's unknown unit is kept and can be filtered, but gives no duration."""
    key = await commands.made(start_at=START, duration_quantity=2, duration_unit_text="Fortnights")

    event = await row(Event, key)

    assert (event.duration_unit, event.duration_unit_text) == (None, "Fortnights")
    assert event.end_at is None


async def test_modules_are_kept_once(commands, rows, a_module):
    """A repeated module counts once."""
    one, two = await a_module(), await a_module()
    modules = (ByKey(one.id), ByReference(two.reference), ByReference(one.reference))
    key = await commands.made(modules=modules)

    assert {m.module_id for m in await rows(EventModule, event_id=key)} == {one.id, two.id}


async def test_references_are_names_of_any_sort(commands, row, known_as, a_centre, a_room):
    """A centre is found by an external key, and a room by its name at the centre."""
    centre, other = await a_centre(), await a_centre("Elsewhere")
    room = await a_room(centre, name="Hall")
    await a_room(other, name="Hall")
    venue = ByExternalId(SourceSystem.SHIFT_IQ_V2, "venue", "V")
    await known_as(venue, "Centre", centre)

    event = await row(Event, await commands.made(centre=venue, room=ByReference("Hall")))

    assert (event.venue_id, event.room_id) == (centre.id, room.id)


async def test_everything_wrong_is_reported_at_once(commands, rows, changes):
    """Permission, references and fields are checked together, and nothing is written."""
    wrong = {
        "centre": ByReference("nowhere"),
        "test": Unreadable("x", "is not a global id"),
        "modules": [ByKey(uuid4())],
        "capacity_maximum": 0,
        "title": " ",
        "credit_hours": -1.0,
        "number": 2**31,
        "description": "x" * 20_001,
        "distribution_code": "x" * 4_001,
        "exam_duration_in_minutes": 100_001,
        "start_at": datetime(1, 1, 1, tzinfo=UTC),
    }

    result = await commands.create(**wrong)

    assert sorted(refusals(result)) == [
        ("INVALID_VALUE", "test"),
        ("NOT_FOUND", "centre"),
        ("NOT_FOUND", "modules.0"),
        ("OUT_OF_RANGE", "capacity_maximum"),
        ("OUT_OF_RANGE", "credit_hours"),
        ("OUT_OF_RANGE", "exam_duration_in_minutes"),
        ("OUT_OF_RANGE", "number"),
        ("OUT_OF_RANGE", "start_at"),
        ("STRING_LENGTH", "description"),
        ("STRING_LENGTH", "distribution_code"),
        ("STRING_LENGTH", "title"),
    ]
    assert await rows(Event) == []
    assert await changes() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"start_at": START, "given_end_at": START}, []),
        (
            {"start_at": START, "given_end_at": START - timedelta(seconds=1)},
            [("OUT_OF_RANGE", "given_end_at")],
        ),
        (
            {"on_demand": True, "start_at": START, "given_end_at": START + HOUR},
            [("INVALID_VALUE", "start_at"), ("INVALID_VALUE", "given_end_at")],
        ),
        ({"on_demand": True}, []),
        ({"duration_quantity": 1666, "duration_unit": DurationUnit.HOUR}, []),
        (
            {"duration_quantity": 1667, "duration_unit": DurationUnit.HOUR},
            [("OUT_OF_RANGE", "duration_quantity")],
        ),
        ({"duration_quantity": 100_000, "duration_unit": DurationUnit.DAY}, []),
        ({"credit_hours": float("nan")}, [("OUT_OF_RANGE", "credit_hours")]),
        ({"capacity_maximum": 1}, []),
        ({"capacity_maximum": 100_000}, []),
        ({"capacity_maximum": 100_001}, [("OUT_OF_RANGE", "capacity_maximum")]),
        ({"capacity_minimum": 24, "capacity_maximum": 24}, []),
        (
            {"capacity_minimum": 25, "capacity_maximum": 24},
            [("OUT_OF_RANGE", "capacity_minimum")],
        ),
        ({"registration_start": START, "registration_deadline": START, "start_at": START}, []),
        (
            {"registration_start": START, "registration_deadline": START - HOUR},
            [("OUT_OF_RANGE", "registration_deadline")],
        ),
        (
            {"registration_start": START + HOUR, "start_at": START},
            [("OUT_OF_RANGE", "registration_start")],
        ),
        ({"invigilator_minimum": 0}, []),
        ({"summary": "x" * 4_000}, []),
        ({"title": "x" * 201}, [("STRING_LENGTH", "title")]),
    ],
)
async def test_values_hold_together(commands, values, expected):
    """Limits are inclusive, and related fields are checked together."""
    result = await commands.create(**values)

    assert expected == ([] if isinstance(result, Outcome) else refusals(result))


async def test_a_room_is_at_the_centre(commands, a_centre, a_room):
    """A room of another centre is refused."""
    centre, room = await a_centre(), await a_room(await a_centre("Elsewhere"))

    result = await commands.create(centre=ByKey(centre.id), room=ByKey(room.id))

    assert refusals(result) == [("INVALID_VALUE", "room")]


async def test_a_list_of_modules_has_an_end(commands, a_module, insert):
    """An event has at most 500 modules."""
    modules = [ByKey((await a_module()).id) for _ in range(501)]

    assert refusals(await commands.create(modules=modules)) == [("OUT_OF_RANGE", "modules")]
    assert isinstance(await commands.create(modules=modules[:500]), Outcome)


async def test_only_those_who_manage_events_make_them(commands, viewer):
    """Creating an event requires the permission."""
    may_not = replace(viewer, permissions=viewer.permissions - {Permission.MANAGE_EVENTS})

    result = await replace(commands, viewer=may_not).create()

    assert refusals(result) == [("FORBIDDEN", "")]


async def test_an_event_is_in_its_makers_scope(commands, viewer, a_centre, a_test, insert):
    """A viewer restricted to centres and subjects creates events there; a refusal names the missing
    scope.
    """
    mine, other = await a_centre("Mine"), await a_centre("Other")
    subject = await insert(Subject, reference="S1", name="Law", search_text="law")
    law, free = await a_test(subject_id=subject.id), await a_test()
    scope = Scope(centres=frozenset({mine.id}), subjects=frozenset({uuid4()}))
    confined = replace(commands, viewer=replace(viewer, scope=scope))

    elsewhere = await confined.create(centre=ByKey(other.id))
    nowhere = await confined.create()
    other_subject = await confined.create(centre=ByKey(mine.id), test=ByKey(law.id))
    fine = await confined.create(centre=ByKey(mine.id), test=ByKey(free.id))

    assert refusals(elsewhere) == refusals(nowhere) == [("FORBIDDEN", "centre")]
    assert elsewhere.refusals[0].missing_scope is AccessScope.CENTRE
    assert refusals(other_subject) == [("FORBIDDEN", "test")]
    assert other_subject.refusals[0].missing_scope is AccessScope.SUBJECT
    assert isinstance(fine, Outcome)


async def test_creation_is_recorded(storage, viewer, changes, row, a_module, a_centre):
    """The log has one change with every value by its GraphQL name, and the caller's origin."""
    module, centre = await a_module(), await a_centre()
    values = {
        "centre": ByKey(centre.id),
        "start_at": START,
        "modules": [ByKey(module.id)],
        "distribution_code": "D1",
        "learner_registration_group_identifier": UUID(int=7),
    }
    command = CreateEvent(viewer, values, origin=Origin(reason="new term"))

    [outcome] = await storage.write(create_events, [command])

    [change] = await changes()
    event = await row(Event, outcome.subject)
    assert outcome == Outcome(event.id, created=True, facts={"affectedBookings": 0})
    assert (change.event_type, change.event_id) == (EventChangeType.CREATED, event.id)
    assert (change.version, change.actor_name, change.before) == (1, "admin", None)
    assert change.origin["reason"] == "new term"
    assert change.after["modules"] == [global_id("Module", module.id)]
    assert change.after["centre"] == global_id("Centre", centre.id)
    assert change.after["times"]["localStart"] == "2027-07-01T10:00:00"
    assert change.after["distribution"]["code"] == "D1"
    assert change.after["learnerRegistrationGroupIdentifier"] == str(UUID(int=7))


async def test_the_number_of_statements_is_fixed(storage, viewer, a_centre):
    """A batch of many costs as many reads as a batch of one."""
    centre = await a_centre()
    values = {"centre": ByKey(centre.id), "start_at": START}
    counted = []

    def counting(work, commands):
        read, reads = work.rows, []
        work.rows = lambda given: reads.append(given.shape) or read(given)
        results = create_events(work, commands)
        counted.append(len(reads))
        return results

    await storage.write(counting, [CreateEvent(viewer, values, uuid4())])
    await storage.write(counting, [CreateEvent(viewer, values, uuid4()) for _ in range(50)])

    assert counted[0] == counted[1]
