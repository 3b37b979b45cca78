"""Cancelling bookings, one and many; domain.md, sections 1.7, 1.8, 8.2 and S-04."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, Ref, Unreadable
from resolvers.refusals import Refused
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    BookingAction,
    BookingStatus,
    CancellationReason,
    PaymentStatus,
    Role,
)
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, cancelling, in_role, places, resulting
from tests.resolvers.world import World, all_codes, codes

R = CancellationReason
UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    return await world.event(centre=centre, room=room)


@pytest.fixture
async def booked(world: World, event: UUID, candidate: UUID) -> UUID:
    """A seat at ten tomorrow."""
    return await world.booked(candidate, event)


async def cancelled(world: World, booking: UUID, **values: Any) -> Outcome | Refused:
    return await world.one(cancel, cancelling(world, booking, **values))


async def test_a_cancelled_booking_keeps_why_when_and_by_whom(
    world: World, clock: SettableClock, booked: UUID
) -> None:
    """Staff cancel on behalf of the candidate, at an instant that can be in the past."""
    at = clock.now - timedelta(hours=3)

    result = await cancelled(world, booked, reason=R.OTHER, message="Storm", cancelled_at=at)

    row = await world.row(booked)
    assert isinstance(result, Outcome)
    assert (row.status, row.version) == (BookingStatus.CANCELLED, 2)
    assert (row.cancel_reason, row.cancel_message, row.cancelled_at) == (R.OTHER, "Storm", at)
    assert (row.cancelled_on_behalf, row.cancelled_by_name) == (True, "admin")


@pytest.mark.parametrize("message", [None, "", "  \t"])
async def test_other_needs_a_message(world: World, booked: UUID, message: str | None) -> None:
    """Example 12: OTHER without a message is REASON_REQUIRED; other reasons need none."""
    refused = await cancelled(world, booked, reason=R.OTHER, message=message)

    assert places(refused) == [("REASON_REQUIRED", "message")]
    assert (await world.row(booked)).version == 1
    assert codes(await cancelled(world, booked, reason=R.ILLNESS, message=message)) == []


async def test_cancelling_frees_the_seat(world: World, centre: UUID, candidate: UUID) -> None:
    """The seat is free in the event and in the room."""
    small = await world.room(centre, "Small", capacity=1)
    event = await world.event(centre=centre, room=small, capacity_maximum=1)
    booked = await world.booked(candidate, event)
    other = await world.candidate("C2")

    full = await world.book(other, event)
    await world.made(cancel, cancelling(world, booked))

    assert codes(full) == ["EVENT_FULL"]
    assert codes(await world.book(other, event)) == []
    assert codes(await world.book(candidate, event)) == ["EVENT_FULL"]


async def test_cancelling_again_changes_nothing(world: World, booked: UUID) -> None:
    """The first reason stays, and nothing is recorded."""
    await world.made(cancel, cancelling(world, booked))

    again = await cancelled(world, booked, reason=R.OTHER, message="again")

    assert isinstance(again, Outcome)
    assert not again.changed
    assert (await world.row(booked)).cancel_reason is R.ILLNESS
    assert await world.booking_changes() == ["CREATED", "CANCELLED"]


async def test_what_has_a_result_cannot_be_cancelled(world: World, booked: UUID) -> None:
    """The refusal has the allowed actions."""
    await world.made(assign_results, resulting(world, booked))

    refused = await cancelled(world, booked)

    assert places(refused) == [("ILLEGAL_STATE", "booking")]
    assert isinstance(refused, Refused)
    refusal: Any = refused.refusals[0]
    assert refusal.status is BookingStatus.COMPLETED
    assert refusal.allowed == (BookingAction.ASSIGN_RESULT,)


async def test_an_unpaid_booking_is_cancelled(world: World, event: UUID, candidate: UUID) -> None:
    """The booking does not lapse afterwards, and its payment does not change."""
    unpaid = await world.booked(candidate, event, payment=UNPAID)

    await world.made(cancel, cancelling(world, unpaid))

    row = await world.row(unpaid)
    assert (row.status, row.lapses_at) == (BookingStatus.CANCELLED, None)
    assert (await world.payment(unpaid)).status is PaymentStatus.PENDING


@pytest.mark.parametrize(
    ("cut_off", "before_start", "expected"),
    [
        (60, timedelta(minutes=60), []),
        (60, timedelta(minutes=60, microseconds=-1), ["CANCELLATION_CLOSED"]),
        (60, timedelta(minutes=0), ["CANCELLATION_CLOSED"]),
        (60, timedelta(minutes=-30), ["CANCELLATION_CLOSED"]),
        (0, timedelta(minutes=0), []),
        (0, timedelta(days=-30), []),
    ],
)
async def test_cancelling_ends_with_the_cut_off(
    world: World,
    clock: SettableClock,
    booked: UUID,
    cut_off: int,
    before_start: timedelta,
    expected: list[str],
) -> None:
    """The deadline is inclusive, and 0 is no limit; the refusal names the deadline and the
    setting.
    """
    await world.made(
        update_settings, UpdateSettings(viewer=world.viewer, cancel_cut_off_minutes=cut_off)
    )
    start = world.tomorrow(10)
    clock.now = start - before_start

    result = await cancelled(world, booked)

    assert codes(result) == expected
    if isinstance(result, Refused):
        refusal: Any = result.refusals[0]
        assert refusal.deadline == start - timedelta(minutes=cut_off)
        assert refusal.setting == "cancelCutOffMinutes"
        assert refusal.path == ("booking",)


@pytest.mark.parametrize("cut_off", [0, 60])
async def test_absent_is_said_from_the_start_on(
    world: World, clock: SettableClock, booked: UUID, cut_off: int
) -> None:
    """ABSENT is ILLEGAL_STATE before the start, and a no-show from then on; the cut-off does not
    apply.
    """
    await world.made(
        update_settings, UpdateSettings(viewer=world.viewer, cancel_cut_off_minutes=cut_off)
    )
    start = world.tomorrow(10)

    clock.now = start - timedelta(microseconds=1)
    early = await cancelled(world, booked, reason=R.ABSENT)
    clock.now = start
    absent = await cancelled(world, booked, reason=R.ABSENT)
    again = await cancelled(world, booked, reason=R.ABSENT)

    row = await world.row(booked)
    assert codes(early) == ["ILLEGAL_STATE"]
    assert [isinstance(r, Outcome) and r.changed for r in (absent, again)] == [True, False]
    assert (row.status, row.cancel_reason) == (BookingStatus.NO_SHOW, R.ABSENT)
    change = (await world.changes())[-1]
    assert change.booking_type == "CANCELLED"
    assert change.after["enrolmentStatus"] == "ABSENT"
    assert change.after["cancellation"]["reason"] == "ABSENT"


async def test_an_unpaid_booking_cannot_be_absent(
    world: World, clock: SettableClock, event: UUID, candidate: UUID
) -> None:
    """Only a confirmed booking can be absent."""
    due = world.tomorrow(12)
    terms = PaymentTerms(amount=Decimal("40"), currency="GBP", due_by=due)
    unpaid = await world.booked(candidate, event, payment=terms)
    clock.now = world.tomorrow(11)

    assert codes(await cancelled(world, unpaid, reason=R.ABSENT)) == ["ILLEGAL_STATE"]


async def test_everything_that_is_wrong_with_the_input_comes_back_at_once(
    world: World, clock: SettableClock, event: UUID, booked: UUID
) -> None:
    """References and fields are checked together, a missing permission alone, the version and the
    state later.
    """
    command = cancelling(
        world,
        booked,
        reason=R.OTHER,
        cancelled_at=clock.now + timedelta(microseconds=1),
        event=Unreadable("x", "is not a global id"),
        candidates=(ByKey(uuid4()),),
        expected_version=9,
    )

    forbidden = replace(command, viewer=in_role(world, Role.INVIGILATOR))
    assert places(await world.one(cancel, forbidden)) == [("FORBIDDEN", "")]
    assert places(await world.one(cancel, command)) == [
        ("REASON_REQUIRED", "message"),
        ("OUT_OF_RANGE", "cancelled_at"),
        ("NOT_FOUND", "candidates"),
        ("INVALID_VALUE", "booking"),
        ("INVALID_VALUE", "event"),
    ]


async def test_a_message_has_500_characters_at_most(world: World, booked: UUID) -> None:
    """A longer message is STRING_LENGTH."""
    too_long = await cancelled(world, booked, message="m" * 501)

    assert places(too_long) == [("STRING_LENGTH", "message")]
    assert codes(await cancelled(world, booked, message="m" * 500)) == []


async def test_the_version_is_checked_before_the_state(world: World, booked: UUID) -> None:
    """The version is also checked first for a cancelled booking."""
    other = await cancelled(world, booked, expected_version=2)
    await world.made(cancel, cancelling(world, booked, expected_version=1))
    again = await cancelled(world, booked, expected_version=1)

    assert places(other) == [("STALE_BOOKING", "expected_version")]
    assert places(again) == [("STALE_BOOKING", "expected_version")]
    assert codes(await cancelled(world, booked, expected_version=2)) == []


async def test_candidates_cancel_their_own(
    world: World, event: UUID, booked: UUID, candidate: UUID
) -> None:
    """A candidate's own cancellation is not on behalf of anybody; another's booking is not
    found.
    """
    other = await world.candidate("C2")
    own = in_role(world, Role.CANDIDATE, Scope(candidate=candidate))
    others = await world.booked(other, event)

    hidden = await cancelled(world, others, viewer=own)
    result = await cancelled(world, booked, viewer=own)

    assert places(hidden) == [("NOT_FOUND", "booking")]
    assert codes(result) == []
    assert (await world.row(booked)).cancelled_on_behalf is False
    assert (await world.changes())[-1].after["cancellation"]["onBehalf"] is False


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(nothing=True), ["NOT_FOUND"]),
        (Scope(centres=frozenset({uuid4()})), ["NOT_FOUND"]),
        (Scope(subjects=frozenset({uuid4()})), ["NOT_FOUND"]),
        (Scope(), []),
    ],
)
async def test_a_booking_out_of_sight_is_not_found(
    world: World, booked: UUID, scope: Scope, expected: list[str]
) -> None:
    """A booking outside the scope or of another organization is not found."""
    staff = in_role(world, Role.SCHEDULER, scope)

    assert codes(await cancelled(world, booked, viewer=staff)) == expected


async def test_the_candidate_that_is_named_must_be_the_booking_s(
    world: World, booked: UUID, candidate: UUID
) -> None:
    """`candidateId` is a check: another candidate is INVALID_VALUE."""
    other = await world.candidate("C2")

    wrong = await cancelled(world, booked, candidates=(ByKey(other),))
    right = await cancelled(world, booked, candidates=(ByKey(candidate),))

    assert places(wrong) == [("INVALID_VALUE", "booking")]
    assert codes(right) == []


def together(
    world: World,
    bookings: Sequence[UUID],
    candidates: Sequence[UUID] | None = None,
    **values: Any,
) -> list[CancelBooking]:
    """Return the commands of one request, as the mutation builds them."""
    refs: tuple[Ref, ...] = tuple(ByKey(key) for key in bookings)
    named = None if candidates is None else tuple(ByKey(key) for key in candidates)
    return [
        cancelling(
            world,
            key,
            candidates=named,
            together_with=refs if n == 0 else (),
            position=n,
            **values,
        )
        for n, key in enumerate(bookings)
    ]


@pytest.fixture
async def two(world: World, event: UUID) -> tuple[list[UUID], list[UUID]]:
    """Two bookings and their candidates."""
    candidates = await world.candidates(2)
    return [await world.booked(candidate, event) for candidate in candidates], candidates


async def test_several_are_cancelled_with_their_candidates_and_event(
    world: World, event: UUID, two: tuple[list[UUID], list[UUID]]
) -> None:
    """Candidates can be in any order, and each booking has one change."""
    bookings, candidates = two

    commands = together(world, bookings, candidates[::-1], event=event)
    results = await world.storage.write(cancel, commands, all_or_nothing=True)

    assert all_codes(results) == []
    assert await world.booking_changes() == ["CREATED", "CREATED", "CANCELLED", "CANCELLED"]


@pytest.mark.parametrize(
    ("which_bookings", "which_candidates", "expected"),
    [
        ([0, 1], [0], [[], [("INVALID_VALUE", "1.booking")]]),
        ([0], [0, 1], [[("INVALID_VALUE", "candidates.1")]]),
        ([0, 1], [0, 1, 2], [[("INVALID_VALUE", "candidates.2")], []]),
        ([0, 1], [0, 3, 1], [[("NOT_FOUND", "candidates.1")], []]),
        ([0], [0, 1, 1], [[("INVALID_VALUE", "candidates.1")]]),
        (
            [0],
            [1],
            [
                [
                    ("INVALID_VALUE", "candidates.0"),
                    ("INVALID_VALUE", "0.booking"),
                ]
            ],
        ),
        ([0, 1], [0, 0, 1], [[], []]),
    ],
)
async def test_bookings_and_candidates_must_match_both_ways(
    world: World,
    two: tuple[list[UUID], list[UUID]],
    which_bookings: list[int],
    which_candidates: list[int],
    expected: list[Any],
) -> None:
    """S-04: each booking belongs to a given candidate, and each given candidate has a booking."""
    bookings, candidates = two
    candidates = [*candidates, await world.candidate("C3"), uuid4()]
    commands = together(
        world,
        [bookings[n] for n in which_bookings],
        [candidates[n] for n in which_candidates],
    )

    results = await world.storage.write(cancel, commands)

    assert [places(result) for result in results] == expected


async def test_an_event_that_is_named_must_be_every_booking_s(
    world: World, centre: UUID, room: UUID, event: UUID, two: tuple[list[UUID], list[UUID]]
) -> None:
    """A booking of another event is INVALID_VALUE."""
    bookings, candidates = two
    other = await world.event(centre=centre, room=room, start_at=world.tomorrow(14))
    elsewhere = await world.booked(candidates[0], other)

    results = await world.storage.write(
        cancel, together(world, [bookings[0], elsewhere], event=event)
    )

    assert [places(r) for r in results] == [[], [("INVALID_VALUE", "1.booking")]]


@pytest.mark.parametrize(("all_or_nothing", "left"), [(True, 2), (False, 1)])
async def test_what_becomes_of_the_rest_if_one_is_refused(
    world: World, two: tuple[list[UUID], list[UUID]], all_or_nothing: bool, left: int
) -> None:
    """All-or-nothing undoes the others, best effort keeps them; the refusal identifies its
    booking.
    """
    bookings, _ = two
    await world.made(assign_results, resulting(world, bookings[1]))

    results = await world.storage.write(
        cancel, together(world, bookings), all_or_nothing=all_or_nothing
    )

    refused = [places(result) for result in results if isinstance(result, Refused)]
    assert refused == [[("ILLEGAL_STATE", "1.booking")]]
    statuses = [(await world.row(key)).status for key in bookings]
    assert sum(status is not BookingStatus.CANCELLED for status in statuses) == left


async def test_a_repeat_among_several_is_a_success(
    world: World, two: tuple[list[UUID], list[UUID]]
) -> None:
    """A booking that is already cancelled does not stop the others."""
    bookings, _ = two
    await world.made(cancel, cancelling(world, bookings[0]))

    results = await world.storage.write(cancel, together(world, bookings), all_or_nothing=True)

    assert [isinstance(r, Outcome) and r.changed for r in results] == [False, True]


async def test_the_reason_and_the_origin_are_recorded(
    world: World, two: tuple[list[UUID], list[UUID]]
) -> None:
    """The message is the reason of each change."""
    commands = together(world, two[0], message="Storm", origin=Origin(source="desk"))

    await world.storage.write(cancel, commands)

    changes = (await world.changes())[-2:]
    assert [(c.reason, c.origin["source"]) for c in changes] == [("Storm", "desk")] * 2
    assert changes[0].after["cancellation"]["message"] == "Storm"


async def test_the_number_of_statements_does_not_grow(world: World, centre: UUID) -> None:
    """Fifty bookings with candidates and event take as many statements as two."""
    hall = await world.room(centre, "Hall", capacity=100)
    event = await world.event(centre=centre, room=hall)
    candidates = await world.candidates(52)
    keys = [await world.booked(candidate, event) for candidate in candidates]
    statements = Statements()

    some = together(world, keys[:2], candidates[:2], event=event)
    many = together(world, keys[2:], candidates[2:], event=event)

    assert await statements.needed(world, cancel, some) == await statements.needed(
        world, cancel, many
    )
