"""Deleting and cancelling test schedules; domain.md, sections 2.4 and 8.2, and X-2."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from resolvers.every_kind.accommodations import grant
from resolvers.every_kind.cancelling import cancel
from resolvers.outcomes import Outcome
from resolvers.refusals import IllegalState, Refused
from resolvers.test_schedules.commands import Adjustment
from resolvers.viewer import Scope
from resolvers.vocabulary import BookingStatus, CancellationReason, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import cancelling, granting, in_role, places
from tests.resolvers.test_schedules.conftest import Schedules
from tests.resolvers.world import codes

OPEN = datetime(2027, 2, 1, 10, tzinfo=UTC)
CLOSED = datetime(2027, 2, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("by", ["id", "keycode"])
async def test_a_schedule_is_deleted(world: Schedules, by: str) -> None:
    """By id or keycode: the keycode and values become null, history stays, and a repeat changes
    nothing.
    """
    key = await world.scheduled(requires_invigilation=True, purchase_order="PO-1")
    keycode = (await world.detail(key)).keycode
    assert keycode is not None
    name = key if by == "id" else keycode

    deleted = await world.delete(name)
    again = await world.delete(name)

    row, detail = await world.row(key), await world.detail(key)
    assert row.status is BookingStatus.DELETED
    assert (detail.keycode, detail.pin, detail.purchase_order) == (None, None, None)
    assert isinstance(deleted, Outcome)
    assert isinstance(again, Outcome)
    assert (deleted.subject, deleted.changed, again.subject, again.changed) == (
        key,
        True,
        key,
        False,
    )
    [change] = [c for c in await world.changes() if c.booking_type == "DELETED"]
    assert change.before["purchaseOrder"] == "PO-1"
    assert change.after["scheduleStatus"] == "DELETED"


@pytest.mark.both_databases
async def test_a_deleted_schedule_has_no_accommodations(world: Schedules) -> None:
    """Extra minutes are removed too; history keeps the grants."""
    key = await world.scheduled(reasonable_adjustments=Adjustment(extra_time_minutes=30))
    await world.made(grant, granting(world, key, "reader"))

    await world.delete(key)

    row = await world.row(key)
    assert (row.accommodation_count, row.extra_time_minutes, row.extra_break_minutes) == (0, 0, 0)
    assert await world.granted(key) == {}
    [change] = [c for c in await world.changes() if c.booking_type == "DELETED"]
    assert len(change.before["accommodations"]) == 2
    assert change.after["accommodations"] == []


@pytest.mark.both_databases
async def test_a_deleted_schedule_makes_room_for_another(world: Schedules) -> None:
    """The candidate has no open schedule left."""
    await world.delete(await world.scheduled())

    await world.scheduled()


async def test_only_what_has_not_started_is_deleted(world: Schedules, clock: SettableClock) -> None:
    """A schedule in progress, completed, voided or expired cannot be deleted."""
    key = await world.scheduled()
    voided = await world.scheduled(allow_multiple_open_sessions=True)
    expired = await world.scheduled(allow_multiple_open_sessions=True)
    await world.made(cancel, cancelling(world, voided))
    clock.now = OPEN
    await world.started(key)

    in_progress = await world.delete(key)
    await world.completed(key)
    completed = await world.delete(key)
    after_void = await world.delete(voided)
    clock.now = CLOSED
    after_end = await world.delete(expired)

    for refused in (in_progress, completed, after_void, after_end):
        assert places(refused) == [("ILLEGAL_STATE", "test_schedule")]
    assert isinstance(in_progress, Refused)
    [refusal] = in_progress.refusals
    assert isinstance(refusal, IllegalState)
    assert (refusal.status, refusal.allowed) == (BookingStatus.IN_PROGRESS, ())


async def test_deleting_needs_the_permission_and_the_scope(world: Schedules) -> None:
    """Centre staff cannot delete; a schedule of another centre is not found."""
    key = await world.scheduled()
    elsewhere = in_role(
        world, Role.SCHEDULER, Scope(centres=frozenset({uuid4()}), subjects=frozenset())
    )

    assert places(await world.delete(key, viewer=in_role(world, Role.CENTRE_STAFF))) == [
        ("FORBIDDEN", "")
    ]
    assert places(await world.delete(key, viewer=elsewhere)) == [("NOT_FOUND", "test_schedule")]
    assert places(await world.delete("NOSUCH00")) == [("NOT_FOUND", "test_schedule")]
    assert places(await world.delete("\0")) == [("NOT_FOUND", "test_schedule")]


async def test_a_cancelled_schedule_keeps_its_keycode(world: Schedules) -> None:
    """A VOIDED schedule keeps its data and keycode; a repeat changes nothing."""
    key = await world.scheduled()

    first = await world.one(cancel, cancelling(world, key))
    again = await world.one(cancel, cancelling(world, key))

    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (first.changed, again.changed) == (True, False)
    assert (await world.row(key)).status is BookingStatus.CANCELLED
    assert (await world.detail(key)).keycode is not None
    [change] = [c for c in await world.changes() if c.booking_type == "CANCELLED"]
    assert change.after["scheduleStatus"] == "VOIDED"


async def test_an_absent_candidate_voids_the_schedule_while_it_is_open(
    world: Schedules, clock: SettableClock
) -> None:
    """Schedules have no ABSENT status: the reason is stored, and a closed schedule has expired."""
    key = await world.scheduled()
    late = await world.scheduled(allow_multiple_open_sessions=True)
    absent = {"reason": CancellationReason.ABSENT}

    clock.now = OPEN
    voided = await world.one(cancel, cancelling(world, key, **absent))
    clock.now = CLOSED
    refused = await world.one(cancel, cancelling(world, late, **absent))

    row = await world.row(key)
    assert codes(voided) == []
    assert (row.status, row.cancel_reason) == (
        BookingStatus.CANCELLED,
        CancellationReason.ABSENT,
    )
    assert codes(refused) == ["ILLEGAL_STATE"]


async def test_extra_time_is_granted_until_the_window_closes(
    world: Schedules, clock: SettableClock
) -> None:
    """Granting stops at the instant at which the schedule expires."""
    key = await world.scheduled()

    clock.now = CLOSED
    late = await world.one(grant, granting(world, key, time_extension_minutes=5))
    clock.now = OPEN
    in_time = await world.one(grant, granting(world, key, time_extension_minutes=5))

    assert codes(late) == ["ILLEGAL_STATE"]
    assert codes(in_time) == []
    assert (await world.row(key)).extra_time_minutes == 5
