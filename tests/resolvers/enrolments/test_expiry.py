"""Expiry of unpaid enrolments; domain.md, section 8.2."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.expiry import organizations_with_overdue
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.commands import SourceRecord
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.events.commands import UpdateEvent
from resolvers.events.updating import update_events
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.vocabulary import BookingStatus, PaymentResponsibility
from tests.conftest import SettableClock
from tests.resolvers.asking import (
    Statements,
    cancelling,
    granting,
    moving,
    paying,
    resulting,
    revoking,
    warned,
)
from tests.resolvers.storage.conftest import Foreign, foreign, on_postgresql  # noqa: F401
from tests.resolvers.world import World, codes

pytestmark = pytest.mark.both_databases

UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")
WEEK = timedelta(days=7)


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    """An event in a week, so that a payment is due before its start."""
    return await world.event(centre=centre, room=room, start_at=world.tomorrow(10) + WEEK)


async def test_what_is_due_is_expired_once(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """The background job releases the seat once and returns the count."""
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    runs = []
    for step in (timedelta(hours=24), timedelta(microseconds=1), timedelta()):
        clock.now += step
        outcome = await world.one(expire_due, ExpireDue())
        assert isinstance(outcome, Outcome)
        runs.append((outcome.changed, outcome.facts["expired"]))

    row = await world.row(unpaid)
    assert runs == [(False, 0), (True, 1), (False, 0)]
    assert (row.status, row.lapses_at, row.version) == (BookingStatus.EXPIRED, None, 2)
    assert codes(await world.book(candidate, event)) == []


async def test_the_clock_is_who_did_it(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """The change names the gateway as its author, with the status before and after."""
    await world.booked(candidate, event, payment=UNPAID)
    clock.now += timedelta(days=2)
    await world.one(expire_due, ExpireDue())

    change = (await world.changes())[-1]

    assert (change.booking_type, change.version) == ("EXPIRED", 2)
    assert (change.actor_name, change.actor_user_id) == ("Booking gateway", None)
    assert change.before == {"status": "PENDING", "enrolmentStatus": "PENDING_PAYMENT"}
    assert change.after == {"status": "EXPIRED", "enrolmentStatus": "EXPIRED"}
    assert (change.was_status, change.status) == (BookingStatus.PENDING, BookingStatus.EXPIRED)


async def test_many_are_expired_in_full_batches(
    world: World, clock: SettableClock, centre: UUID, event: UUID
) -> None:
    """The longest overdue expire first, and fifty take as many statements as two."""
    hall = await world.room(centre, "Hall", capacity=100)
    candidates = await world.candidates(52)
    for candidate in candidates[:2]:
        await world.booked(candidate, event, room=hall, payment=UNPAID)
    statements = Statements()

    clock.now += timedelta(days=1, seconds=1)
    two = await statements.needed(world, expire_due, [ExpireDue()])
    for candidate in candidates[2:]:
        await world.booked(candidate, event, room=hall, payment=UNPAID)
    clock.now += timedelta(days=1, seconds=1)
    fifty = await statements.needed(world, expire_due, [ExpireDue()])

    assert two == fifty
    assert (await world.booking_changes()).count("EXPIRED") == 52


async def test_a_locked_booking_expires_later(
    world: World,
    clock: SettableClock,
    event: UUID,
    foreign: Foreign,  # noqa: F811
) -> None:
    """A booking locked by another session is skipped immediately; the others expire."""
    locked, *others = [
        await world.booked(candidate, event, payment=UNPAID)
        for candidate in await world.candidates(4)
    ]
    clock.now += timedelta(days=1, seconds=1)
    transaction = foreign.transaction()
    await transaction.start()
    await foreign.execute("SELECT 1 FROM booking WHERE id = $1 FOR NO KEY UPDATE", locked)

    expired = []
    for _ in range(2):
        # a request that meets the lock retries until its time limit, and has no outcome
        outcome = await world.one(expire_due, ExpireDue(world.viewer.organization_id))
        assert isinstance(outcome, Outcome)
        expired.append(outcome.facts["expired"])
    await transaction.rollback()
    await world.one(expire_due, ExpireDue(world.viewer.organization_id))

    assert expired == [3, 0]
    assert [(await world.row(key)).status for key in (locked, *others)] == ["EXPIRED"] * 4


async def test_only_the_named_organizations_expire(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """The worker finds the organizations with overdue bookings and expires them one by one."""
    organization_id = world.viewer.organization_id
    other = await world.made(make_organization, MakeOrganization("Other", "Asia/Tokyo", "JPY"))
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    before = await world.storage.read(organizations_with_overdue(clock()))
    clock.now += timedelta(days=1, seconds=1)
    overdue = await world.storage.read(organizations_with_overdue(clock()))
    results = await world.storage.write(
        expire_due, [ExpireDue(other), ExpireDue(organization_id), ExpireDue(other)]
    )

    assert (before, [row.id for row in overdue]) == ([], [organization_id])
    outcomes = [result for result in results if isinstance(result, Outcome)]
    assert [outcome.facts["expired"] for outcome in outcomes] == [0, 1, 0]
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED


COMMANDS: dict[str, tuple[Any, Callable[[World, UUID], Any]]] = {
    "cancel": (cancel, cancelling),
    "grant": (grant, granting),
    "revoke": (revoke, revoking),
    "assign": (assign_results, resulting),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_that_reads_it_expires_it_first(
    world: World, clock: SettableClock, event: UUID, candidate: UUID, name: str
) -> None:
    """A command on an overdue booking first stores and records it as EXPIRED, then is refused."""
    run, command = COMMANDS[name]
    unpaid = await world.booked(candidate, event, payment=UNPAID)
    clock.now += timedelta(hours=24, microseconds=1)

    result = await world.one(run, command(world, unpaid))

    assert codes(result) == ["ILLEGAL_STATE"]
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED
    assert await world.booking_changes() == ["CREATED", "EXPIRED"]


@pytest.mark.parametrize("overdue", [False, True])
async def test_the_deadline_itself_is_in_time(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID, overdue: bool
) -> None:
    """Up to and including the deadline, an unpaid booking can be cancelled, moved and paid."""
    events = [
        await world.event(centre=centre, room=room, start_at=world.tomorrow(hour) + WEEK)
        for hour in (9, 11, 13)
    ]
    other = await world.candidate("C2")
    third = await world.candidate("C3")
    cancelled = await world.booked(candidate, events[0], payment=UNPAID)
    moved = await world.booked(other, events[0], payment=UNPAID)
    paid = await world.booked(third, events[0], payment=UNPAID)
    clock.now += timedelta(hours=24, microseconds=1 if overdue else 0)

    results = [
        await world.one(cancel, cancelling(world, cancelled)),
        await world.one(move, moving(world, moved, to_event=events[1])),
    ]
    await world.one(record_payments, await paying(world, paid))

    assert [codes(r) for r in results] == ([["ILLEGAL_STATE"]] * 2 if overdue else [[], []])
    status = (await world.row(paid)).status
    assert status is (BookingStatus.EXPIRED if overdue else BookingStatus.CONFIRMED)


async def test_a_seat_in_a_room_is_released_to_another_event(
    world: World, clock: SettableClock, centre: UUID
) -> None:
    """A booking that needs a seat in the room expires overdue bookings of every event there."""
    small = await world.room(centre, "Small", capacity=1)
    one, two = [
        await world.event(centre=centre, room=small, start_at=world.tomorrow(10) + WEEK)
        for _ in range(2)
    ]
    first, second = await world.candidates(2)
    unpaid = await world.booked(first, one, payment=UNPAID)

    full = await world.book(second, two)
    clock.now += timedelta(hours=24, microseconds=1)
    free = await world.book(second, two)

    assert codes(full) == ["ROOM_FULL"]
    assert codes(free) == []
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED


async def test_a_lapsed_booking_is_no_conflict_for_its_candidate(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A booking at the same time expires the candidate's overdue bookings."""
    hall = await world.room(centre, "Hall")
    one = await world.event(centre=centre, room=room, start_at=world.tomorrow(10) + WEEK)
    two = await world.event(centre=centre, room=hall, start_at=world.tomorrow(10) + WEEK)
    unpaid = await world.booked(candidate, one, payment=UNPAID)

    conflict = await world.book(candidate, two)
    clock.now += timedelta(hours=24, microseconds=1)
    free = await world.book(candidate, two)

    assert codes(conflict) == ["CANDIDATE_TIME_CONFLICT"]
    assert codes(free) == []
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED


async def move_there(world: World, booking: UUID, event: UUID, earlier: UUID) -> Any:
    """Move the booking to the earlier event."""
    return await world.one(move, moving(world, booking, to_event=earlier))


async def move_event(world: World, booking: UUID, event: UUID, earlier: UUID) -> Any:
    """Move the booking's event to the time of the earlier event."""
    changes = {"start_at": world.tomorrow(0) - timedelta(hours=6)}
    return await world.one(update_events, UpdateEvent(world.viewer, ByKey(event), changes))


@pytest.mark.parametrize("move_to_evening", [move_there, move_event])
async def test_a_moved_payment_is_due_at_the_new_start(
    world: World,
    clock: SettableClock,
    centre: UUID,
    room: UUID,
    event: UUID,
    candidate: UUID,
    move_to_evening: Any,
) -> None:
    """A moved booking that is unpaid lapses when it starts."""
    evening = clock.now + timedelta(hours=6)
    test = await world.test()
    await world.one(update_events, UpdateEvent(world.viewer, ByKey(event), {"test": ByKey(test)}))
    earlier = await world.event(centre=centre, room=room, start_at=evening, test=test)
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    assert codes(await move_to_evening(world, unpaid, event, earlier)) == []
    moved, payment = await world.row(unpaid), await world.payment(unpaid)
    change = (await world.changes())[-1]
    clock.now = evening + timedelta(microseconds=1)
    again = await world.book(
        candidate, await world.event(centre=centre, room=room, test=test, start_at=evening + WEEK)
    )

    assert (moved.start_at, moved.lapses_at, payment.due_by) == (evening, evening, evening)
    assert change.after["payment"]["dueBy"] == "2027-01-11T18:00:00Z"
    assert (await world.row(unpaid)).status is BookingStatus.EXPIRED
    assert codes(again) == []


async def test_a_payment_moved_to_a_later_start_keeps_its_deadline(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """The start limits the deadline and does not extend it."""
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    changes = {"start_at": world.tomorrow(10) + 2 * WEEK}
    await world.one(update_events, UpdateEvent(world.viewer, ByKey(event), changes))

    due = clock.now + timedelta(hours=24)
    assert (await world.row(unpaid)).lapses_at == due
    assert (await world.payment(unpaid)).due_by == due


async def test_a_deadline_after_the_start_is_limited_with_a_warning(
    world: World, event: UUID, candidate: UUID
) -> None:
    """A candidate must pay by the start, whatever deadline is given; an organization can pay
    later.
    """
    start = world.tomorrow(10) + WEEK
    late = PaymentTerms(amount=Decimal("40"), currency="GBP", due_by=start + WEEK)
    by_organization = replace(late, responsibility=PaymentResponsibility.ORGANIZATION)

    limited = await world.book(candidate, event, payment=late)
    invoiced = await world.book(await world.candidate("C2"), event, payment=by_organization)

    assert isinstance(limited, Outcome)
    assert isinstance(invoiced, Outcome)
    assert (warned(limited), warned(invoiced)) == (["PAYMENT_DUE_AT_START"], [])
    assert (await world.payment(limited.subject)).due_by == start
    assert (await world.row(limited.subject)).lapses_at == start
    assert (await world.payment(invoiced.subject)).due_by == start + WEEK


async def test_a_recorded_move_into_the_past_keeps_its_seat(
    world: World, clock: SettableClock, centre: UUID, room: UUID, event: UUID, candidate: UUID
) -> None:
    """An import keeps a seat that was unpaid at the start, as the source does."""
    earlier = await world.event(centre=centre, room=room, start_at=clock.now - timedelta(hours=3))
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    command = moving(world, unpaid, to_event=earlier, imported=SourceRecord())
    assert codes(await world.one(move, command)) == []

    row = await world.row(unpaid)
    assert (row.status, row.lapses_at) == (BookingStatus.CONFIRMED, None)
