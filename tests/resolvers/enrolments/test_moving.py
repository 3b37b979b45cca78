"""Moving enrolments; domain.md, sections 1.6, 8.2 and 8.4."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.commands import MoveEnrolment
from resolvers.enrolments.moving import move
from resolvers.enrolments.results import assign_results
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey, ByReference, Unreadable
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, Event
from resolvers.tests.commands import UpsertModule, upsert_modules
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    BookingAction,
    BookingStatus,
    ConflictPolicy,
    Role,
    RuleOverride,
    SourceSystem,
)
from tests.conftest import SettableClock
from tests.resolvers.asking import (
    Statements,
    cancelling,
    granting,
    in_role,
    moving,
    places,
    resulting,
    warned,
)
from tests.resolvers.world import World, all_codes, codes

UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")


async def moved(world: World, enrolment: UUID, **values: Any) -> Outcome | Refused:
    return await world.one(move, moving(world, enrolment, **values))


async def done(world: World, enrolment: UUID, **values: Any) -> Outcome:
    result = await moved(world, enrolment, **values)
    assert isinstance(result, Outcome), result
    return result


async def test_an_enrolment_moves_to_another_event(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A moved booking has the target's time, centre and room, and keeps its number, attempt and
    payment.
    """
    paris = await world.centre("PAR", "Europe/Paris")
    salle = await world.room(paris, "Salle 1")
    here = await world.event(centre=centre, room=room)
    there = await world.event(centre=paris, room=salle, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    before, payment = await world.row(booked), await world.payment(booked)

    result = await done(world, booked, to_event=there)

    after = await world.row(booked)
    assert result.changed
    assert (after.event_id, after.centre_id, after.room_id) == (there, paris, salle)
    assert (after.start_at, after.end_at) == (world.tomorrow(14), world.tomorrow(15))
    assert (after.time_zone, after.local_start) == ("Europe/Paris", datetime(2027, 1, 12, 15))
    assert (after.reference, after.status) == (before.reference, before.status)
    assert (after.version, (await world.enrolment(booked)).attempt_number) == (2, 1)
    assert await world.payment(booked) == payment


@pytest.mark.parametrize("targets", ["event", "room", "event room"])
async def test_moving_to_the_same_place_changes_nothing(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID, targets: str
) -> None:
    """Moving to the same place records nothing and keeps the version, even if the event is full or
    has begun.
    """
    event = await world.event(centre=centre, room=room, capacity_maximum=1)
    booked = await world.booked(candidate, event)
    places_of = {"event": ("to_event", event), "room": ("to_room", room)}
    values = dict(places_of[target] for target in targets.split())

    before = await done(world, booked, **values)
    clock.now = world.tomorrow(10)
    begun = await done(world, booked, **values)

    assert [before.changed, begun.changed] == [False, False]
    assert (await world.row(booked)).version == 1
    assert await world.booking_changes() == ["CREATED"]


async def test_the_same_time_on_demand_changes_nothing(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Moving to the booking's own on-demand time changes nothing."""
    event = await world.event(centre=centre, room=room, on_demand=True)
    time = datetime(2027, 2, 1, 9)
    booked = await world.booked(candidate, event, on_demand_time=time)

    again = await done(world, booked, to_on_demand_time=time)
    later = await done(world, booked, to_on_demand_time=time + timedelta(minutes=30))

    assert [again.changed, later.changed] == [False, True]


async def test_a_move_needs_a_target(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A move requires an event, a room or a time."""
    event = await world.event(centre=centre, room=room)
    booked = await world.booked(candidate, event)

    assert places(await moved(world, booked)) == [("REQUIRED", "to_event")]


async def test_references_and_fields_are_checked_together(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """All errors in the input are reported at once, a missing permission alone."""
    event = await world.event(centre=centre, room=room)
    booked = await world.booked(candidate, event)
    values = {
        "viewer": in_role(world, Role.SCHEDULER),
        "to_event": ByKey(uuid4()),
        "to_room": Unreadable("x", "is not a global id"),
        "from_event": uuid4(),
        "from_room": Unreadable("y", "is not a global id"),
        "overrides": (RuleOverride.CAPACITY,),
        "reason": "r" * 501,
        "expected_version": 7,
    }

    known = await moved(world, booked, **values)
    unknown = await moved(world, uuid4(), **values)
    forbidden = await moved(world, booked, **{**values, "viewer": in_role(world, Role.INVIGILATOR)})

    of_both = [
        ("FORBIDDEN", "overrides.0"),
        ("STRING_LENGTH", "reason"),
        ("NOT_FOUND", "from_event"),
        ("INVALID_VALUE", "from_room"),
    ]
    assert places(known)[:4] == of_both
    assert [path for _, path in places(known)[4:]] == ["to_event", "to_room"]
    assert places(unknown) == [("NOT_FOUND", "enrolment"), *of_both]
    assert places(forbidden) == [("FORBIDDEN", "")]


async def test_the_version_is_checked_before_the_state(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A cancelled booking at another version is refused only with STALE_BOOKING and the version."""
    event = await world.event(centre=centre, room=room)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, event)
    await world.made(cancel, cancelling(world, booked))

    stale = await moved(world, booked, to_event=other, expected_version=1)
    ended = await moved(world, booked, to_event=other, expected_version=2)

    assert places(stale) == [("STALE_BOOKING", "expected_version")]
    assert isinstance(stale, Refused)
    assert stale.refusals[0].version == 2  # type: ignore[attr-defined]
    assert places(ended) == [("ILLEGAL_STATE", "enrolment")]


async def test_state_and_the_rules_of_the_target_are_checked_together(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A booking that has begun and a closed target are reported together, before the target's
    capacity.
    """
    early = await world.event(centre=centre, room=room, start_at=world.tomorrow(9))
    closed = await world.event(
        centre=centre, room=room, capacity_maximum=1, registration_deadline=world.tomorrow(8)
    )
    booked = await world.booked(candidate, early)
    await world.booked(await world.candidate("C2"), closed)
    clock.now = world.tomorrow(9)

    result = await moved(world, booked, to_event=closed)

    assert codes(result) == ["ILLEGAL_STATE", "REGISTRATION_CLOSED"]


async def test_capacity_is_checked_after_the_window_and_before_conflicts(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A target that is closed, full and in conflict is refused for one reason at a time."""
    here = await world.event(centre=centre, room=room)
    closes = clock.now + timedelta(hours=1)
    start = world.tomorrow(14)
    target = await world.event(
        centre=centre,
        room=room,
        start_at=start,
        capacity_maximum=1,
        registration_deadline=closes,
    )
    also_then = await world.event(centre=centre, room=room, start_at=start)
    booked = await world.booked(candidate, here)
    await world.booked(candidate, also_then)
    await world.booked(await world.candidate("C2"), target)
    window, full = RuleOverride.REGISTRATION_WINDOW, RuleOverride.CAPACITY

    clock.now = closes + timedelta(seconds=1)

    assert codes(await moved(world, booked, to_event=target)) == ["REGISTRATION_CLOSED"]
    assert codes(await moved(world, booked, to_event=target, overrides=(window,))) == ["EVENT_FULL"]
    assert codes(await moved(world, booked, to_event=target, overrides=(window, full))) == [
        "CANDIDATE_TIME_CONFLICT"
    ]
    assert (await world.row(booked)).version == 1


async def test_overrides_are_recorded_with_reason_and_origin(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Each overridden rule adds a warning, and the change records the rule, reason and origin."""
    here = await world.event(centre=centre, room=room)
    target = await world.event(
        centre=centre,
        room=room,
        start_at=world.tomorrow(14),
        registration_deadline=clock.now + timedelta(hours=1),
    )
    also_then = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    await world.booked(candidate, also_then)
    clock.now += timedelta(hours=2)

    result = await done(
        world,
        booked,
        to_event=target,
        overrides=tuple(RuleOverride),
        reason="asked for it",
        origin=Origin(source="desk"),
    )

    change = (await world.changes())[-1]
    assert warned(result) == ["REGISTRATION_CLOSED", "CANDIDATE_TIME_CONFLICT"]
    assert [w.path for w in result.warnings] == [("overrides",)] * 2
    assert change.overrides == ["CANDIDATE_TIME_CONFLICT", "REGISTRATION_WINDOW"]
    assert (change.reason, change.origin["source"]) == ("asked for it", "desk")


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("from_event", lambda world, other, there: other, lambda event, room: event),
        ("from_room", lambda world, other, there: there, lambda event, room: room),
        (
            "from_on_demand_time",
            lambda world, other, there: datetime(2027, 1, 12, 9),
            lambda event, room: datetime(2027, 1, 12, 10),
        ),
        ("expected_version", lambda world, other, there: 2, lambda event, room: 1),
    ],
)
async def test_what_the_caller_believes_must_still_be_so(
    world: World, centre: UUID, room: UUID, candidate: UUID, name: str, wrong: Any, right: Any
) -> None:
    """The source's from values are preconditions: a mismatch is STALE_BOOKING at that field."""
    there = await world.room(centre, "Room 2")
    event = await world.event(centre=centre, room=room)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, event)

    stale = await moved(world, booked, to_event=other, **{name: wrong(world, other, there)})
    fresh = await moved(world, booked, to_event=other, **{name: right(event, room)})

    assert places(stale) == [("STALE_BOOKING", name)]
    assert codes(fresh) == []


async def test_seats_are_freed_where_it_was_and_taken_where_it_is(
    world: World, centre: UUID, candidate: UUID
) -> None:
    """After a move, the old seat can be booked at the event and in the room, and the new one
    cannot.
    """
    one, two = [await world.room(centre, name, capacity=1) for name in ("One", "Two")]
    here = await world.event(centre=centre, room=one, capacity_maximum=1)
    there = await world.event(centre=centre, room=two, capacity_maximum=1)
    second, third = await world.candidates(2)
    booked = await world.booked(candidate, here)

    await done(world, booked, to_event=there)

    assert codes(await world.book(second, there)) == ["EVENT_FULL"]
    assert codes(await world.book(second, here)) == []
    assert codes(await world.book(third, here)) == ["EVENT_FULL"]


async def test_a_room_is_changed_inside_an_event(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A move can change only the room; if the room is full, the booking keeps its seat."""
    small = await world.room(centre, "Small", capacity=1)
    event = await world.event(centre=centre, room=room, capacity_maximum=2)
    booked = await world.booked(candidate, event)
    rival = await world.booked(await world.candidate("C2"), event)

    await done(world, booked, to_room=small)
    refused = await moved(world, rival, to_room=small)

    assert (await world.row(booked)).room_id == small
    assert codes(refused) == ["ROOM_FULL"]
    assert (await world.row(rival)).room_id == room
    assert await world.booking_changes() == ["CREATED", "CREATED", "MOVED"]


async def test_a_booking_that_stays_at_its_event_needs_no_new_seat_there(
    world: World, centre: UUID, room: UUID
) -> None:
    """An event over capacity refuses new bookings, but its own bookings can change rooms."""
    other = await world.room(centre, "Room 2")
    event = await world.event(centre=centre, room=room)
    elsewhere = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    one, two, three = await world.candidates(3)
    booked = await world.booked(one, event)
    await world.booked(two, event)
    lowered = UpdateEvent(
        viewer=world.viewer,
        event=ByKey(event),
        changes={"capacity_maximum": 1},
        overrides=(RuleOverride.CAPACITY,),
    )
    await world.made(update_events, lowered)
    comes = await world.booked(three, elsewhere)

    assert codes(await moved(world, booked, to_room=other)) == []
    assert codes(await moved(world, comes, to_event=event)) == ["EVENT_FULL"]


async def test_a_booking_does_not_stand_in_its_own_way(
    world: World, centre: UUID, candidate: UUID
) -> None:
    """A booking in a room's last seat can move by half an hour, since it overlaps only itself."""
    small = await world.room(centre, "Small", capacity=1)
    event = await world.event(centre=centre, room=small, on_demand=True)
    nine = datetime(2027, 2, 1, 9)
    booked = await world.booked(candidate, event, on_demand_time=nine)
    rival = await world.booked(
        await world.candidate("C2"), event, on_demand_time=nine + timedelta(hours=2)
    )

    later = nine + timedelta(minutes=30)

    assert codes(await moved(world, booked, to_on_demand_time=later)) == []
    assert codes(await moved(world, rival, to_on_demand_time=later)) == ["ROOM_FULL"]
    assert codes(await moved(world, rival, to_on_demand_time=later + timedelta(hours=1))) == []


async def test_a_seat_that_a_batch_frees_is_there_for_its_next_command(
    world: World, centre: UUID, room: UUID
) -> None:
    """A batch runs in order: a command before the seat is freed is refused, a later one
    succeeds.
    """
    full = await world.event(centre=centre, room=room, capacity_maximum=1)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    one, two = await world.candidates(2)
    leaves, comes = await world.booked(one, full), await world.booked(two, other)
    enter = moving(world, comes, to_event=full)
    leave = moving(world, leaves, to_event=other)

    results = await world.storage.write(move, [enter, leave, enter])

    assert [codes(result) for result in results] == [["EVENT_FULL"], [], []]
    assert (await world.row(comes)).event_id == full


@pytest.mark.parametrize("by_reference", [False, True])
async def test_a_booking_moves_twice_in_one_batch(
    world: World, centre: UUID, room: UUID, candidate: UUID, by_reference: bool
) -> None:
    """The second move starts from the first one's target; each is recorded with its version."""
    other = await world.room(centre, "Room 2")
    event = await world.event(centre=centre, room=room)
    target = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, event)
    [row] = await world.rows(Event, "id", target)
    ref = ByReference(str(row.identifier)) if by_reference else ByKey(target)
    commands = [
        moving(world, booked, to_event=ref),
        moving(world, booked, to_room=other, expected_version=2),
    ]

    results = await world.storage.write(move, commands)

    assert all_codes(results) == []
    row = await world.row(booked)
    assert (row.event_id, row.room_id, row.version) == (target, other, 3)
    assert [c.version for c in await world.changes() if c.booking_id == booked] == [1, 2, 3]


async def test_there_and_back_in_one_batch_leaves_everything_as_it_was(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Extra time in percent is computed from the booking's final event."""
    short = await world.event(centre=centre, room=room)
    long = await world.event(
        centre=centre, room=room, start_at=world.tomorrow(14), exam_duration_in_minutes=120
    )
    booked = await world.booked(candidate, short)
    await world.made(grant, granting(world, booked, extra_time_percentage=25))
    commands = [moving(world, booked, to_event=long), moving(world, booked, to_event=short)]

    results = await world.storage.write(move, commands)

    assert all_codes(results) == []
    row = await world.row(booked)
    [granted] = await world.rows(Accommodation, "booking_id", booked)
    assert (row.extra_time_minutes, granted.effective_minutes) == (15, 15)
    assert row.busy_until_at == world.tomorrow(11) + timedelta(minutes=15)


@pytest.mark.parametrize("column", ["event_id", "room_id"])
async def test_a_booking_that_goes_elsewhere_before_it_is_locked_is_stale(
    world: World, centre: UUID, room: UUID, candidate: UUID, column: str
) -> None:
    """A booking that another process moves before it is locked must be read again: the old place is
    not locked or counted.
    """
    elsewhere = {"room_id": await world.room(centre, "Room 2")}
    event = await world.event(centre=centre, room=room, on_demand=True)
    elsewhere["event_id"] = await world.event(centre=centre, room=room, on_demand=True)
    time = datetime(2027, 2, 1, 9)
    booked = await world.booked(candidate, event, on_demand_time=time)

    def overtaken(work: UnitOfWork, commands: Any) -> Any:
        lock = work.lock

        def after_another(model: Any, *given: Any) -> Any:
            if model is Booking:
                rows = lock(model, *given)
                work.save(Booking, [(r, changed(r, **{column: elsewhere[column]})) for r in rows])
            return lock(model, *given)

        work.lock = after_another  # type: ignore[method-assign]
        return move(work, commands)

    command = moving(world, booked, to_on_demand_time=time + timedelta(hours=1))
    result = await world.one(overtaken, command)

    assert places(result) == [("STALE_BOOKING", "enrolment")]


async def test_to_an_event_on_demand_and_back(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A time is required on demand and refused at a fixed event; a move changes the booking's
    type.
    """
    fixed = await world.event(centre=centre, room=room)
    on_demand = await world.event(centre=centre, room=room, on_demand=True)
    time = datetime(2027, 7, 1, 9)
    booked = await world.booked(candidate, fixed)

    without = await moved(world, booked, to_event=on_demand)
    past = await moved(
        world, booked, to_event=on_demand, to_on_demand_time=datetime(2027, 1, 11, 11)
    )
    await done(world, booked, to_event=on_demand, to_on_demand_time=time)

    assert places(without) == [("ON_DEMAND_TIME_REQUIRED", "to_on_demand_time")]
    assert places(past) == [("OUT_OF_RANGE", "to_on_demand_time")]
    row = await world.row(booked)
    assert (await world.enrolment(booked)).on_demand
    assert (row.local_start, row.local_end) == (time, datetime(2027, 7, 1, 10))
    assert row.start_at is not None
    assert row.start_at.isoformat() == "2027-07-01T08:00:00+00:00"

    chosen = await moved(world, booked, to_event=fixed, to_on_demand_time=time)
    await done(world, booked, to_event=fixed)

    assert places(chosen) == [("ON_DEMAND_TIME_NOT_ALLOWED", "to_on_demand_time")]
    assert not (await world.enrolment(booked)).on_demand
    assert (await world.row(booked)).start_at == world.tomorrow(10)


async def test_on_demand_the_time_on_the_clock_goes_with_the_booking(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """At another centre the local time stays the same, unless it has passed there."""
    paris = await world.centre("PAR", "Europe/Paris")
    salle = await world.room(paris, "Salle 1")
    here = await world.event(centre=centre, room=room, on_demand=True)
    there = await world.event(centre=paris, room=salle, on_demand=True)
    later, soon = datetime(2027, 1, 12, 9), datetime(2027, 1, 11, 12, 30)  # it is noon in London
    booked = await world.booked(candidate, here, on_demand_time=later)
    other = await world.booked(await world.candidate("C2"), here, on_demand_time=soon)

    await done(world, booked, to_event=there)
    passed = await moved(world, other, to_event=there)

    row = await world.row(booked)
    assert (row.local_start, row.start_at) == (later, world.tomorrow(8))
    assert places(passed) == [("OUT_OF_RANGE", "to_event")]


async def test_a_time_that_the_clock_shows_twice_is_warned_of(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An ambiguous local time adds a warning, and its first occurrence is used."""
    event = await world.event(centre=centre, room=room, on_demand=True)
    booked = await world.booked(candidate, event, on_demand_time=datetime(2027, 7, 1, 9))

    result = await done(world, booked, to_on_demand_time=datetime(2027, 10, 31, 1, 30))

    assert [(w.code, w.path) for w in result.warnings] == [
        ("AMBIGUOUS_TIME", ("to_on_demand_time",))
    ]
    row = await world.row(booked)
    assert row.start_at is not None
    assert row.start_at.isoformat() == "2027-10-31T00:30:00+00:00"


async def test_a_room_must_be_at_the_centre(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A room elsewhere is refused, and without any room the caller must name one."""
    paris = await world.centre("PAR", "Europe/Paris")
    salle = await world.room(paris, "Salle 1")
    event = await world.event(centre=centre, room=room)
    there = await world.event(centre=paris, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, event)

    assert places(await moved(world, booked, to_room=salle)) == [("INVALID_VALUE", "to_room")]
    assert places(await moved(world, booked, to_event=there)) == [("REQUIRED", "to_room")]
    assert codes(await moved(world, booked, to_event=there, to_room=salle)) == []
    assert (await world.row(booked)).centre_id == paris


async def test_at_an_event_without_a_room_the_booking_keeps_its_own(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """At the same centre, a booking keeps its room if the other event has none."""
    event = await world.event(centre=centre, room=room)
    roomless = await world.event(centre=centre, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, event)

    await done(world, booked, to_event=roomless)

    assert (await world.row(booked)).room_id == room


async def test_online_bookings_move_without_a_room(
    world: World, centre: UUID, candidate: UUID
) -> None:
    """An online booking takes no seat in the target's room and uses the organization's time
    zone.
    """
    paris = await world.centre("PAR", "Europe/Paris")
    salle = await world.room(paris, "Salle 1", capacity=1)
    small = await world.room(centre, "Small", capacity=1)
    here = await world.event(centre=centre, room=small)
    there = await world.event(centre=paris, room=salle, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here, online=True)
    await world.booked(await world.candidate("C2"), there)

    await done(world, booked, to_event=there)

    row = await world.row(booked)
    assert (row.event_id, row.room_id, row.time_zone) == (there, None, "Europe/London")
    assert (row.centre_id, row.start_at) == (paris, world.tomorrow(14))
    in_room = await moved(world, booked, to_room=salle)
    assert places(in_room) == [("INVALID_VALUE", "to_room")]
    again = await done(world, booked, to_event=there)
    assert not again.changed


@pytest.mark.parametrize(
    ("policy", "expected", "warnings"),
    [
        (ConflictPolicy.REJECT, ["CANDIDATE_TIME_CONFLICT"], []),
        (ConflictPolicy.WARN, [], ["CANDIDATE_TIME_CONFLICT"]),
        (ConflictPolicy.ALLOW, [], []),
    ],
)
async def test_conflicts_at_the_target_go_by_the_policy(
    world: World,
    centre: UUID,
    room: UUID,
    candidate: UUID,
    policy: ConflictPolicy,
    expected: list[str],
    warnings: list[str],
) -> None:
    """Another booking at that time conflicts; the moved booking does not."""
    await world.one(update_settings, UpdateSettings(viewer=world.viewer, conflict_policy=policy))
    here = await world.event(centre=centre, room=room)
    overlapping = await world.event(
        centre=centre, room=room, start_at=world.tomorrow(10) + timedelta(minutes=30)
    )
    busy = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    taken = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    await world.booked(candidate, busy)

    itself = await done(world, booked, to_event=overlapping)
    other = await moved(world, booked, to_event=taken)

    assert warned(itself) == []
    assert codes(other) == expected
    assert [w.code for w in getattr(other, "warnings", ())] == warnings


async def test_extra_time_counts_at_the_target(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A booking conflicts with the next one if only its extra time overlaps."""
    here = await world.event(centre=centre, room=room)
    target = await world.event(centre=centre, room=room, start_at=world.tomorrow(13))
    next_one = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    await world.booked(candidate, next_one)
    await world.made(grant, granting(world, booked, time_extension_minutes=1))

    assert codes(await moved(world, booked, to_event=target)) == ["CANDIDATE_TIME_CONFLICT"]


async def test_a_second_booking_for_an_event_is_a_duplicate(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A move to an event or test with another booking is a duplicate, unless the target allows
    several.
    """
    test = await world.test()
    here = await world.event(centre=centre, room=room)
    target = await world.event(centre=centre, room=room, start_at=world.tomorrow(14), test=test)
    same_test = await world.event(centre=centre, room=room, start_at=world.tomorrow(16), test=test)
    booked = await world.booked(candidate, here)
    other = await world.booked(candidate, target)

    result = await moved(world, booked, to_event=target)

    assert isinstance(result, Refused)
    assert codes(result) == ["DUPLICATE_BOOKING"]
    assert result.refusals[0].conflicting == (other,)  # type: ignore[attr-defined]
    assert codes(await moved(world, booked, to_event=same_test)) == ["DUPLICATE_BOOKING"]
    assert codes(await moved(world, other, to_event=same_test)) == []


async def test_a_cancelled_event_cannot_be_moved_to(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """No override allows a move to a cancelled event."""
    here = await world.event(centre=centre, room=room)
    target = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    await world.made(
        cancel_events, CancelEvent(viewer=world.viewer, event=ByKey(target), reason="Flood")
    )

    result = await moved(
        world, booked, to_event=target, overrides=(RuleOverride.REGISTRATION_WINDOW,)
    )

    assert codes(result) == ["REGISTRATION_CLOSED"]


async def test_nothing_moves_within_a_cancelled_event(
    world: World, centre: UUID, room: UUID
) -> None:
    """A booking at a cancelled event cannot change its room or time there, but can leave."""
    one, two = await world.candidates(2)
    other_room = await world.room(centre, "Other")
    elsewhere = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    fixed = await world.event(centre=centre, room=room)
    on_demand = await world.event(centre=centre, room=room, on_demand=True)
    at = world.tomorrow(16).replace(tzinfo=None)
    bookings = [
        await world.booked(one, fixed),
        await world.booked(two, on_demand, on_demand_time=at),
    ]
    for event in (fixed, on_demand):
        cancelling_it = CancelEvent(
            viewer=world.viewer, event=ByKey(event), reason="Flood", cancel_bookings=False
        )
        await world.made(cancel_events, cancelling_it)

    window = {"overrides": (RuleOverride.REGISTRATION_WINDOW,)}
    other_place = await moved(world, bookings[0], to_room=other_room, **window)
    other_time = await moved(world, bookings[1], to_on_demand_time=at + timedelta(hours=1))
    away = await moved(world, bookings[0], to_event=elsewhere)

    assert codes(other_place) == codes(other_time) == ["REGISTRATION_CLOSED"]
    assert codes(away) == []


async def test_the_module_is_kept_where_the_target_has_it(
    world: World, centre: UUID, room: UUID
) -> None:
    """Otherwise the module is the target's only one or null, or is required if it determines
    eligibility.
    """
    first, second, third = [
        await world.made(
            upsert_modules, UpsertModule(viewer=world.viewer, reference=name, name=name)
        )
        for name in ("M1", "M2", "M3")
    ]
    candidate = await world.candidate(module_ids=(ByKey(first), ByKey(second)))
    start = {n: world.tomorrow(n) for n in (10, 12, 14, 16, 18)}
    here = await world.event(centre=centre, room=room, modules=[first, second], start_at=start[10])
    keeps = await world.event(centre=centre, room=room, modules=[first, third], start_at=start[12])
    only = await world.event(centre=centre, room=room, modules=[second], start_at=start[14])
    several = await world.event(
        centre=centre,
        room=room,
        modules=[first, third],
        eligibility_configured=True,
        start_at=start[16],
    )
    none = await world.event(centre=centre, room=room, start_at=start[18])
    booked = await world.booked(candidate, here, module=first)

    seen = []
    for target in (keeps, only):
        await done(world, booked, to_event=target)
        seen.append((await world.enrolment(booked)).module_id)
    unclear = await moved(world, booked, to_event=several)
    await done(world, booked, to_event=none)

    assert seen == [first, second]
    assert places(unclear) == [("REQUIRED", "to_event")]
    assert (await world.enrolment(booked)).module_id is None


async def test_for_another_test_the_attempt_is_counted_anew(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """The attempt number and the previous attempt are those of the booking's test."""
    maths, physics = await world.test("MATHS"), await world.test("PHYSICS")
    past = await world.event(centre=centre, room=room, test=maths)
    clock.now += timedelta(hours=1)
    earlier = await world.booked(candidate, past)
    await world.made(assign_results, resulting(world, earlier))
    resit = await world.event(centre=centre, room=room, test=maths, start_at=world.tomorrow(14))
    other = await world.event(centre=centre, room=room, test=physics, start_at=world.tomorrow(16))
    booked = await world.booked(candidate, other)

    await done(world, booked, to_event=resit)
    at_resit = await world.enrolment(booked)
    await done(world, booked, to_event=other)

    back = await world.enrolment(booked)
    assert (at_resit.attempt_number, at_resit.previous_attempt_id) == (2, earlier)
    assert (back.attempt_number, back.previous_attempt_id) == (1, None)
    assert (await world.row(booked)).test_id == physics


async def test_moving_ends_with_the_start(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A booking can move until its start; then the refusal lists the allowed actions."""
    event = await world.event(centre=centre, room=room)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    third = await world.event(centre=centre, room=room, start_at=world.tomorrow(16))
    booked = await world.booked(candidate, event)
    late = await world.booked(await world.candidate("C2"), event)

    clock.now = world.tomorrow(10) - timedelta(microseconds=1)
    in_time = await moved(world, booked, to_event=other)
    clock.now += timedelta(microseconds=1)
    too_late = await moved(world, late, to_event=third)

    assert codes(in_time) == []
    assert places(too_late) == [("ILLEGAL_STATE", "enrolment")]
    assert isinstance(too_late, Refused)
    allowed = too_late.refusals[0].allowed  # type: ignore[attr-defined]
    assert BookingAction.CANCEL in allowed
    assert BookingAction.MOVE not in allowed


async def test_what_has_ended_cannot_be_moved(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A cancelled booking or one with a result cannot move, even to the same place."""
    event = await world.event(centre=centre, room=room)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    cancelled = await world.booked(candidate, event)
    await world.made(cancel, cancelling(world, cancelled))
    completed = await world.booked(candidate, event)
    await world.made(assign_results, resulting(world, completed))

    results = [
        await moved(world, booked, to_event=target)
        for booked in (cancelled, completed)
        for target in (event, other)
    ]

    assert [codes(result) for result in results] == [["ILLEGAL_STATE"]] * 4


async def test_an_unpaid_booking_moves_until_it_has_lapsed(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """An unpaid booking keeps its due date when it moves; an overdue one expires instead."""
    week = timedelta(days=7)
    event = await world.event(centre=centre, room=room, start_at=world.tomorrow(10) + week)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14) + week)
    booked = await world.booked(candidate, event, payment=UNPAID)
    due = clock.now + timedelta(hours=24)

    await done(world, booked, to_event=other)
    row = await world.row(booked)
    clock.now = due + timedelta(microseconds=1)
    lapsed = await moved(world, booked, to_event=event)

    assert (row.status, row.lapses_at) == (BookingStatus.PENDING, due)
    assert codes(lapsed) == ["ILLEGAL_STATE"]
    assert (await world.row(booked)).status is BookingStatus.EXPIRED
    assert await world.booking_changes() == ["CREATED", "MOVED", "EXPIRED"]


async def test_nobody_moves_outside_of_their_scope(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A hidden booking is not found; an event outside the scope is FORBIDDEN."""
    paris = await world.centre("PAR", "Europe/Paris")
    salle = await world.room(paris, "Salle 1")
    event = await world.event(centre=centre, room=room)
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    there = await world.event(centre=paris, room=salle, start_at=world.tomorrow(16))
    booked = await world.booked(candidate, event)
    here = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset({centre})))
    elsewhere = in_role(world, Role.CENTRE_STAFF, Scope(centres=frozenset({paris})))

    hidden = await moved(world, booked, to_event=other, viewer=elsewhere)
    beyond = await moved(world, booked, to_event=there, viewer=here)
    inside = await moved(world, booked, to_event=other, viewer=here)

    assert places(hidden) == [("NOT_FOUND", "enrolment")]
    assert places(beyond) == [("FORBIDDEN", "to_event")]
    assert codes(inside) == []


async def test_an_unknown_key_of_a_source_is_not_found(world: World) -> None:
    """An unknown external key of a booking is the only error."""
    unknown = ByExternalId(SourceSystem.SURPASS_SCHEDULER, "enrolment", "7")

    command = MoveEnrolment(viewer=world.viewer, enrolment=unknown, to_event=ByKey(uuid4()))

    result = await world.one(move, command)

    assert places(result) == [("NOT_FOUND", "enrolment")]


async def test_the_number_of_statements_does_not_grow(world: World, centre: UUID) -> None:
    """Fifty moves, to events, rooms and with extra time, take as many statements as two."""
    hall = await world.room(centre, "Hall", capacity=200)
    other = await world.room(centre, "Hall 2", capacity=200)
    here = await world.event(centre=centre, room=hall)
    there = await world.event(centre=centre, room=other, start_at=world.tomorrow(14))
    booked = [await world.booked(c, here) for c in await world.candidates(52)]
    for key in booked:
        await world.made(grant, granting(world, key, extra_time_percentage=10))
    commands = [moving(world, key, to_event=there) for key in booked]
    statements = Statements()

    two = await statements.needed(world, move, commands[:2])
    fifty = await statements.needed(world, move, commands[2:])

    assert two == fifty
    assert two < 40


async def test_a_refused_move_leaves_no_trace(world: World, centre: UUID, room: UUID) -> None:
    """A refused booking stays in place, and the batch's others move."""
    full = await world.event(centre=centre, room=room, capacity_maximum=1)
    here = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    one, two, three = await world.candidates(3)
    await world.booked(one, full)
    booked = [await world.booked(candidate, here) for candidate in (two, three)]
    free = await world.event(centre=centre, room=room, start_at=world.tomorrow(16))
    commands = [moving(world, booked[0], to_event=full), moving(world, booked[1], to_event=free)]

    results = await world.storage.write(move, commands)

    assert [codes(result) for result in results] == [["EVENT_FULL"], []]
    assert (await world.row(booked[0])).event_id == here
    assert (await world.booking_changes()).count("MOVED") == 1
