"""Somebody else holds a lock: only those who need it wait, and not for ever."""

import asyncio
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.enrolments.booking import book
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Idempotency, Overloaded, Read, Storage, UnitOfWork
from resolvers.storage.tables import Booking
from tests.patience import PATIENCE, eventually
from tests.resolvers.storage.conftest import (
    Foreign,
    Opening,
    Receipts,
    Results,
    do_nothing,
    record_change,
)
from tests.resolvers.storage.test_cancelling import waiting
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases

LOCK_POSITION = "SELECT 1 FROM log_position WHERE organization_id = $1 FOR UPDATE"
LOCK_EVENT = "SELECT 1 FROM event WHERE id = $1 FOR NO KEY UPDATE"
CANCELLED: Read[Any] = Read(
    "test cancelled",
    lambda _: sa.select(
        sa.func.pg_cancel_backend(sa.func.pg_backend_pid()), sa.func.pg_sleep(PATIENCE)
    ),
)
"""Cancels itself before it sleeps."""


async def promptly(*waiting: Any) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)


async def events_of(world: World, centre: UUID, room: UUID, count: int) -> list[UUID]:
    return [
        await world.event(centre=centre, room=room, capacity_maximum=1000, start_at=hour)
        for hour in (world.tomorrow(n) for n in range(count))
    ]


async def test_a_locked_event_holds_up_nobody_else(world: World, centre: UUID, foreign: Foreign):
    """While an event is locked, bookings of others go on; who needs it is booked afterwards."""
    hall = await world.room(centre, "Hall", capacity=500)
    locked, free = await events_of(world, centre, hall, 2)
    candidates = await world.candidates(41)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_EVENT, locked)

    waiting = asyncio.create_task(world.book(candidates[0], locked))
    others = [world.book(candidate, free) for candidate in candidates[1:]]
    results = await promptly(*others)

    assert [codes(result) for result in results] == [[]] * 40
    assert not waiting.done()
    await transaction.rollback()
    assert codes((await promptly(waiting))[0]) == []


async def test_an_event_that_gets_another_room_before_it_is_locked(
    world: World, centre: UUID, foreign: Foreign
):
    """The statement that locks the event has chosen the rooms before; the new room is locked too.

    Each round has new rooms, since the booking may also be tried again after the commit.
    """
    for candidate in await world.candidates(10):
        old, new = [
            await world.room(centre, f"{name} of {candidate}", capacity=1)
            for name in ("Old", "New")
        ]
        event = await world.event(centre=centre, room=old)
        transaction = foreign.transaction()
        await transaction.start()
        await foreign.execute("UPDATE event SET room_id = $1 WHERE id = $2", new, event)
        booking = asyncio.create_task(world.book(candidate, event))
        await eventually(lambda: waiting(foreign))
        await transaction.commit()

        assert [codes(result) for result in await promptly(booking)] == [[]]
        [booked] = await world.rows(Booking, "event_id", event)
        assert booked.room_id == new


async def test_a_crowd_at_a_locked_event_starves_nobody(
    world: World, centre: UUID, foreign: Foreign
):
    """More than fit into a batch wait for one lock: others pass them, and then all are booked."""
    hall = await world.room(centre, "Hall", capacity=500)
    locked, free = await events_of(world, centre, hall, 2)
    candidates = await world.candidates(158)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_EVENT, locked)
    crowd = [asyncio.create_task(world.book(c, locked)) for c in candidates[:150]]
    await asyncio.sleep(0)

    for candidate in candidates[150:]:
        [result] = await promptly(world.book(candidate, free))
        assert codes(result) == []

    assert not any(task.done() for task in crowd)
    await transaction.rollback()
    results = await promptly(*crowd)
    assert [codes(result) for result in results] == [[]] * 150


async def test_who_waits_too_long_for_a_lock_is_told(
    world: World, centre: UUID, room: UUID, opened: Opening, foreign: Foreign
):
    """After the patience is over the request is Overloaded, and has left nothing."""
    [locked] = await events_of(world, centre, room, 1)
    [candidate] = await world.candidates(1)
    impatient = await opened(lock_patience_seconds=0.25)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_EVENT, locked)

    with pytest.raises(Overloaded):
        await promptly(impatient.write(book, [world.booking(candidate, locked)]))

    await transaction.rollback()
    assert await world.booking_changes() == []
    assert codes(await world.book(candidate, locked)) == []


async def test_waiting_for_a_lock_costs_nothing(
    storage: Storage, world: World, centre: UUID, room: UUID, foreign: Foreign
):
    """A request that is locked for good is tried about ten times a second, whatever else waits."""
    [locked] = await events_of(world, centre, room, 1)
    [candidate] = await world.candidates(1)
    tries: list[float] = []
    tried_often = asyncio.Event()

    def counted(work: UnitOfWork, commands: Sequence[Any]) -> Any:
        tries.append(time.monotonic())
        if len(tries) == 10:
            tried_often.set()
        return book(work, commands)

    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_EVENT, locked)
    waiting = asyncio.create_task(storage.write(counted, [world.booking(candidate, locked)]))
    before = resource.getrusage(resource.RUSAGE_SELF)
    await promptly(tried_often.wait())
    after = resource.getrusage(resource.RUSAGE_SELF)

    await transaction.rollback()
    await promptly(waiting)
    waited = tries[9] - tries[0]
    assert waited > 0.7
    # a busy machine takes longer for both
    assert after.ru_utime - before.ru_utime < 0.5 * waited


async def test_a_statement_that_was_cancelled_is_tried_again(
    storage: Storage, receipts: Receipts, on_postgresql: None
):
    """PostgreSQL cancels a statement if it gets its lock at the moment when its time is over."""
    tries = 0

    def write(work: UnitOfWork, texts: Sequence[str]) -> Results:
        nonlocal tries
        tries += 1
        results = receipts.write(work, texts)
        if tries == 1:
            work.rows(CANCELLED)
        return results

    [[result]] = await promptly(storage.write(write, ["a"]))

    assert isinstance(result, Outcome)
    assert tries == 2
    assert await receipts.written() == ["a"]


async def test_a_locked_log_holds_up_its_own_organization_only(
    storage: Storage, organization_id: UUID, foreign: Foreign, receipts: Receipts
):
    """Who needs a locked organization's position waits; another organization's commands go on."""
    made = MakeOrganization(name="Other", time_zone="UTC", currency="EUR")
    [other] = await storage.write(make_organization, [made])
    assert isinstance(other, Outcome)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(
        "SELECT 1 FROM log_position WHERE organization_id = $1 FOR UPDATE", organization_id
    )

    def recording(work: UnitOfWork, keys: Sequence[UUID]) -> Results:
        for key in keys:
            record_change(work, key, "somebody")
        return do_nothing(work, keys)

    here = [asyncio.create_task(storage.write(recording, [organization_id])) for _ in range(4)]
    there = [asyncio.create_task(storage.write(recording, [other.subject])) for _ in range(4)]

    await promptly(*there)
    assert not any(task.done() for task in here)
    await transaction.rollback()
    await promptly(*here)
    assert len(await World(storage, _viewer(organization_id)).changes()) == 4


@dataclass(frozen=True)
class Note:
    """A command of an organization that records a change."""

    organization_id: UUID


def record(work: UnitOfWork, notes: Sequence[Note]) -> Results:
    for note in notes:
        record_change(work, note.organization_id, "somebody")
    return do_nothing(work, notes)


@pytest.fixture
async def others(storage: Storage) -> list[UUID]:
    """Further organizations."""
    made = [MakeOrganization(name=f"Other {n}", time_zone="UTC", currency="EUR") for n in range(3)]
    outcomes = await storage.write(make_organization, made)
    return [outcome.subject for outcome in outcomes if isinstance(outcome, Outcome)]


async def test_a_crowd_of_a_locked_organization_delays_no_other(
    storage: Storage, organization_id: UUID, others: list[UUID], foreign: Foreign
):
    """50 requests wait for a log position; they are tried together, and seldom."""
    transactions: set[int] = set()

    def counted(work: UnitOfWork, notes: Sequence[Note]) -> Results:
        if organization_id in {note.organization_id for note in notes}:
            transactions.add(id(work))
        return record(work, notes)

    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_POSITION, organization_id)
    crowd = [
        asyncio.create_task(storage.write(counted, [Note(organization_id)])) for _ in range(50)
    ]
    began = time.monotonic()
    for n in range(200):
        await promptly(storage.write(counted, [Note(others[n % 3])]))
    seconds = time.monotonic() - began

    assert not any(task.done() for task in crowd)
    # each try waits 100 ms for the lock; from the fifth on, the pause is three times as long
    assert len(transactions) <= 6 + seconds / 0.4
    await transaction.rollback()
    await promptly(*crowd)
    changes = await World(storage, _viewer(organization_id)).changes()
    assert [change.position for change in changes] == list(range(1, 51))


async def test_patience_with_a_locked_organization_ends_for_all_of_its_requests(
    opened: Opening, organization_id: UUID, others: list[UUID], foreign: Foreign
):
    """Requests that never got their turn are answered, too, and later ones are carried out."""
    impatient = await opened(lock_patience_seconds=0.5)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute(LOCK_POSITION, organization_id)

    crowd = [impatient.write(record, [Note(organization_id)]) for _ in range(150)]
    results = await asyncio.wait_for(asyncio.gather(*crowd, return_exceptions=True), PATIENCE)

    assert {type(result) for result in results} == {Overloaded}
    await promptly(impatient.write(record, [Note(others[0])]))
    await transaction.rollback()
    await promptly(impatient.write(record, [Note(organization_id)]))


async def test_several_locked_organizations_delay_no_other(
    storage: Storage, organization_id: UUID, others: list[UUID], foreign: Foreign
):
    """Requests of two locked organizations and of two free ones, in one batch."""
    transaction = foreign.transaction()
    await transaction.start()
    for locked in (organization_id, others[0]):
        await foreign.execute(LOCK_POSITION, locked)
    waiting = [
        asyncio.create_task(storage.write(record, [Note(locked)]))
        for locked in (organization_id, others[0])
        for _ in range(8)
    ]
    free = [storage.write(record, [Note(others[1 + n % 2])]) for n in range(16)]

    await promptly(*free)
    assert not any(task.done() for task in waiting)
    await transaction.rollback()
    await promptly(*waiting)


async def test_a_locked_key_holds_up_its_own_request_only(
    storage: Storage, organization_id: UUID, foreign: Foreign, receipts: Receipts
):
    """A process that has claimed a key and hangs delays who uses that key, and nobody beside it."""

    def key(n: int) -> Idempotency:
        return Idempotency(organization_id, "viewer", f"key {n}", "same")

    await storage.write(receipts.write, ["0"], idempotency=key(0))
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute("SELECT 1 FROM idempotency_key FOR UPDATE")
    again, *others = [
        asyncio.create_task(storage.write(receipts.write, [str(n)], idempotency=key(n)))
        for n in range(10)
    ]

    await promptly(*others)
    assert not again.done()
    await transaction.rollback()
    [[replayed]] = await promptly(again)
    assert replayed.replayed
    assert await receipts.written() == [str(n) for n in range(10)]


def _viewer(organization_id: UUID) -> Any:
    return SimpleNamespace(organization_id=organization_id)
