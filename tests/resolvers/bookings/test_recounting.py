"""Seat counters that differ from the bookings are found and corrected."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.bookings.recounting import (
    CORRECTED,
    RepairSeats,
    described,
    miscounted,
    repair_seats,
)
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.storage import Read, UnitOfWork
from resolvers.storage.tables import Booking, EventSeats, RoomSeats, table
from resolvers.vocabulary import CancellationReason
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def event(world: World) -> UUID:
    """An event in a room with two booked seats."""
    centre = await world.centre()
    hall = await world.room(centre, "Hall", capacity=100)
    event = await world.event(centre=centre, room=hall, capacity_maximum=10)
    for candidate in await world.candidates(2):
        await world.booked(candidate, event)
    return event


async def found(world: World) -> list[str]:
    reads = miscounted(world.viewer.organization_id)
    return [described(row) for read in reads for row in await world.storage.read(read)]


async def repaired(world: World) -> Outcome:
    outcome = await world.one(repair_seats, RepairSeats(world.viewer.organization_id))
    assert isinstance(outcome, Outcome)
    return outcome


async def spoil(world: World, model: Any, **values: Any) -> None:
    """Change all counters of a table, or delete them."""

    def run(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
        change = table(model).update().values(values) if values else table(model).delete()
        work.execute(("test spoil", model, *values.items()), lambda _: change, [{}])
        return [Outcome(UUID(int=0)) for _ in commands]

    await world.storage.write(run, [None])


async def counters(world: World, model: Any) -> list[int]:
    read: Read[Any] = Read(("test counters", model), lambda _: sa.select(table(model).c.taken))
    return sorted(row.taken for row in await world.storage.read(read))


async def test_right_counters_stay(world: World, event: UUID):
    assert await found(world) == []

    outcome = await repaired(world)

    assert (outcome.changed, outcome.facts[CORRECTED]) == (False, [])
    assert await counters(world, EventSeats) == await counters(world, RoomSeats) == [2]


@pytest.mark.parametrize("wrong", [0, 1, 7, None])
async def test_wrong_and_missing_counters_are_found_and_corrected(
    world: World, event: UUID, wrong: int | None
):
    values = {} if wrong is None else {"taken": wrong}
    for model in (EventSeats, RoomSeats):
        await spoil(world, model, **values)
    expected = f"the counter is {wrong or 0}, and the bookings are 2"

    told = await found(world)
    outcome = await repaired(world)

    at_event, in_room = told
    assert at_event == f"seats taken at event {event}: {expected}"
    assert in_room.startswith("seats taken in room ")
    assert in_room.endswith(f", 2027-01-12T10:00Z to 2027-01-12T11:00Z: {expected}")
    assert (outcome.changed, outcome.facts[CORRECTED]) == (True, told)
    assert await found(world) == []
    assert await counters(world, EventSeats) == await counters(world, RoomSeats) == [2]


async def test_the_counters_decide_until_they_are_corrected(world: World, event: UUID):
    """Booking reads the counters and does not count bookings, so its cost is constant."""
    await spoil(world, EventSeats, taken=10)
    candidate = await world.candidate("LATE")

    assert codes(await world.book(candidate, event)) == ["EVENT_FULL"]

    await repaired(world)

    assert codes(await world.book(candidate, event)) == []


async def test_a_counter_is_never_negative(world: World, event: UUID):
    """A counter that would become negative fails, instead of adding a seat that cannot be
    booked.
    """
    [booking, *_] = await world.rows(Booking, "event_id", event)
    await spoil(world, EventSeats, taken=0)
    command = CancelBooking(
        viewer=world.viewer, booking=ByKey(booking.id), reason=CancellationReason.WITHDRAWN
    )

    with pytest.raises(Exception, match="ck_event_seats_taken"):
        await world.one(cancel, command)

    await repaired(world)


async def test_times_of_their_own_have_counters_of_their_own(world: World):
    """At an on-demand event, each time has its own counter in the room; a cancelled booking has
    none.
    """
    centre = await world.centre()
    hall = await world.room(centre, "Hall", capacity=100)
    event = await world.event(centre=centre, room=hall, on_demand=True)
    at_ten = world.tomorrow(10).replace(tzinfo=None)
    times = [at_ten, at_ten, at_ten + timedelta(minutes=30)]
    candidates = await world.candidates(len(times))
    keys = [
        await world.booked(candidate, event, on_demand_time=time)
        for candidate, time in zip(candidates, times, strict=True)
    ]
    assert await counters(world, RoomSeats) == [1, 2]

    command = CancelBooking(
        viewer=world.viewer, booking=ByKey(keys[0]), reason=CancellationReason.WITHDRAWN
    )
    assert isinstance(await world.one(cancel, command), Outcome)

    assert await counters(world, RoomSeats) == [1, 1]
    assert await counters(world, EventSeats) == [2]
