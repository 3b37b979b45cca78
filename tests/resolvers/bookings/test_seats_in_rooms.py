"""A room's counters are read only for the requested times."""

from datetime import timedelta

import pytest

from resolvers.bookings.loading import seats_in_rooms
from resolvers.storage.tables import Event, Room
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

DAYS = 4


async def test_other_times_of_a_room_are_not_read(world: World) -> None:
    """Two rooms have a sitting each day; each room is read for a different day."""
    centre = await world.centre()
    halls = [await world.room(centre, name, capacity=10) for name in ("Hall", "Library")]
    candidates = iter(await world.candidates(DAYS * len(halls)))
    for day in range(DAYS):
        for hall in halls:
            starts = world.tomorrow(9) + timedelta(days=day)
            event = await world.event(centre=centre, room=hall, start_at=starts)
            await world.booked(next(candidates), event)
    organization = world.viewer.organization_id
    rooms = [r for r in await world.rows(Room, "organization_id", organization) if r.id in halls]
    events = await world.rows(Event, "organization_id", organization)
    spans = {
        hall: (world.tomorrow(9) + timedelta(days=day), world.tomorrow(10) + timedelta(days=day))
        for day, hall in enumerate(halls, 1)
    }

    read = seats_in_rooms(rooms, events, world.tomorrow(0), spans)
    assert read is not None
    found = await world.storage.read(read)

    assert {(row.room_id, row.start_at, row.taken) for row in found} == {
        (hall, start, 1) for hall, (start, _) in spans.items()
    }
    assert len(found) == len(halls)
