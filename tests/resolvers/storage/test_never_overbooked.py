"""No more bookings than seats, whoever asks and from however many processes; domain.md, 8.4."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import MoveEnrolment
from resolvers.enrolments.moving import move
from resolvers.every_kind.accommodations import grant
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import Read, Storage
from resolvers.storage.tables import Booking, columns
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.vocabulary import ConflictPolicy
from tests.patience import PATIENCE
from tests.resolvers.asking import granting, warned
from tests.resolvers.storage.conftest import Opening
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases

TIMES = 8


async def at_once(storages: Sequence[Storage], run: Any, commands: Sequence[Any]) -> list[Any]:
    """Carry out commands, each a request of its own, taking turns between storages."""
    turns = cycle(storages)
    calls = [next(turns).write(run, [command]) for command in commands]
    results = await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)
    return [result for [result] in results]


async def taken(world: World) -> Counter[UUID]:
    """The seats taken at each event."""
    c = columns(Booking)
    read: Read[Any] = Read(
        "test seats taken", lambda _: sa.select(c.event_id).where(sa.text(TAKES_A_SEAT))
    )
    return Counter(row.event_id for row in await world.storage.read(read))


async def no_conflicts(world: World) -> None:
    settings = UpdateSettings(viewer=world.viewer, conflict_policy=ConflictPolicy.ALLOW)
    await world.one(update_settings, settings)


async def test_ten_seats_are_sold_ten_times(world: World, centre: UUID, opened: Opening):
    """Of 200 requests for ten seats ten are booked and 190 told EVENT_FULL; several times."""
    await no_conflicts(world)
    hall = await world.room(centre, "Hall", capacity=100)
    storages = [world.storage, await opened(), await opened()]
    candidates = await world.candidates(200)
    events = []

    for _ in range(TIMES):
        event = await world.event(centre=centre, room=hall, capacity_maximum=10)
        events.append(event)
        commands = [world.booking(candidate, event) for candidate in candidates]
        results = await at_once(storages, book, commands)
        assert Counter(map(str, map(codes, results))) == {"[]": 10, "['EVENT_FULL']": 190}
        # the next event is in the same room at the same time
        world.storage.clock.now += timedelta(days=1)  # type: ignore[attr-defined]

    assert await taken(world) == Counter(dict.fromkeys(events, 10))
    changes = Counter((c.event_id, c.booking_type) for c in await world.changes() if c.booking_id)
    assert changes == {(event, "CREATED"): 10 for event in events}
    numbers = [row.reference for row in await world.rows(Booking, "kind", "ENROLMENT")]
    assert len(set(numbers)) == 10 * TIMES


async def test_the_last_seat_of_a_room_that_two_events_share(
    world: World, centre: UUID, opened: Opening
):
    """Of two events that overlap in one room with one seat, one gets the seat; several times."""
    await no_conflicts(world)
    storages = [world.storage, await opened()]
    candidates = await world.candidates(8)

    for n in range(TIMES):
        room = await world.room(centre, f"Cell {n}", capacity=1)
        start = world.tomorrow(10)
        one = await world.event(centre=centre, room=room, start_at=start)
        other = await world.event(centre=centre, room=room, start_at=start + timedelta(minutes=30))
        commands = [
            world.booking(candidate, event)
            for candidate, event in zip(candidates, cycle([one, other]), strict=False)
        ]
        # each process has requests for both events
        results = await at_once(storages, book, commands[:2] + commands[3:1:-1] + commands[4:])
        assert Counter(map(str, map(codes, results))) == {"[]": 1, "['ROOM_FULL']": 7}

    assert sum((await taken(world)).values()) == TIMES


@pytest.mark.parametrize(("free_here", "free_there"), [(0, 0), (0, 1), (1, 1)])
async def test_moves_in_both_directions_never_overfill(
    world: World, centre: UUID, opened: Opening, free_here: int, free_there: int
):
    """Everybody swaps at once, from two processes: all are answered, none is over capacity."""
    await no_conflicts(world)
    hall = await world.room(centre, "Hall", capacity=100)
    here = await world.event(centre=centre, room=hall, capacity_maximum=4)
    there = await world.event(
        centre=centre, room=hall, capacity_maximum=4, start_at=world.tomorrow(14)
    )
    candidates = await world.candidates(8 - free_here - free_there)
    storages = [world.storage, await opened()]
    for n, candidate in enumerate(candidates):
        await world.booked(candidate, here if n < 4 - free_here else there)
    before = await taken(world)
    everybody = [row.id for row in await world.rows(Booking, "kind", "ENROLMENT")]

    for n in range(TIMES):
        at = {key: (await world.row(key)).event_id for key in everybody}
        commands = [
            MoveEnrolment(
                viewer=world.viewer,
                enrolment=ByKey(key),
                to_event=ByKey(there if at[key] == here else here),
            )
            for key in everybody
        ]
        turned = (
            commands[n % 2 :] + commands[: n % 2]
        )  # so that either process has either direction
        results = await at_once(storages, move, turned)
        refused = [codes(r) for r in results if isinstance(r, Refused)]
        moved = [r for r in results if isinstance(r, Outcome)]
        assert all(found == ["EVENT_FULL"] for found in refused)
        assert len(refused) + len(moved) == len(everybody)
        seats = await taken(world)
        assert max(seats.values()) <= 4
        assert sum(seats.values()) == len(everybody)
        if not (free_here or free_there):
            assert (moved, seats) == ([], before)


async def test_bookings_and_moves_for_the_same_seats(world: World, centre: UUID, opened: Opening):
    """Those who book and those who move there get three seats, from three processes; ten times."""
    await no_conflicts(world)
    hall = await world.room(centre, "Hall", capacity=100)
    storages = [world.storage, await opened(), await opened()]
    candidates = await world.candidates(30)

    for n in range(10):
        start = world.tomorrow(10) + timedelta(days=n)
        here = await world.event(centre=centre, room=hall, start_at=start)
        full = await world.event(centre=centre, room=hall, start_at=start, capacity_maximum=3)
        movers = [await world.booked(candidate, here) for candidate in candidates[:10]]
        moves = [
            MoveEnrolment(viewer=world.viewer, enrolment=ByKey(key), to_event=ByKey(full))
            for key in movers
        ]
        bookings = [world.booking(candidate, full) for candidate in candidates[10:]]

        moved, booked = await asyncio.gather(
            at_once(storages, move, moves), at_once(storages, book, bookings)
        )

        found = Counter(map(str, map(codes, [*moved, *booked])))
        assert found == {"[]": 3, "['EVENT_FULL']": 27}
        assert (await taken(world))[full] == 3


async def test_grants_and_bookings_of_one_room_at_once(world: World, centre: UUID, opened: Opening):
    """All are answered, and whenever the room ends up overfull, the grant warned; several times.

    A grant locks event, room and candidate before its booking, as the others do; half of the
    bookings are of the candidate that has the extra time.
    """
    await no_conflicts(world)
    storages = [world.storage, await opened()]
    candidates = await world.candidates(6)

    for n in range(TIMES):
        cell = await world.room(centre, f"Grants {n}", capacity=1)
        first = await world.event(centre=centre, room=cell)
        second = await world.event(centre=centre, room=cell, start_at=world.tomorrow(11))
        booked = await world.booked(candidates[0], first)
        granted = granting(world, booked, time_extension_minutes=30)
        back = granting(world, booked, time_extension_minutes=0)
        bookings = [world.booking(candidates[one], second) for one in (0, 1, 0, 2)]

        results = await asyncio.wait_for(
            asyncio.gather(
                at_once(storages, grant, [granted, back, granted]),
                at_once(storages[::-1], book, bookings),
            ),
            PATIENCE,
        )

        seats = Counter(str(codes(result)) for result in results[1])
        assert seats["[]"] <= 1
        longer = (await world.row(booked)).busy_until_at
        warned_of = [warned(result) for result in results[0]]
        if seats["[]"] == 1 and longer > world.tomorrow(11):
            assert ["ROOM_FULL"] in warned_of
