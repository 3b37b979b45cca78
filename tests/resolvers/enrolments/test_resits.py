"""Resits, attempts and their numbers; domain.md, sections 1.5, 8.2, S-22 and examples 11 and 12."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.commands import SourceRecord
from resolvers.enrolments.moving import move
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import cancel
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.vocabulary import BookingStatus, CancellationReason, EnrolmentResult
from tests.conftest import SettableClock
from tests.resolvers.asking import cancelling, moving, resulting
from tests.resolvers.world import World, codes

PASS, FAIL = EnrolmentResult.PASS, EnrolmentResult.FAIL


async def settle(world: World, **values: Any) -> None:
    await world.made(update_settings, UpdateSettings(viewer=world.viewer, **values))


@pytest.fixture
async def maths(world: World) -> UUID:
    return await world.test("MATHS")


@pytest.fixture
async def sittings(world: World, centre: UUID, room: UUID, maths: UUID) -> list[UUID]:
    """Five sittings of one test, at ten on consecutive days from tomorrow."""
    starts = [world.tomorrow(10) + timedelta(days=n) for n in range(5)]
    return [
        await world.event(centre=centre, room=room, test=maths, start_at=start) for start in starts
    ]


async def test_after_a_result_a_resit_can_be_booked(
    world: World, clock: SettableClock, sittings: list[UUID], candidate: UUID
) -> None:
    """Example 11: a past booking blocks the next one until it has a result; after FAIL, the next is
    attempt 2.
    """
    first = await world.booked(candidate, sittings[0])
    clock.now = world.tomorrow(12)

    without = await world.book(candidate, sittings[1])
    await world.made(assign_results, resulting(world, first))
    second = await world.booked(candidate, sittings[1])

    assert codes(without) == ["RESIT_RESULT_REQUIRED"]
    resit = await world.enrolment(second)
    assert (resit.attempt_number, resit.previous_attempt_id) == (2, first)


async def test_from_the_start_on_a_result_is_what_is_missing(
    world: World, clock: SettableClock, sittings: list[UUID], candidate: UUID
) -> None:
    """Before the start, the next booking is a duplicate; after it, the result is missing."""
    await world.booked(candidate, sittings[0])

    clock.now = world.tomorrow(10) - timedelta(microseconds=1)
    before = await world.book(candidate, sittings[1])
    clock.now += timedelta(microseconds=1)
    at_the_start = await world.book(candidate, sittings[1])

    assert codes(before) == ["DUPLICATE_BOOKING"]
    assert codes(at_the_start) == ["RESIT_RESULT_REQUIRED"]


async def test_an_untaken_test_is_resat_after_its_result(
    world: World, sittings: list[UUID], candidate: UUID
) -> None:
    """A result assigned before the start allows a resit immediately `[000]`."""
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first))

    second = await world.booked(candidate, sittings[1])

    assert (await world.enrolment(second)).attempt_number == 2


async def test_attempts_are_those_that_were_completed_or_missed(
    world: World, clock: SettableClock, sittings: list[UUID], candidate: UUID
) -> None:
    """Completed and missed bookings are attempts; cancelled and lapsed ones are not."""
    cancelled = await world.booked(candidate, sittings[0])
    await world.made(cancel, cancelling(world, cancelled))
    unpaid = PaymentTerms(amount=Decimal("40"), currency="GBP", due_by=clock.now)
    await world.booked(candidate, sittings[0], payment=unpaid)
    clock.now += timedelta(seconds=1)
    missed = await world.booked(candidate, sittings[0])
    first = (await world.enrolment(missed)).attempt_number
    clock.now = world.tomorrow(10)
    absent = CancellationReason.ABSENT
    await world.made(cancel, cancelling(world, missed, reason=absent))

    second = await world.enrolment(await world.booked(candidate, sittings[1]))

    assert first == 1
    assert (second.attempt_number, second.previous_attempt_id) == (2, missed)


async def test_attempts_are_counted_for_each_test_and_candidate(
    world: World, centre: UUID, room: UUID, sittings: list[UUID], candidate: UUID
) -> None:
    """Attempts of other candidates or at other tests do not count."""
    physics = await world.test("PHYSICS")
    other_test = await world.event(
        centre=centre, room=room, test=physics, start_at=world.tomorrow(14)
    )
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first))
    other = await world.candidate("C2")

    keys = [await world.booked(candidate, other_test), await world.booked(other, sittings[1])]

    assert [(await world.enrolment(key)).attempt_number for key in keys] == [1, 1]


async def test_without_a_test_the_same_event_is_the_same_test(
    world: World, clock: SettableClock, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """At an on-demand event a later time is a resit; at another event it is a first attempt."""
    event = await world.event(centre=centre, room=room, on_demand=True)
    other = await world.event(centre=centre, room=room, on_demand=True)
    noon = datetime(2027, 1, 12, 12)
    first = await world.booked(candidate, event, on_demand_time=noon)
    clock.now = world.tomorrow(13)
    later = noon + timedelta(days=1)

    without = await world.book(candidate, event, on_demand_time=later)
    elsewhere = await world.booked(candidate, other, on_demand_time=later + timedelta(hours=3))
    await world.made(assign_results, resulting(world, first))
    resit = await world.booked(candidate, event, on_demand_time=later)

    assert codes(without) == ["RESIT_RESULT_REQUIRED"]
    attempts = [(await world.enrolment(key)).attempt_number for key in (elsewhere, resit)]
    assert attempts == [1, 2]


@pytest.mark.parametrize(
    ("allowed", "result", "expected"),
    [
        (True, PASS, []),
        (True, FAIL, []),
        (False, FAIL, []),
        (False, PASS, ["RESIT_AFTER_PASS_DISABLED"]),
    ],
)
async def test_whether_a_pass_may_be_resat_is_a_setting(
    world: World,
    sittings: list[UUID],
    candidate: UUID,
    allowed: bool,
    result: EnrolmentResult,
    expected: list[str],
) -> None:
    """`allowResitAfterPass` applies after a PASS and not after a FAIL."""
    await settle(world, allow_resit_after_pass=allowed)
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first, result))

    refused = await world.book(candidate, sittings[1])

    assert codes(refused) == expected
    for refusal in getattr(refused, "refusals", ()):
        assert refusal.setting == "allowResitAfterPass"


async def test_a_pass_long_ago_counts_too(
    world: World, sittings: list[UUID], candidate: UUID
) -> None:
    """One pass among the attempts prevents a resit, until it is corrected."""
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first, PASS))
    second = await world.booked(candidate, sittings[1])
    await world.made(assign_results, resulting(world, second, FAIL))
    await settle(world, allow_resit_after_pass=False)

    refused = await world.book(candidate, sittings[2])
    await world.made(assign_results, resulting(world, first, FAIL))

    assert codes(refused) == ["RESIT_AFTER_PASS_DISABLED"]
    assert codes(await world.book(candidate, sittings[2])) == []


@pytest.mark.parametrize(
    ("days", "sitting", "expected"),
    [
        (0, 1, []),
        (1, 1, []),
        (2, 1, ["RESIT_TOO_EARLY"]),
        (2, 2, []),
        (4, 3, ["RESIT_TOO_EARLY"]),
        (4, 4, []),
    ],
)
async def test_days_between_attempts(
    world: World,
    sittings: list[UUID],
    candidate: UUID,
    days: int,
    sitting: int,
    expected: list[str],
) -> None:
    """Starts are at least `minDaysBetweenAttempts` apart; the refusal has the earliest date."""
    await settle(world, min_days_between_attempts=days)
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first))

    result = await world.book(candidate, sittings[sitting])

    assert codes(result) == expected
    if isinstance(result, Refused):
        deadline = result.refusals[0].deadline  # type: ignore[attr-defined]
        assert deadline == world.tomorrow(10) + timedelta(days=days)


@pytest.mark.parametrize(("most", "expected"), [(None, []), (2, ["ATTEMPTS_EXHAUSTED"]), (3, [])])
async def test_attempts_at_a_test_are_limited(
    world: World,
    centre: UUID,
    room: UUID,
    candidate: UUID,
    most: int | None,
    expected: list[str],
) -> None:
    """`maxAttempts` limits the attempts at a test, and no attempts remain."""
    test = await world.test("LIMITED", max_attempts=most)
    starts = [world.tomorrow(hour) for hour in (9, 11, 13)]
    events = [
        await world.event(centre=centre, room=room, test=test, start_at=start) for start in starts
    ]
    for event in events[:2]:
        await world.made(assign_results, resulting(world, await world.booked(candidate, event)))

    assert codes(await world.book(candidate, events[2])) == expected


async def test_the_last_attempt_can_be_moved(
    world: World, centre: UUID, room: UUID, candidate: UUID
) -> None:
    """A move is not an attempt; a move to a test without remaining attempts is refused."""
    once = await world.test("ONCE", max_attempts=1)
    free = await world.test("FREE")
    one, two, three = [
        await world.event(centre=centre, room=room, test=test, start_at=world.tomorrow(hour))
        for test, hour in ((once, 9), (once, 11), (free, 13))
    ]
    only = await world.booked(candidate, one)

    moved = await world.one(move, moving(world, only, to_event=two))
    await world.made(assign_results, resulting(world, only))
    other = await world.booked(candidate, three)
    into = await world.one(move, moving(world, other, to_event=one))

    assert isinstance(moved, Outcome)
    assert codes(into) == ["ATTEMPTS_EXHAUSTED"]


async def test_a_resit_is_not_moved_too_near(
    world: World, sittings: list[UUID], candidate: UUID
) -> None:
    """The days between attempts apply to moves too."""
    await settle(world, min_days_between_attempts=2)
    first = await world.booked(candidate, sittings[0])
    await world.made(assign_results, resulting(world, first))
    resit = await world.booked(candidate, sittings[3])

    too_near = await world.one(move, moving(world, resit, to_event=sittings[1]))
    far_enough = await world.one(move, moving(world, resit, to_event=sittings[2]))

    assert codes(too_near) == ["RESIT_TOO_EARLY"]
    assert codes(far_enough) == []
    assert (await world.enrolment(resit)).attempt_number == 2


async def test_an_imported_attempt_keeps_its_number_when_it_moves(
    world: World, sittings: list[UUID], candidate: UUID
) -> None:
    """A source counts attempts that only it knows; moves within the test keep its number."""
    imported = SourceRecord(number=7, status=BookingStatus.CONFIRMED, attempt_number=3)
    booked = await world.booked(candidate, sittings[0], imported=imported)

    await world.made(move, moving(world, booked, to_event=sittings[1]))

    assert (await world.enrolment(booked)).attempt_number == 3


async def test_where_several_bookings_are_allowed_a_result_is_still_needed(
    world: World, clock: SettableClock, centre: UUID, room: UUID, maths: UUID, candidate: UUID
) -> None:
    """`allowMultipleRegistrations` permits duplicates, but a resit still requires a result."""
    events = [
        await world.event(
            centre=centre,
            room=room,
            test=maths,
            start_at=world.tomorrow(hour),
            allow_multiple_registrations=True,
        )
        for hour in (9, 11, 13)
    ]
    await world.booked(candidate, events[0])

    ahead = await world.book(candidate, events[1])
    clock.now = world.tomorrow(10)
    begun = await world.book(candidate, events[2])

    assert codes(ahead) == []
    assert codes(begun) == ["RESIT_RESULT_REQUIRED"]
