"""Events follow the duration of their test until they have one of their own; domain.md, 8.9a."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.enrolments.moving import move
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import BookRegistration
from resolvers.storage import Storage
from resolvers.storage.tables import Event
from resolvers.tests.commands import UpsertTest, upsert_tests
from resolvers.viewer import Viewer
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, granting, moving, warned
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

HOUR = timedelta(hours=1)


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


async def changed(world: World, minutes: int = 120, **values: Any) -> Outcome:
    """Give the test MATHS another duration."""
    values = {"duration_minutes": minutes, "name": "MATHS", **values}
    result = await world.one(
        upsert_tests, UpsertTest(viewer=world.viewer, reference="MATHS", **values)
    )
    assert isinstance(result, Outcome), result
    return result


async def updated(world: World, event: UUID, **changes: Any) -> None:
    result = await world.one(update_events, UpdateEvent(world.viewer, ByKey(event), changes))
    assert isinstance(result, Outcome), result


async def event_row(world: World, key: UUID) -> Any:
    return (await world.rows(Event, "id", key))[0]


@pytest.fixture
async def test_key(world: World) -> UUID:
    """A test of an hour."""
    return await world.test()


@pytest.fixture
async def hall(world: World) -> dict[str, UUID]:
    """A place for events."""
    centre = await world.centre()
    return {"centre": centre, "room": await world.room(centre)}


async def test_events_take_over_a_new_duration_and_bookings_keep_theirs(
    world: World, test_key: UUID, hall: dict[str, UUID]
) -> None:
    """On demand and at a fixed time; a warning counts the bookings that keep an hour."""
    follows: dict[str, Any] = {**hall, "test": test_key, "exam_duration_in_minutes": None}
    on_demand = await world.event(**follows, on_demand=True)
    fixed = await world.event(**follows)
    people = await world.candidates(3)
    at = world.tomorrow(14).replace(tzinfo=None)
    booked = await world.booked(people[0], on_demand, on_demand_time=at)
    seated = await world.booked(people[1], fixed)

    outcome = await changed(world)
    later = await world.booked(people[2], on_demand, on_demand_time=at)

    [warning] = outcome.warnings
    assert warning.code == "BOOKINGS_KEEP_VALUES"
    assert warning.message == "2 existing bookings keep earlier values of the test."
    assert [(await event_row(world, key)).duration_minutes for key in (on_demand, fixed)] == [
        120
    ] * 2
    assert (await event_row(world, fixed)).end_at == world.tomorrow(12)
    assert (await world.row(booked)).duration_minutes == 60
    assert (await world.row(seated)).end_at == world.tomorrow(11)
    new = await world.row(later)
    assert (new.duration_minutes, new.end_at) == (120, world.tomorrow(16))
    [first, second] = [change for change in await world.changes() if change.event_type == "UPDATED"]
    assert {first.event_id, second.event_id} == {on_demand, fixed}
    assert first.changed_fields == ["times"]


async def test_an_event_with_a_duration_of_its_own_does_not_follow(
    world: World, test_key: UUID, hall: dict[str, UUID], clock: SettableClock
) -> None:
    """Nor does one that has started. The bookings of the first and past ones are not counted."""
    own = await world.event(**hall, test=test_key, exam_duration_in_minutes=90)
    started = await world.event(
        **hall, test=test_key, exam_duration_in_minutes=None, start_at=clock.now + HOUR
    )
    one, other = await world.candidates(2)
    await world.booked(one, own)
    await world.booked(other, started)

    clock.now += 3 * HOUR
    outcome = await changed(world)

    assert outcome.warnings == ()
    assert [(await event_row(world, key)).duration_minutes for key in (own, started)] == [90, 60]
    room = await world.room(hall["centre"], "Other")
    await updated(world, started, room=ByKey(room))
    assert (await event_row(world, started)).duration_minutes == 60


@pytest.mark.parametrize("kind", ["enrolment", "registration"])
async def test_a_booking_keeps_its_duration_when_its_event_moves(
    world: World, test_key: UUID, hall: dict[str, UUID], kind: str
) -> None:
    """An update or a grant that does not set the duration keeps it; one that sets it does not."""
    event = await world.event(**hall, test=test_key, exam_duration_in_minutes=None)
    candidate = await world.candidate()
    if kind == "enrolment":
        booking = await world.booked(candidate, event)
    else:
        command = BookRegistration(
            viewer=world.viewer,
            target=ByKey(event),
            candidate=ByKey(candidate),
            registration=uuid4(),
        )
        booking = await world.made(register, command)
    await changed(world)

    await updated(world, event, start_at=world.tomorrow(14))
    moved = await world.row(booking)
    await world.one(grant, granting(world, booking, extra_time_percentage=50))
    longer = await world.row(booking)
    await updated(world, event, exam_duration_in_minutes=120)
    last = await world.row(booking)

    assert (moved.duration_minutes, moved.end_at) == (60, world.tomorrow(15))
    assert longer.busy_until_at == world.tomorrow(15) + HOUR / 2
    assert (last.duration_minutes, last.busy_until_at) == (120, world.tomorrow(17))


async def test_a_booking_keeps_its_duration_when_it_moves_within_its_event(
    world: World, test_key: UUID, hall: dict[str, UUID]
) -> None:
    """Another time at the same event is no new booking; another event is."""
    follows: dict[str, Any] = {**hall, "test": test_key, "exam_duration_in_minutes": None}
    event = await world.event(**follows, on_demand=True)
    other = await world.event(**follows, on_demand=True)
    at = world.tomorrow(9).replace(tzinfo=None)
    booking = await world.booked(await world.candidate(), event, on_demand_time=at)
    await changed(world)

    await world.one(move, moving(world, booking, to_on_demand_time=at + HOUR))
    within = await world.row(booking)
    await world.one(move, moving(world, booking, to_event=other))
    elsewhere = await world.row(booking)

    assert (within.duration_minutes, within.end_at) == (60, world.tomorrow(11))
    assert (elsewhere.duration_minutes, elsewhere.end_at) == (120, world.tomorrow(12))


async def test_a_test_that_keeps_its_values_warns_of_nothing(
    world: World, test_key: UUID, hall: dict[str, UUID]
) -> None:
    """A new name, or the same again, concerns no booking and changes no event."""
    event = await world.event(**hall, test=test_key, exam_duration_in_minutes=None)
    await world.booked(await world.candidate(), event)

    same = await changed(world, 60)
    again = await changed(world, 60, max_attempts=3)
    await changed(world)
    once_more = await changed(world)

    assert (warned(same), warned(again), warned(once_more)) == ([], [], [])
    assert (await event_row(world, event)).version == 2


async def test_statements_do_not_grow_with_the_events(world: World, hall: dict[str, UUID]) -> None:
    """They are locked, changed and recorded together."""
    statements = Statements()
    needed = []
    for reference, count in (("FEW", 2), ("MANY", 30)):
        test = await world.test(reference)
        follows: dict[str, Any] = {"test": test, "exam_duration_in_minutes": None}
        events = [await world.event(**hall, **follows) for _ in range(count)]
        await world.booked(await world.candidate(reference), events[0])
        command = UpsertTest(
            viewer=world.viewer, reference=reference, name=reference, duration_minutes=70
        )
        needed.append(await statements.needed(world, upsert_tests, [command]))

    assert needed[0] == needed[1]
