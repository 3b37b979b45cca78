"""Enrolments, registrations and the calling off of their event at once, from several processes."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.enrolments.booking import book
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.registrations.booking import book as register
from resolvers.registrations.commands import BookRegistration
from resolvers.storage import Storage
from resolvers.vocabulary import BookingStatus
from tests.patience import PATIENCE
from tests.resolvers.storage.conftest import Opening
from tests.resolvers.storage.test_never_overbooked import no_conflicts, taken
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases

TIMES = 8

Call = tuple[Any, Any]
"""A command with what carries it out."""


def calls_for(world: World, people: Sequence[UUID], event: UUID) -> list[Call]:
    """A booking for each candidate, of one kind and the other in turns."""
    calls: list[Call] = []
    for person, registers in zip(people, cycle((False, True)), strict=False):
        if registers:
            wanted = BookRegistration(
                viewer=world.viewer,
                target=ByKey(event),
                candidate=ByKey(person),
                registration=uuid4(),
            )
            calls.append((register, wanted))
        else:
            calls.append((book, world.booking(person, event)))
    return calls


async def at_once(storages: Sequence[Storage], calls: Sequence[Call]) -> list[Any]:
    """Carry out calls, each a request of its own; each storage has some of every sort."""
    in_pairs = (storage for storage in cycle(storages) for _ in range(2))
    writing = [next(in_pairs).write(run, [command]) for run, command in calls]
    results = await asyncio.wait_for(asyncio.gather(*writing), PATIENCE)
    return [result for [result] in results]


async def test_the_last_seats_are_sold_once_whatever_the_kind(
    world: World, centre: UUID, opened: Opening
):
    """Of forty requests for five seats, half of each kind, five are booked; several times."""
    await no_conflicts(world)
    hall = await world.room(centre, "Hall", capacity=100)
    storages = [world.storage, await opened()]
    people = await world.candidates(40)
    events = []

    for _ in range(TIMES):
        event = await world.event(centre=centre, room=hall, capacity_maximum=5)
        events.append(event)
        results = await at_once(storages, calls_for(world, people, event))
        assert Counter(map(str, map(codes, results))) == {"[]": 5, "['EVENT_FULL']": 35}
        world.storage.clock.now += timedelta(days=1)  # type: ignore[attr-defined]

    assert await taken(world) == Counter(dict.fromkeys(events, 5))


async def test_nobody_keeps_a_seat_at_an_event_that_is_called_off(
    world: World, centre: UUID, opened: Opening
):
    """Bookings of both kinds come in while it is: each is cancelled with it, or refused."""
    await no_conflicts(world)
    hall = await world.room(centre, "Hall", capacity=100)
    storages = [world.storage, await opened()]
    people = await world.candidates(12)
    affected: list[int] = []

    for n in range(TIMES):
        event = await world.event(centre=centre, room=hall)
        before = len(await world.changes())
        calls = calls_for(world, people, event)
        off = CancelEvent(viewer=world.viewer, event=ByKey(event), reason="Flood")
        at = n % (len(calls) + 1)
        calls.insert(at, (cancel_events, off))

        results = await at_once(storages, calls)

        cancelled = results.pop(at)
        assert isinstance(cancelled, Outcome)
        affected.append(cancelled.facts["affectedBookings"])
        booked = [r.subject for r in results if isinstance(r, Outcome)]
        assert affected[-1] == len(booked)
        refused = [codes(r) for r in results if not isinstance(r, Outcome)]
        assert refused == [["REGISTRATION_CLOSED"]] * (len(people) - len(booked))
        for key in booked:
            assert (await world.row(key)).status is BookingStatus.CANCELLED
        # one change for each booking that was made, one for each that was cancelled
        changes = (await world.changes())[before:]
        assert Counter((c.booking_id, c.booking_type or c.event_type) for c in changes) == Counter(
            [(None, "CANCELLED"), *((key, t) for key in booked for t in ("CREATED", "CANCELLED"))]
        )

    assert 0 < sum(affected) < TIMES * len(people)
