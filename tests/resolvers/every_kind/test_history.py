"""The changes that each command on a booking records; domain.md, section 8.2, and design.md."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.identity import global_id
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.storage.tables import Accommodation, ChangeLog, Subject
from resolvers.vocabulary import AccommodationScope, EnrolmentResult, PaymentStatus
from tests.conftest import SettableClock
from tests.resolvers.asking import (
    cancelling,
    granting,
    moving,
    paying,
    resulting,
    revoking,
)
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

FIELDS = {
    "status",
    "candidate",
    "centre",
    "room",
    "event",
    "times",
    "cancellation",
    "enrolmentStatus",
    "timing",
    "module",
    "deliveryMode",
    "attemptNumber",
    "previousAttempt",
    "result",
    "payment",
    "accommodations",
}
"""The fields of an enrolment in the schema that a command can change."""

SNAPSHOT = (
    "status",
    "centre_id",
    "room_id",
    "event_id",
    "test_id",
    "subject_id",
    "start_at",
    "updated_at",
    "accommodation_count",
)
UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")


async def history(world: World, booking: UUID) -> list[ChangeLog]:
    return [change for change in await world.changes() if change.booking_id == booking]


@pytest.fixture
async def lived(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID, insert: Any
) -> list[UUID]:
    """Three bookings with every possible change: one has a result, two have ended."""
    subject = await insert(Subject, reference="S1", name="S1", search_text="")
    maths = await world.test("MATHS", subject=ByKey(subject.id), duration_minutes=90)
    week = timedelta(days=7)
    here = await world.event(centre=centre, room=room, start_at=world.tomorrow(10) + week)
    there = await world.event(
        centre=centre,
        room=await world.room(centre, "Room 2"),
        test=maths,
        start_at=world.tomorrow(14) + week,
        exam_duration_in_minutes=90,
    )
    on_demand = await world.event(centre=centre, room=room, on_demand=True)
    others = await world.candidates(2)
    taken, lapsed, called_off = [
        await world.booked(c, here, payment=UNPAID) for c in (candidate, *others)
    ]
    extra = {"extra_time_percentage": 10}
    for run, command in [
        (grant, granting(world, taken, **extra)),
        (grant, granting(world, taken, "b", time_extension_minutes=5, name="Breaks")),
        (move, moving(world, taken, to_event=there, reason="clash")),
        (record_payments, await paying(world, taken, PaymentStatus.FAILED)),
        (record_payments, await paying(world, taken, PaymentStatus.PENDING)),
        (record_payments, await paying(world, taken, provider="stripe")),
        (move, moving(world, taken, to_event=on_demand, to_on_demand_time=datetime(2027, 2, 1, 9))),
        (revoke, revoking(world, taken, "b")),
        (grant, granting(world, taken, "b", scope=AccommodationScope.OTHER)),
        (move, moving(world, called_off, to_event=there)),
        (record_payments, await paying(world, called_off, PaymentStatus.WAIVED)),
        (cancel_events, CancelEvent(viewer=world.viewer, event=ByKey(there), reason="Flood")),
        (assign_results, resulting(world, taken)),
        (assign_results, resulting(world, taken, EnrolmentResult.PASS)),
    ]:
        clock.now += timedelta(minutes=1)
        await world.made(run, command)
    clock.now += timedelta(days=2)
    await world.one(expire_due, ExpireDue())
    return [taken, lapsed, called_off]


async def test_each_command_is_one_change_of_its_type(world: World, lived: list[UUID]) -> None:
    """Changes are in order of time, with consecutive versions."""
    taken, lapsed, called_off = [await history(world, booking) for booking in lived]

    assert [change.booking_type for change in taken] == [
        "CREATED",
        "ACCOMMODATION_GRANTED",
        "ACCOMMODATION_GRANTED",
        "MOVED",
        "PAYMENT_CHANGED",
        "PAYMENT_CHANGED",
        "PAYMENT_CHANGED",
        "MOVED",
        "ACCOMMODATION_REVOKED",
        "ACCOMMODATION_GRANTED",
        "RESULT_ASSIGNED",
        "RESULT_ASSIGNED",
    ]
    assert [change.booking_type for change in lapsed] == ["CREATED", "EXPIRED"]
    assert [change.booking_type for change in called_off] == [
        "CREATED",
        "MOVED",
        "PAYMENT_CHANGED",
        "CANCELLED",
    ]
    for changes in (taken, lapsed, called_off):
        assert [change.version for change in changes] == list(range(1, len(changes) + 1))
        assert (await world.row(changes[0].booking_id)).version == len(changes)


async def test_changes_add_up_to_the_booking(world: World, lived: list[UUID]) -> None:
    """Each change starts from the previous one's state, and the last one ends at the current
    state.
    """
    for booking in lived:
        shown: dict[str, Any] = {"accommodations": []}
        for change in await history(world, booking):
            assert set(change.changed_fields) == set(change.after) <= FIELDS
            if change.before is not None:
                assert set(change.before) == set(change.after)
                assert change.before == {name: shown.get(name) for name in change.changed_fields}
                assert all(change.before[name] != change.after[name] for name in change.after)
            shown |= change.after

        now = enrolment_facts(
            await world.row(booking), await world.enrolment(booking), await world.payment(booking)
        ) | accommodation_facts(await world.rows(Accommodation, "booking_id", booking))
        assert {name: value for name, value in shown.items() if value is not None} == {
            name: value for name, value in now.items() if value is not None
        }


async def test_changes_have_the_booking_before_and_after(world: World, lived: list[UUID]) -> None:
    """Filters read these columns: the booking before and after; the first change has no before."""
    for booking in lived:
        changes = await history(world, booking)
        first, last, row = changes[0], changes[-1], await world.row(booking)
        assert [getattr(first, f"was_{name}") for name in SNAPSHOT] == [None] * len(SNAPSHOT)
        for before, after in pairwise(changes):
            assert [getattr(after, f"was_{name}") for name in SNAPSHOT] == [
                getattr(before, name) for name in SNAPSHOT
            ]
        assert [getattr(last, name) for name in SNAPSHOT] == [
            getattr(row, name) for name in SNAPSHOT
        ]
        assert {change.created_at for change in changes} == {row.created_at}
        assert {change.candidate_id for change in changes} == {row.candidate_id}
        assert {change.reference for change in changes} == {row.reference}


async def test_a_move_shows_both_places(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Both places have global ids, and times both local and as instants."""
    here = await world.event(centre=centre, room=room)
    there = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    booked = await world.booked(candidate, here)
    origin = Origin(
        when=world.tomorrow(8), organization=uuid4(), user=uuid4(), source="desk", reason="call"
    )

    command = moving(world, booked, to_event=there, reason="clash", origin=origin)
    await world.made(move, command)

    change = (await history(world, booked))[-1]
    assert change.changed_fields == ["event", "times"]
    assert change.before["event"] == global_id("Event", here)
    assert change.after["event"] == global_id("Event", there)
    assert change.before["times"]["start"] == "2027-01-12T10:00:00Z"
    assert change.after["times"]["localStart"] == "2027-01-12T14:00:00"
    assert (change.reason, change.origin) == ("clash", origin.to_json())
    assert (change.actor_name, change.at) == ("admin", world.storage.clock())
    assert change.overrides is None


async def test_accommodations_that_a_move_changes_are_shown(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A percentage gives different minutes at a longer event."""
    here = await world.event(centre=centre, room=room)
    there = await world.event(
        centre=centre, room=room, start_at=world.tomorrow(14), exam_duration_in_minutes=120
    )
    booked = await world.booked(candidate, here)
    await world.made(grant, granting(world, booked, extra_time_percentage=25))

    await world.made(move, moving(world, booked, to_event=there))

    change = (await history(world, booked))[-1]
    sides = [side["accommodations"][0] for side in (change.before, change.after)]
    assert [side["effectiveMinutes"] for side in sides] == [15, 30]
    assert change.after["times"]["extraTimeMinutes"] == 30


async def test_what_changes_nothing_and_what_is_refused_is_not_recorded(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """Changes of nothing and refusals are not recorded."""
    event = await world.event(centre=centre, room=room)
    booked = await world.booked(candidate, event)
    await world.made(cancel, cancelling(world, booked))

    results = [
        await world.one(cancel, cancelling(world, booked)),
        await world.one(move, moving(world, booked, to_event=event)),
        await world.one(grant, granting(world, booked)),
        await world.one(revoke, revoking(world, booked)),
        await world.one(assign_results, resulting(world, booked)),
    ]

    assert [isinstance(result, Outcome) for result in results] == [True] + [False] * 4
    assert [c.booking_type for c in await history(world, booked)] == ["CREATED", "CANCELLED"]
