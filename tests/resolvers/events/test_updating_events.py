"""Updating events without bookings: kept, cleared and refused values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from resolvers.changes import Origin
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.identity import global_id
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome, Warning
from resolvers.references import ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.storage.tables import Event, EventModule
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    AccessScope,
    DurationUnit,
    EventChangeType,
    EventStatus,
    Permission,
    RuleOverride,
)

START = datetime(2027, 7, 1, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UNCHANGED = {"affectedBookings": 0}


def refusals(result):
    """Return the codes and paths of the refusals."""
    assert isinstance(result, Refused), result
    return [(refusal.code.value, ".".join(refusal.path)) for refusal in result.refusals]


async def test_what_is_left_out_stays_and_null_clears(commands, row, changes, clock):
    """Only given fields change; the version increases and the log has the difference."""
    key = await commands.made(
        title="Law", summary="Long", number=7, distribution_code="D", start_at=START
    )
    clock.now += HOUR

    outcome = await commands.update(key, number=8, summary=None, origin=Origin(reason="typo"))

    event = await row(Event, key)
    assert outcome == Outcome(key, facts=UNCHANGED)
    assert (event.title, event.summary, event.number) == ("Law", None, 8)
    assert (event.distribution_code, event.start_at) == ("D", START)
    assert (event.version, event.last_change_type) == (2, "Updated")
    assert (event.last_change_time, event.last_change_user) == (clock.now, "admin")
    change = (await changes())[-1]
    assert (change.event_type, change.version) == (EventChangeType.UPDATED, 2)
    assert change.before == {"number": 7, "summary": "Long"}
    assert change.after == {"number": 8, "summary": None}
    assert change.origin["reason"] == "typo"


async def test_what_changes_nothing_records_nothing(commands, row, changes, a_module, a_test):
    """The same values succeed without a version or a change."""
    module, test = await a_module(), await a_test()
    key = await commands.made(
        number=7, test=ByKey(test.id), modules=[ByKey(module.id)], start_at=START
    )
    before, log = await row(Event, key), await changes()

    again = await commands.update(
        key, number=7, test=ByReference(test.reference), modules=[ByKey(module.id)], start_at=START
    )
    nothing = await commands.update(key)

    assert again == nothing == Outcome(key, changed=False, facts=UNCHANGED)
    assert await row(Event, key) == before
    assert await changes() == log


async def test_modules_are_replaced(commands, rows, changes, a_module):
    """A list replaces the modules; a null clears them."""
    one, two, three = [await a_module() for _ in range(3)]
    key = await commands.made(modules=[ByKey(one.id), ByKey(two.id)])

    await commands.update(key, modules=[ByKey(three.id), ByKey(two.id)])
    replaced = {m.module_id for m in await rows(EventModule, event_id=key)}
    await commands.update(key, modules=None)

    assert replaced == {two.id, three.id}
    assert await rows(EventModule, event_id=key) == []
    assert (await changes())[-1].after == {"modules": []}
    assert sorted((await changes())[-2].before["modules"]) == sorted(
        global_id("Module", module.id) for module in (one, two)
    )


async def test_the_place_follows(commands, row, a_centre, a_room):
    """A new centre sets its time zone and removes a room that is elsewhere; a new room sets its
    centre.
    """
    lisbon = await a_centre("Lisboa", time_zone="Europe/Lisbon")
    madrid = await a_centre("Madrid", time_zone="Europe/Madrid")
    room = await a_room(lisbon)
    key = await commands.made(start_at=START)

    await commands.update(key, room=ByKey(room.id))
    roomed = await row(Event, key)
    await commands.update(key, centre=ByKey(madrid.id))
    moved = await row(Event, key)
    await commands.update(key, centre=None)
    nowhere = await row(Event, key)

    assert (roomed.venue_id, roomed.time_zone) == (lisbon.id, "Europe/Lisbon")
    assert (moved.venue_id, moved.room_id, moved.time_zone) == (madrid.id, None, "Europe/Madrid")
    assert moved.local_start == datetime.fromisoformat("2027-07-01T11:00")
    assert (nowhere.venue_id, nowhere.time_zone) == (None, "Europe/London")


async def test_the_end_follows(commands, row, a_test):
    """The effective end is computed again when one of its sources changes."""
    short, long = await a_test(30), await a_test(90)
    key = await commands.made(start_at=START, given_end_at=START + HOUR, test=ByKey(short.id))

    async def ends():
        event = await row(Event, key)
        return (event.end_at - event.start_at) / MINUTE, event.duration_minutes

    assert await ends() == (60, 30)
    await commands.update(key, given_end_at=None)
    assert await ends() == (30, 30)
    await commands.update(key, test=ByKey(long.id))
    assert await ends() == (90, 90)
    await commands.update(key, exam_duration_in_minutes=45)
    assert await ends() == (45, 45)
    await commands.update(
        key,
        exam_duration_in_minutes=None,
        test=None,
        duration_quantity=2,
        duration_unit=DurationUnit.HOUR,
    )
    assert await ends() == (120, 120)
    await commands.update(key, start_at=START + HOUR)
    assert await ends() == (120, 120)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": None}, [("REQUIRED", "title")]),
        ({"kind": None}, [("REQUIRED", "kind")]),
        ({"on_demand": None}, [("REQUIRED", "on_demand")]),
        ({"billing_code_enabled": None}, [("REQUIRED", "billing_code_enabled")]),
        ({"capacity_maximum": 0}, [("OUT_OF_RANGE", "capacity_maximum")]),
        ({"given_end_at": START - MINUTE}, [("OUT_OF_RANGE", "given_end_at")]),
        ({"start_at": START + 2 * HOUR}, [("OUT_OF_RANGE", "start_at")]),
        ({"start_at": START + 2 * HOUR, "given_end_at": None}, []),
        (
            {"on_demand": True, "start_at": START, "given_end_at": START + HOUR},
            [("INVALID_VALUE", "start_at"), ("INVALID_VALUE", "given_end_at")],
        ),
        ({"on_demand": True}, [("INVALID_VALUE", "on_demand")]),
        (
            {"duration_quantity": 99_999, "duration_unit": DurationUnit.HOUR},
            [("OUT_OF_RANGE", "duration_quantity")],
        ),
        ({"on_demand": True, "start_at": None, "given_end_at": None}, []),
        ({"centre": ByReference("nowhere")}, [("NOT_FOUND", "centre")]),
        ({"modules": [Unreadable("x", "is wrong")]}, [("INVALID_VALUE", "modules.0")]),
    ],
)
async def test_wrong_values_are_refused(commands, row, changes, expected):
    """A null for a required field, a value out of range and contradictory values are refused."""
    key = await commands.made(title="Law", start_at=START, given_end_at=START + HOUR)

    result = await commands.update(key, changes)

    assert expected == ([] if isinstance(result, Outcome) else refusals(result))
    assert (await row(Event, key)).version == (1 if expected else 2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"capacity_minimum": 11}, [("OUT_OF_RANGE", "capacity_minimum")]),
        ({"capacity_maximum": 4}, [("OUT_OF_RANGE", "capacity_maximum")]),
        ({"capacity_minimum": 11, "capacity_maximum": 11}, []),
        ({"capacity_maximum": None}, []),
        (
            {"registration_deadline": START - 3 * HOUR},
            [("OUT_OF_RANGE", "registration_deadline")],
        ),
        ({"registration_start": START - MINUTE}, [("OUT_OF_RANGE", "registration_start")]),
        ({"registration_start": None, "registration_deadline": START - 3 * HOUR}, []),
        ({"start_at": START - 3 * HOUR}, [("OUT_OF_RANGE", "start_at")]),
        ({"start_at": START - 2 * HOUR}, []),
    ],
)
async def test_limits_that_contradict_each_other_are_refused(commands, row, changes, expected):
    """Contradictory limits are refused even if only one changes; the refusal names the sent one."""
    key = await commands.made(
        title="Law",
        start_at=START,
        capacity_minimum=5,
        capacity_maximum=10,
        registration_start=START - 2 * HOUR,
        registration_deadline=START - HOUR,
    )

    result = await commands.update(key, changes)

    assert expected == ([] if isinstance(result, Outcome) else refusals(result))
    assert (await row(Event, key)).version == (1 if expected else 2)


async def test_an_old_contradiction_does_not_stop_other_changes(commands, an_event):
    """An event stored by an earlier version keeps its contradictory limits until one of them is
    set.
    """
    event = await an_event(start_at=START, capacity_minimum=11, capacity_maximum=10)

    assert isinstance(await commands.update(event.id, title="Renamed"), Outcome)
    assert refusals(await commands.update(event.id, capacity_maximum=9)) == [
        ("OUT_OF_RANGE", "capacity_maximum")
    ]


async def test_everything_wrong_is_reported_at_once(commands, viewer, a_centre, a_room):
    """The permission is checked first, then overrides, references and fields together, then the
    version.
    """
    centre, room = await a_centre(), await a_room(await a_centre())
    key = await commands.made(centre=ByKey(centre.id))
    given = {"title": "", "room": ByKey(room.id), "overrides": (RuleOverride.CAPACITY,)}

    async def without(permission):
        permissions = viewer.permissions - {permission}
        may_not = replace(commands, viewer=replace(viewer, permissions=permissions))
        return await may_not.update(key, expected_version=9, **given)

    result = await without(Permission.OVERRIDE_CAPACITY)

    assert refusals(result) == [
        ("FORBIDDEN", "overrides.0"),
        ("INVALID_VALUE", "room"),
        ("STRING_LENGTH", "title"),
    ]
    assert result.refusals[0].required is Permission.OVERRIDE_CAPACITY
    assert refusals(await without(Permission.MANAGE_EVENTS)) == [("FORBIDDEN", "")]


async def test_an_event_that_is_not_there(commands, viewer):
    """An unknown id, an id of another type and an event of another organization are refused."""
    key = await commands.made()
    elsewhere = replace(viewer, organization_id=uuid4())

    async def update(ref, who=viewer):
        [result] = await commands.storage.write(
            update_events, [UpdateEvent(who, ref, {"number": 1})]
        )
        return refusals(result)

    assert await update(ByKey(uuid4())) == [("NOT_FOUND", "event")]
    assert await update(Unreadable("x", "is wrong")) == [("INVALID_VALUE", "event")]
    assert await update(ByKey(key), elsewhere) == [("NOT_FOUND", "event")]


async def test_events_outside_of_the_scope_are_left_alone(commands, viewer, a_centre):
    """The event's current and new places must both be in the viewer's scope."""
    mine, other = await a_centre(), await a_centre()
    inside = await commands.made(centre=ByKey(mine.id))
    outside = await commands.made(centre=ByKey(other.id))
    scope = Scope(centres=frozenset({mine.id}))
    confined = replace(commands, viewer=replace(viewer, scope=scope))

    here = await confined.update(outside, number=1)
    there = await confined.update(inside, centre=ByKey(other.id))

    assert refusals(here) == [("FORBIDDEN", "event")]
    assert refusals(there) == [("FORBIDDEN", "centre")]
    assert here.refusals[0].missing_scope is AccessScope.CENTRE
    assert isinstance(await confined.update(inside, number=1), Outcome)


async def test_another_version_is_stale(commands):
    """An update of an outdated version is refused with the current version."""
    key = await commands.made(start_at=START)
    await commands.update(key, number=1)

    stale = await commands.update(key, number=2, expected_version=1)

    assert refusals(stale) == [("STALE_BOOKING", "expected_version")]
    assert (stale.refusals[0].version, stale.refusals[0].event_status) == (
        2,
        EventStatus.SCHEDULED,
    )
    assert isinstance(await commands.update(key, number=2, expected_version=2), Outcome)


async def test_a_cancelled_event_stays_as_it_is(commands, an_event, clock):
    """Every update of a cancelled event is refused, even one without changes."""
    event = await an_event(cancelled_at=clock.now)

    result = await commands.update(event.id, title=event.title)

    assert refusals(result) == [("ILLEGAL_STATE", "event")]
    assert result.refusals[0].event_status is EventStatus.CANCELLED


async def test_one_refusal_does_not_touch_the_others(storage, viewer, commands, row):
    """A batch updates an event twice, and a refused command between them changes nothing."""
    key, other = await commands.made(title="One"), await commands.made(title="Other")
    wanted = [
        (key, {"title": "Two"}, 1),
        (key, {"title": "Three"}, 1),
        (other, {"title": ""}, None),
        (key, {"title": "Four"}, 2),
    ]

    results = await storage.write(
        update_events,
        [UpdateEvent(viewer, ByKey(event), given, version) for event, given, version in wanted],
    )

    assert [isinstance(result, Outcome) for result in results] == [True, False, False, True]
    assert ((await row(Event, key)).title, (await row(Event, key)).version) == ("Four", 3)
    assert (await row(Event, other)).title == "Other"


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (5, 3, True),
        (5, 2, False),
        (None, 2, False),
        (2, 2, True),
        (1, 2, True),
        (5, None, True),
    ],
)
async def test_capacity_is_not_lowered_below_what_is_taken(
    commands, an_event, a_booking, before, after, allowed
):
    """With three seats taken, a lower capacity is refused; an equal or higher one is accepted."""
    event = await an_event(capacity_maximum=before)
    for _ in range(3):
        await a_booking(event)

    result = await commands.update(event.id, capacity_maximum=after)

    if allowed:
        assert isinstance(result, Outcome)
    else:
        assert refusals(result) == [("OUT_OF_RANGE", "capacity_maximum")]
        assert (result.refusals[0].capacity, result.refusals[0].taken) == (2, 3)


async def test_the_capacity_rule_can_be_set_aside(commands, row, an_event, a_booking, changes):
    """An override of the capacity adds a warning, keeps every booking and is recorded in the
    change.
    """
    event = await an_event(capacity_maximum=3)
    await a_booking(event)
    await a_booking(event)

    outcome = await commands.update(
        event.id, capacity_maximum=1, overrides=(RuleOverride.CAPACITY,)
    )

    assert [(w.code, w.path) for w in outcome.warnings] == [("OUT_OF_RANGE", ("overrides",))]
    assert all(isinstance(warning, Warning) for warning in outcome.warnings)
    assert (await row(Event, event.id)).capacity_maximum == 1
    [change] = await changes()
    assert change.overrides == ["CAPACITY"]


async def test_an_override_that_was_not_needed_is_not_recorded(commands, changes):
    """An override that was requested but not needed is not recorded."""
    key = await commands.made(capacity_maximum=5)

    outcome = await commands.update(key, capacity_maximum=4, overrides=(RuleOverride.CAPACITY,))

    assert outcome.warnings == ()
    assert (await changes())[-1].overrides is None


async def test_the_number_of_statements_is_fixed(storage, viewer, commands, an_event, a_booking):
    """A batch of many costs as many reads as a batch of one."""
    events = [await an_event(end_at=START + HOUR) for _ in range(12)]
    for event in events:
        await a_booking(event)
    counted = []

    def counting(work, commands):
        read, reads = work.rows, []
        work.rows = lambda given: reads.append(given.shape) or read(given)
        results = update_events(work, commands)
        counted.append(len(reads))
        return results

    def moves(some):
        start = {"start_at": START - HOUR}
        return [UpdateEvent(viewer, ByKey(event.id), start) for event in some]

    one = await storage.write(counting, moves(events[:1]))
    many = await storage.write(counting, moves(events[1:]))

    assert all(result.facts == {"affectedBookings": 1} for result in [*one, *many])
    assert counted[0] == counted[1]


async def test_a_number_is_never_taken_for_another(commands, row):
    """Identifiers, instants and texts of the details are stored unchanged."""
    given = {
        "venue_office_identifier": UUID(int=1),
        "exam_started": START,
        "return_shipment_received": START,
        "distribution_ordered": START + MINUTE,
        "credit_hours": 1.5,
        "registration_locked": START,
        "content": "Ünicode ☃",
    }
    key = await commands.made()

    await commands.update(key, given)

    event = await row(Event, key)
    assert {name: getattr(event, name) for name in given} == given


async def test_each_update_returns_the_version_that_it_wrote(commands, storage, viewer):
    """Each outcome has its own version, even if another update follows in the batch."""
    key = await commands.made(title="Law")
    titles = ["Latin", "Greek", "Greek"]

    outcomes = await storage.write(
        update_events,
        [UpdateEvent(viewer=viewer, event=ByKey(key), changes={"title": one}) for one in titles],
    )

    assert [(one.row.version, one.row.title) for one in outcomes] == [
        (2, "Latin"),
        (3, "Greek"),
        (3, "Greek"),
    ]


async def test_texts_are_those_of_the_settings(commands, row, storage, viewer):
    """Texts match the settings in any case; the event's current value is not checked again."""
    key = await commands.made(title="Law", exam_type="Swum")
    settings = UpdateSettings(viewer=viewer, exam_types=("Written", "Oral"), exam_formats=("Film",))
    await storage.write(update_settings, [settings])

    kept = await commands.update(key, exam_type="Swum", exam_format="fILM", billing_code="any")
    refused = await commands.update(key, exam_type="Danced", exam_format="Paper")
    created = await commands.create(exam_type="Sung", billing_code="any")

    assert isinstance(kept, Outcome)
    event = await row(Event, key)
    assert (event.exam_type, event.exam_format, event.billing_code) == ("Swum", "Film", "any")
    assert refusals(refused) == [
        ("INVALID_EVENT_EXAM_TYPE", "exam_type"),
        ("INVALID_EVENT_EXAM_FORMAT", "exam_format"),
    ]
    assert refused.refusals[0].message == "Invalid EventExamType value."
    assert refused.refusals[0].allowed_values == ("Written", "Oral")
    assert refusals(created) == [("INVALID_EVENT_EXAM_TYPE", "exam_type")]
