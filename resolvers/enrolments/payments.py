"""Records payments, for example from a provider's webhook."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.bookings import duplicate_payments as duplicates
from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, allowed, illegal_state, may_touch
from resolvers.bookings.expiry import lock_current
from resolvers.bookings.payment_rules import SETTLED, STEPS
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.enrolments.commands import RecordPayment
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.transitions import TRANSITIONS
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.refusals import (
    IllegalState,
    Invalid,
    NotFoundRefusal,
    Refused,
    ValidationErrors,
    attempt,
)
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Payment
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, ChangeType, PaymentStatus, Permission, WarningCode

PROVIDER_REFERENCE = 200


@requires(Permission.RECORD_PAYMENT)
def record_payments(work: UnitOfWork, commands: Sequence[RecordPayment]) -> list[Outcome | Refused]:
    """Record the status of each payment. A payment that already has the status does not change.

    When its payment is paid or waived, a waiting booking becomes BOOKED. A booking that has ended
    does not change. A second PAID with another reference is recorded once as a duplicate to
    refund. Refusals: PermissionRefusal, NotFoundRefusal, WrongLength, Invalid; IllegalState.
    """
    named = [(c.viewer.organization_id, c.reference) for c in commands]
    payments = {
        (row.organization_id, row.reference): row
        for row in loading.of_keys(work, Payment, "reference", named)
    }
    keys = [(row.organization_id, row.booking_id) for row in payments.values()]
    bookings = lock_current(work, keys)
    # read again, because another process may have recorded one before the lock
    for row in loading.of_keys(work, Payment, "reference", named):
        payments[row.organization_id, row.reference] = row
    settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def record(command: RecordPayment) -> Outcome:
        payment = _find(command, payments, bookings)
        booking = bookings[payment.booking_id]
        situation = ActionContext(booking, settings[booking.organization_id], work.now)
        paid, warnings = _next(work, payment, command, situation)
        if paid == payment:
            facts = {"booking": booking.id.hex}
            return Outcome(payment.id, changed=False, warnings=warnings, facts=facts)
        after = _after(work, booking, paid.status)
        payments[payment.organization_id, payment.reference] = paid
        bookings[booking.id] = after
        work.save(Payment, [(payment, paid)])
        work.save(Booking, [(booking, after)])
        record_booking(
            work,
            ChangeType.PAYMENT_CHANGED,
            Cause(command.viewer, command.origin),
            before=booking,
            after=after,
            facts_before=enrolment_facts(booking, None, payment),
            facts_after=enrolment_facts(after, None, paid),
        )
        return Outcome(payment.id, warnings=warnings, facts={"booking": booking.id.hex})

    return [attempt(record, command) for command in commands]


def _find(
    command: RecordPayment,
    payments: dict[Any, Payment],
    bookings: dict[UUID, Booking],
) -> Payment:
    stage = ValidationErrors()
    stage.of(checks.code, command.provider, "provider")
    reference = ("provider_reference",)
    stage.of(checks.code, command.provider_reference, *reference, most=PROVIDER_REFERENCE)
    path = ("duplicate_reference",)
    stage.of(checks.code, command.duplicate_reference, *path, most=PROVIDER_REFERENCE)
    payment = payments.get((command.viewer.organization_id, command.reference))
    if payment is None or not may_touch(command.viewer, bookings[payment.booking_id]):
        stage.add(
            NotFoundRefusal(
                "reference",
                object_type="Payment",
                identifier=str(command.reference),
            )
        )
    stage.settle()
    assert payment is not None
    return payment


def _next(
    work: UnitOfWork, payment: Payment, command: RecordPayment, situation: ActionContext
) -> tuple[Payment, tuple[Warning, ...]]:
    """The payment after a command, and its warnings. Raises: Invalid, IllegalState."""
    provider, reference = command.provider, command.provider_reference
    if command.duplicate_reference is not None:
        return _with_refund(work, payment, command), ()
    if payment.status is command.status:
        if reference is None or not duplicates.is_another(payment, provider, reference):
            return payment, ()
        known = duplicates.find(payment, provider, reference)
        if known is not None:
            return payment, () if known["refundedAt"] else (duplicates.paid_twice(),)
        method, now = command.method, work.now
        paid = duplicates.with_duplicate(payment, provider, reference, method, now=now)
        return paid, (duplicates.paid_twice(),)
    if (payment.status, command.status) not in STEPS:
        raise _no_such_step(command, situation)
    ended = situation.booking.status not in SEATED
    return _recorded(payment, command), _too_late(command.status) if ended else ()


def _with_refund(work: UnitOfWork, payment: Payment, command: RecordPayment) -> Payment:
    """Raises: Invalid."""
    path, named = ("duplicate_reference",), command.duplicate_reference
    assert named is not None
    if command.status is not PaymentStatus.REFUNDED:
        raise Invalid(*path, rule="is only for the status REFUNDED")
    found = duplicates.find(payment, command.provider, named)
    if found is None:
        raise Invalid(*path, rule="is not the reference of a duplicate of this payment")
    if found["refundedAt"] is not None:
        return payment
    return duplicates.with_refund(payment, found, command.provider_reference, now=work.now)


def _no_such_step(command: RecordPayment, situation: ActionContext) -> IllegalState:
    refusal = illegal_state(situation)
    refusal.path = ("status",)
    refusal.allowed = allowed(TRANSITIONS, situation, command.viewer)
    return refusal


def _recorded(payment: Payment, command: RecordPayment) -> Payment:
    values: dict[str, Any] = {"status": command.status}
    if command.method is not None:
        values["method"] = command.method
    if command.provider is not None:
        values["provider"] = command.provider
    if command.provider_reference is not None:
        refund = command.status is PaymentStatus.REFUNDED
        values["refund_reference" if refund else "provider_reference"] = command.provider_reference
    return changed(payment, **values)


def _after(work: UnitOfWork, booking: Booking, status: PaymentStatus) -> Booking:
    settled = status in SETTLED and booking.status is BookingStatus.PENDING
    after = next_version(booking, work.now)
    return changed(after, status=BookingStatus.CONFIRMED, lapses_at=None) if settled else after


def _too_late(status: PaymentStatus) -> tuple[Warning, ...]:
    if status is not PaymentStatus.PAID:
        return ()
    return (
        Warning(
            WarningCode.BOOKING_ENDED,
            "The booking ended before it was paid and does not change. A refund may be due.",
            ("status",),
        ),
    )
