"""Assigning results; domain.md, sections 1.5 and 8.2."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.commands import AssignResult
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import cancel
from resolvers.outcomes import Outcome
from resolvers.references import Unreadable
from resolvers.refusals import Refused
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    BookingAction,
    BookingStatus,
    CancellationReason,
    EnrolmentResult,
    Role,
)
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, cancelling, in_role, places, resulting
from tests.resolvers.world import World, all_codes, codes

PASS, FAIL = EnrolmentResult.PASS, EnrolmentResult.FAIL
UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")


@pytest.fixture
async def booked(world: World, centre: UUID, room: UUID, candidate: UUID) -> UUID:
    """A seat at ten tomorrow."""
    return await world.booked(candidate, await world.event(centre=centre, room=room))


@pytest.mark.parametrize("result", EnrolmentResult)
@pytest.mark.parametrize("hours", [0, 23])
async def test_a_result_completes_an_enrolment(
    world: World, clock: SettableClock, booked: UUID, result: EnrolmentResult, hours: int
) -> None:
    """A result before or after the start completes the enrolment and allows the next booking."""
    clock.now += timedelta(hours=hours)

    outcome = await world.one(assign_results, resulting(world, booked, result))

    assert isinstance(outcome, Outcome)
    assert (outcome.subject, outcome.changed) == (booked, True)
    row = await world.row(booked)
    assert (row.status, row.version) == (BookingStatus.COMPLETED, 2)
    assert (await world.enrolment(booked)).result is result


async def test_a_result_is_corrected_and_the_same_again_changes_nothing(
    world: World, booked: UUID
) -> None:
    """Each correction records a change with both results; a repeat records none."""
    outcomes = [
        await world.one(assign_results, resulting(world, booked, result))
        for result in (FAIL, FAIL, PASS)
    ]

    assert [isinstance(o, Outcome) and o.changed for o in outcomes] == [True, False, True]
    correction = (await world.changes())[-1]
    assert (correction.before, correction.after) == ({"result": "FAIL"}, {"result": "PASS"})
    assert (await world.row(booked)).version == 3
    assert await world.booking_changes() == ["CREATED", "RESULT_ASSIGNED", "RESULT_ASSIGNED"]


async def test_an_origin_is_recorded(world: World, booked: UUID) -> None:
    """The history records the origin of a result."""
    origin = Origin(user=uuid4(), proxy=uuid4(), source="marking")

    await world.made(assign_results, resulting(world, booked, origin=origin))

    change = (await world.changes())[-1]
    assert change.origin == origin.to_json()
    assert change.actor_proxy == str(origin.proxy)


async def test_only_what_is_booked_or_completed_gets_a_result(
    world: World, clock: SettableClock, centre: UUID, room: UUID
) -> None:
    """Unpaid, cancelled, absent and lapsed enrolments are refused, each at its index."""
    event = await world.event(centre=centre, room=room)
    one, two, three, four = await world.candidates(4)
    unpaid = await world.booked(one, event, payment=UNPAID)
    cancelled = await world.booked(two, event)
    await world.made(cancel, cancelling(world, cancelled))
    absent = await world.booked(three, event)
    good = await world.booked(four, event)
    keys = [unpaid, cancelled, good]

    commands = [resulting(world, key, position=n) for n, key in enumerate(keys)]
    results = await world.storage.write(assign_results, commands)
    clock.now = world.tomorrow(10)
    reason = CancellationReason.ABSENT
    await world.made(cancel, cancelling(world, absent, reason=reason))
    later = await world.storage.write(
        assign_results, [resulting(world, key) for key in (absent, unpaid)]
    )

    assert [places(result) for result in results] == [
        [("ILLEGAL_STATE", "0")],
        [("ILLEGAL_STATE", "1")],
        [],
    ]
    assert isinstance(results[0], Refused)
    allowed = results[0].refusals[0].allowed  # type: ignore[attr-defined]
    assert BookingAction.CANCEL in allowed
    assert BookingAction.ASSIGN_RESULT not in allowed
    assert [codes(result) for result in later] == [["ILLEGAL_STATE"]] * 2


async def test_a_missing_permission_is_all_that_is_reported(world: World, booked: UUID) -> None:
    """Without the permission, existing and unknown enrolments are refused alike."""
    staff = in_role(world, Role.CENTRE_STAFF)
    unreadable = Unreadable("x", "is not a global id")
    commands = [
        resulting(world, uuid4(), viewer=staff, position=0),
        resulting(world, booked, viewer=staff, position=1),
        resulting(world, uuid4(), position=2),
    ]
    commands += [AssignResult(viewer=world.viewer, enrolment=unreadable, result=FAIL)]

    results = await world.storage.write(assign_results, commands)

    assert [places(result) for result in results] == [
        [("FORBIDDEN", "")],
        [("FORBIDDEN", "")],
        [("NOT_FOUND", "2.enrolment")],
        [("INVALID_VALUE", "enrolment")],
    ]


async def test_markers_assign_results_in_their_subjects(world: World, booked: UUID) -> None:
    """A marker finds bookings of its subjects only; an unrestricted marker finds all."""
    confined = in_role(world, Role.MARKER, Scope(subjects=frozenset({uuid4()})))

    hidden = await world.one(assign_results, resulting(world, booked, viewer=confined))
    assigned = await world.one(
        assign_results, resulting(world, booked, viewer=in_role(world, Role.MARKER))
    )

    assert codes(hidden) == ["NOT_FOUND"]
    assert codes(assigned) == []


async def test_all_or_nothing_leaves_no_result(world: World, booked: UUID) -> None:
    """One refusal in an all-or-nothing batch leaves no result and no change."""
    commands = [resulting(world, booked), resulting(world, uuid4(), position=1)]

    results = await world.storage.write(assign_results, commands, all_or_nothing=True)

    assert all_codes(results) == ["NOT_FOUND"]
    assert (await world.enrolment(booked)).result is None
    assert await world.booking_changes() == ["CREATED"]


async def test_one_enrolment_twice_in_a_batch(world: World, booked: UUID) -> None:
    """The last result of an enrolment in a batch counts, and both are in the history."""
    commands = [resulting(world, booked, result) for result in (FAIL, PASS, PASS)]

    results = await world.storage.write(assign_results, commands)

    assert [isinstance(r, Outcome) and r.changed for r in results] == [True, True, False]
    assert (await world.enrolment(booked)).result is PASS
    assert [change.version for change in await world.changes() if change.booking_id] == [1, 2, 3]


async def test_the_number_of_statements_does_not_grow(world: World, centre: UUID) -> None:
    """Fifty results take as many statements as two."""
    hall = await world.room(centre, "Hall", capacity=200)
    event = await world.event(centre=centre, room=hall)
    keys = [await world.booked(c, event) for c in await world.candidates(52)]
    statements = Statements()

    two = await statements.needed(world, assign_results, [resulting(world, k) for k in keys[:2]])
    fifty = await statements.needed(world, assign_results, [resulting(world, k) for k in keys[2:]])

    assert two == fifty


async def test_a_result_of_another_organization_s_enrolment_is_not_found(
    world: World, booked: UUID
) -> None:
    """An enrolment of another organization is not found by its key."""
    stranger = replace(world.viewer, organization_id=uuid4(), key="stranger")

    result = await world.one(assign_results, resulting(world, booked, viewer=stranger))

    assert codes(result) == ["NOT_FOUND"]
    assert (await world.row(booked)).status is BookingStatus.CONFIRMED
