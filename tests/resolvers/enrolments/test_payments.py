"""Recording payments; domain.md, sections 8.2 and 8.6."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.changes import Origin
from resolvers.enrolments.commands import RecordPayment
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import cancel
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.viewer import Scope
from resolvers.vocabulary import (
    BookingAction,
    BookingStatus,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
    Role,
)
from tests.conftest import SettableClock
from tests.resolvers.asking import (
    Statements,
    cancelling,
    in_role,
    paying,
    places,
    resulting,
    warned,
)
from tests.resolvers.world import World, codes

S = PaymentStatus
UNPAID = PaymentTerms(amount=Decimal("40.00"), currency="GBP")
STEPS = {
    (S.PENDING, S.PAID),
    (S.PENDING, S.FAILED),
    (S.PENDING, S.WAIVED),
    (S.FAILED, S.PENDING),
    (S.PAID, S.REFUNDED),
}
WAYS: dict[PaymentStatus, list[PaymentStatus]] = {
    S.PENDING: [],
    S.PAID: [S.PAID],
    S.FAILED: [S.FAILED],
    S.REFUNDED: [S.PAID, S.REFUNDED],
    S.WAIVED: [S.WAIVED],
}
"""The steps by which a new payment reaches each status."""


@pytest.fixture
async def event(world: World, centre: UUID, room: UUID) -> UUID:
    """An event in a week, so that a payment is due before its start."""
    return await world.event(
        centre=centre, room=room, start_at=world.tomorrow(10) + timedelta(days=7)
    )


@pytest.fixture
async def unpaid(world: World, event: UUID, candidate: UUID) -> UUID:
    return await world.booked(candidate, event, payment=UNPAID)


@pytest.mark.parametrize("status", [S.PAID, S.WAIVED])
async def test_what_is_settled_is_booked(
    world: World, clock: SettableClock, unpaid: UUID, status: PaymentStatus
) -> None:
    """A paid or waived enrolment is BOOKED and does not lapse."""
    command = await paying(world, unpaid, status, method=PaymentMethod.CARD, provider="stripe")

    outcome = await world.one(record_payments, command)

    row, payment = await world.row(unpaid), await world.payment(unpaid)
    assert isinstance(outcome, Outcome)
    assert (outcome.subject, outcome.facts["booking"]) == (payment.id, unpaid.hex)
    assert (row.status, row.lapses_at, row.version) == (BookingStatus.CONFIRMED, None, 2)
    assert (payment.status, payment.method, payment.provider) == (
        status,
        PaymentMethod.CARD,
        "stripe",
    )
    clock.now += timedelta(days=2)
    assert codes(await world.one(assign_results, resulting(world, unpaid))) == []


@pytest.mark.both_databases
async def test_what_fails_keeps_the_seat_until_it_is_due(world: World, unpaid: UUID) -> None:
    """After a failed payment, the booking keeps its seat until the due date and can be paid
    again.
    """
    await world.made(record_payments, await paying(world, unpaid, S.FAILED))
    failed = await world.row(unpaid)
    await world.made(record_payments, await paying(world, unpaid, S.PENDING))
    await world.made(record_payments, await paying(world, unpaid, S.PAID))

    assert (failed.status, failed.lapses_at is None) == (BookingStatus.PENDING, False)
    assert (await world.row(unpaid)).status is BookingStatus.CONFIRMED
    assert await world.booking_changes() == ["CREATED", *["PAYMENT_CHANGED"] * 3]


@pytest.mark.parametrize("before", WAYS)
@pytest.mark.parametrize("after", S)
async def test_payments_take_only_these_steps(
    world: World, unpaid: UUID, before: PaymentStatus, after: PaymentStatus
) -> None:
    """The same status again changes nothing; a transition that is not listed is ILLEGAL_STATE."""
    for status in WAYS[before]:
        await world.made(record_payments, await paying(world, unpaid, status))
    version = (await world.row(unpaid)).version

    result = await world.one(record_payments, await paying(world, unpaid, after))

    changed = isinstance(result, Outcome) and result.changed
    assert changed == ((before, after) in STEPS)
    assert (await world.row(unpaid)).version == version + changed
    allowed = before is after or (before, after) in STEPS
    assert places(result) == ([] if allowed else [("ILLEGAL_STATE", "status")])


async def test_a_refusal_says_what_may_be_done_instead(world: World, unpaid: UUID) -> None:
    """ILLEGAL_STATE has the booking's version, status and allowed actions."""
    result = await world.one(record_payments, await paying(world, unpaid, S.REFUNDED))

    assert isinstance(result, Refused)
    refusal = result.refusals[0]
    assert (refusal.version, refusal.status) == (1, BookingStatus.PENDING)  # type: ignore[attr-defined]
    assert BookingAction.CANCEL in refusal.allowed  # type: ignore[attr-defined]


async def test_what_costs_nothing_is_never_paid(world: World, event: UUID, candidate: UUID) -> None:
    """A payment that is not required does not change."""
    free = await world.booked(candidate, event)

    for status in S:
        result = await world.one(record_payments, await paying(world, free, status))
        assert codes(result) == ([] if status is S.NOT_REQUIRED else ["ILLEGAL_STATE"])
    assert (await world.row(free)).version == 1


@pytest.mark.both_databases
async def test_a_webhook_may_come_twice(world: World, unpaid: UUID) -> None:
    """Repeating the provider, reference and status, alone or in one batch, records nothing."""
    command = await paying(world, unpaid, provider="stripe", provider_reference="pi_1")

    first, second = await world.storage.write(record_payments, [command, command])
    third = await world.one(record_payments, command)

    assert [isinstance(o, Outcome) and o.changed for o in (first, second, third)] == [
        True,
        False,
        False,
    ]
    assert isinstance(third, Outcome)
    assert third.facts["booking"] == unpaid.hex
    assert await world.booking_changes() == ["CREATED", "PAYMENT_CHANGED"]


async def test_a_second_payment_is_recorded_to_be_refunded(
    world: World, clock: SettableClock, unpaid: UUID
) -> None:
    """PAID with another reference adds a warning and one duplicate, even if repeated."""
    await world.made(
        record_payments, await paying(world, unpaid, provider="stripe", provider_reference="pi_1")
    )
    second = await paying(
        world, unpaid, provider="stripe", provider_reference="pi_2", method=PaymentMethod.CARD
    )

    first, again = await world.storage.write(record_payments, [second, second])
    later = await world.one(record_payments, second)

    assert [(o.changed, warned(o)) for o in (first, again, later)] == [
        (True, ["PAID_TWICE"]),
        (False, ["PAID_TWICE"]),
        (False, ["PAID_TWICE"]),
    ]
    payment = await world.payment(unpaid)
    assert (payment.status, payment.provider_reference) == (S.PAID, "pi_1")
    duplicate = {
        "provider": "stripe",
        "providerReference": "pi_2",
        "method": "CARD",
        "recordedAt": "2027-01-11T12:00:00Z",
        "refundReference": None,
        "refundedAt": None,
    }
    assert payment.duplicates == [duplicate]
    assert await world.booking_changes() == ["CREATED", "PAYMENT_CHANGED", "PAYMENT_CHANGED"]
    change = (await world.changes())[-1]
    assert change.changed_fields == ["payment"]
    assert change.before["payment"]["duplicates"] == []
    assert change.after["payment"]["duplicates"] == [duplicate]


@pytest.mark.parametrize(
    ("first", "second", "is_another"),
    [
        ({}, {"provider": "stripe", "provider_reference": "pi_1"}, False),
        ({"provider_reference": "1"}, {}, False),
        ({"provider_reference": "1"}, {"provider": "wpm", "provider_reference": "1"}, False),
        (
            {"provider": "stripe", "provider_reference": "1"},
            {"provider": "wpm", "provider_reference": "1"},
            True,
        ),
        ({"provider_reference": "1"}, {"provider_reference": "2"}, True),
    ],
)
async def test_references_tell_payments_apart(
    world: World,
    unpaid: UUID,
    first: dict[str, str],
    second: dict[str, str],
    is_another: bool,
) -> None:
    """Without a reference or provider, a payment can be the same one."""
    await world.made(record_payments, await paying(world, unpaid, **first))

    result = await world.one(record_payments, await paying(world, unpaid, **second))

    assert isinstance(result, Outcome)
    assert result.changed == is_another
    assert warned(result) == ["PAID_TWICE"] * is_another


async def test_a_duplicate_is_refunded_and_the_payment_is_not(world: World, unpaid: UUID) -> None:
    """REFUNDED with the duplicate's reference refunds the duplicate and ends its warning."""
    second = await paying(world, unpaid, provider_reference="pi_2")
    refund = await paying(
        world, unpaid, S.REFUNDED, provider_reference="re_2", duplicate_reference="pi_2"
    )
    await world.made(record_payments, await paying(world, unpaid, provider_reference="pi_1"))
    await world.made(record_payments, second)

    results = [await world.one(record_payments, refund) for _ in range(2)]
    told_again = await world.one(record_payments, second)

    assert [(result.changed, warned(result)) for result in results] == [(True, []), (False, [])]
    assert (told_again.changed, warned(told_again)) == (False, [])
    payment, booking = await world.payment(unpaid), await world.row(unpaid)
    assert (payment.status, payment.refund_reference) == (S.PAID, None)
    [duplicate] = payment.duplicates
    assert duplicate["refundReference"] == "re_2"
    assert duplicate["refundedAt"] == "2027-01-11T12:00:00Z"
    assert booking.status is BookingStatus.CONFIRMED


@pytest.mark.parametrize(
    ("status", "reference", "code"),
    [
        (S.REFUNDED, "pi_9", "INVALID_VALUE"),
        (S.PAID, "pi_1", "INVALID_VALUE"),
        (S.REFUNDED, "", "STRING_LENGTH"),
    ],
)
async def test_only_a_duplicate_is_refunded_by_its_reference(
    world: World, unpaid: UUID, status: PaymentStatus, reference: str, code: str
) -> None:
    await world.made(record_payments, await paying(world, unpaid, provider_reference="pi_1"))

    command = await paying(world, unpaid, status, duplicate_reference=reference)

    assert places(await world.one(record_payments, command)) == [(code, "duplicate_reference")]


async def test_a_refund_has_a_reference_of_its_own(world: World, unpaid: UUID) -> None:
    """The provider's reference of a refund does not replace the payment's."""
    values = {"provider": "stripe", "provider_reference": "pi_1"}
    await world.made(record_payments, await paying(world, unpaid, **values))
    await world.made(cancel, cancelling(world, unpaid))

    refund = await paying(world, unpaid, S.REFUNDED, provider_reference="re_1")
    result = await world.one(record_payments, refund)

    payment = await world.payment(unpaid)
    assert warned(result) == []
    assert (payment.provider_reference, payment.refund_reference) == ("pi_1", "re_1")
    assert (await world.row(unpaid)).status is BookingStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "warnings"),
    [(S.PAID, ["BOOKING_ENDED"]), (S.WAIVED, []), (S.FAILED, [])],
)
async def test_what_has_lapsed_does_not_revive(
    world: World,
    clock: SettableClock,
    unpaid: UUID,
    status: PaymentStatus,
    warnings: list[str],
) -> None:
    """An overdue booking expires before its payment is recorded; PAID adds a warning."""
    clock.now += timedelta(hours=24, microseconds=1)

    result = await world.one(record_payments, await paying(world, unpaid, status))

    row = await world.row(unpaid)
    assert (row.status, row.version) == (BookingStatus.EXPIRED, 3)
    assert (await world.payment(unpaid)).status is status
    assert warned(result) == warnings
    assert await world.booking_changes() == ["CREATED", "EXPIRED", "PAYMENT_CHANGED"]


async def test_at_the_deadline_it_is_in_time(
    world: World, clock: SettableClock, unpaid: UUID
) -> None:
    """The due instant is inclusive."""
    clock.now += timedelta(hours=24)

    result = await world.one(record_payments, await paying(world, unpaid))

    assert warned(result) == []
    assert (await world.row(unpaid)).status is BookingStatus.CONFIRMED


async def test_what_was_cancelled_does_not_revive(world: World, unpaid: UUID) -> None:
    """A payment after the cancellation is recorded with a warning."""
    await world.made(cancel, cancelling(world, unpaid))

    result = await world.one(record_payments, await paying(world, unpaid))

    assert isinstance(result, Outcome)
    assert [(w.code, w.path) for w in result.warnings] == [("BOOKING_ENDED", ("status",))]
    assert (await world.row(unpaid)).status is BookingStatus.CANCELLED


async def test_what_somebody_else_pays_stays_booked(
    world: World, event: UUID, candidate: UUID
) -> None:
    """A payment by somebody else changes only the payment."""
    terms = PaymentTerms(
        amount=Decimal("40"), currency="GBP", responsibility=PaymentResponsibility.CENTRE
    )
    booked = await world.booked(candidate, event, payment=terms)

    result = await world.one(record_payments, await paying(world, booked, S.FAILED))

    assert warned(result) == []
    assert (await world.row(booked)).status is BookingStatus.CONFIRMED
    assert (await world.changes())[-1].changed_fields == ["payment"]


async def test_reference_and_fields_are_checked_together(world: World, unpaid: UUID) -> None:
    """All errors are returned at once, a missing permission alone."""
    hidden = in_role(world, Role.SCHEDULER, Scope(centres=frozenset({uuid4()})))
    wrong = RecordPayment(
        viewer=world.viewer,
        reference=uuid4(),
        status=S.PAID,
        provider="p" * 51,
        provider_reference="",
    )

    assert places(await world.one(record_payments, wrong)) == [
        ("STRING_LENGTH", "provider"),
        ("STRING_LENGTH", "provider_reference"),
        ("NOT_FOUND", "reference"),
    ]
    forbidden = replace(wrong, viewer=in_role(world, Role.CENTRE_STAFF))
    assert places(await world.one(record_payments, forbidden)) == [("FORBIDDEN", "")]
    out_of_sight = await world.one(record_payments, await paying(world, unpaid, viewer=hidden))
    assert places(out_of_sight) == [("NOT_FOUND", "reference")]


async def test_a_change_shows_the_payment_before_and_after(world: World, unpaid: UUID) -> None:
    """The change has its origin, the payment before and after, and the resulting status."""
    command = await paying(world, unpaid, provider="wpm", origin=Origin(source="webhook"))
    await world.made(record_payments, command)

    change = (await world.changes())[-1]

    assert change.changed_fields == ["enrolmentStatus", "payment", "status"]
    assert change.before["enrolmentStatus"] == "PENDING_PAYMENT"
    assert change.after["enrolmentStatus"] == "BOOKED"
    assert (change.before["payment"]["status"], change.after["payment"]["status"]) == (
        "PENDING",
        "PAID",
    )
    assert change.after["payment"]["cost"]["currency"] == "GBP"
    assert (change.was_status, change.status) == (BookingStatus.PENDING, BookingStatus.CONFIRMED)
    assert change.origin["source"] == "webhook"


async def test_the_number_of_statements_does_not_grow(
    world: World, centre: UUID, event: UUID
) -> None:
    """Fifty payments take as many statements as two."""
    hall = await world.room(centre, "Hall", capacity=200)
    candidates = await world.candidates(52)
    keys = [await world.booked(c, event, room=hall, payment=UNPAID) for c in candidates]
    commands = [await paying(world, key) for key in keys]
    statements = Statements()

    two = await statements.needed(world, record_payments, commands[:2])
    fifty = await statements.needed(world, record_payments, commands[2:])

    assert two == fifty
