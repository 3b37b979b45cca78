"""The price of a booking and the transitions of its payment; domain.md, section 8.6. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from uuid_utils.compat import uuid4

from resolvers import checks
from resolvers.money import check_amount, check_currency, exact
from resolvers.refusals import OutOfRange, ValidationErrors
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Booking, Organization, Payment
from resolvers.values import frozen
from resolvers.vocabulary import (
    BookingStatus,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
)


@frozen(kw_only=True)
class PaymentTerms:
    """The price of a booking, the payer, and the deadline."""

    method: PaymentMethod | None = None
    responsibility: PaymentResponsibility | None = None
    amount: Decimal | None = None
    currency: str | None = None
    due_by: datetime | None = None
    purchase_order: str | None = None
    reference: UUID | None = None  # created here, except in an import
    url: str | None = None


NO_TERMS = PaymentTerms()
"""No terms: the booking is free."""

STEPS = frozenset(
    {
        (PaymentStatus.PENDING, PaymentStatus.PAID),
        (PaymentStatus.PENDING, PaymentStatus.FAILED),
        (PaymentStatus.PENDING, PaymentStatus.WAIVED),
        (PaymentStatus.FAILED, PaymentStatus.PENDING),
        (PaymentStatus.PAID, PaymentStatus.REFUNDED),
    }
)
"""The permitted transitions of a payment's status."""

SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.WAIVED})


def check_terms(
    terms: PaymentTerms, currency: str, now: datetime, validation: ValidationErrors, *, past: bool
) -> None:
    """Check the terms of a payment; `currency` is the default."""
    path = ("payment",)
    if terms.amount is not None:
        currency = terms.currency or currency
        validation.of(check_currency, currency, *path, "currency")
        validation.of(check_amount, terms.amount, currency, *path, "amount")
    if terms.due_by is not None and terms.due_by < now and not past:
        validation.add(OutOfRange(*path, "due_by", rule="must not be in the past"))
    validation.of(checks.code, terms.purchase_order, *path, "purchase_order")


def payment_for(
    booking_id: UUID,
    terms: PaymentTerms,
    settings: Organization,
    *,
    now: datetime,
) -> Payment:
    """Return the payment of a new booking.

    By default, the candidate pays if there is a price, and has until `paymentDueHours` from now.
    `due_by_start` limits the deadline.
    """
    costs = terms.amount is not None and terms.amount > 0
    currency = terms.currency or settings.currency
    responsibility = terms.responsibility or (
        PaymentResponsibility.CANDIDATE if costs else PaymentResponsibility.ORGANIZATION
    )
    due_by = terms.due_by
    if costs and responsibility is PaymentResponsibility.CANDIDATE:
        due_by = due_by or now + timedelta(hours=settings.payment_due_hours)
    return new_row(
        Payment,
        organization_id=settings.id,
        id=new_key(),
        booking_id=booking_id,
        reference=terms.reference
        or uuid4(),  # random, because it is part of a URL that the payer receives
        method=terms.method,
        responsibility=responsibility,
        status=PaymentStatus.PENDING if costs else PaymentStatus.NOT_REQUIRED,
        cost_amount=None if terms.amount is None else exact(terms.amount, currency),
        cost_currency=None if terms.amount is None else currency,
        due_by=due_by,
        url=terms.url,
        purchase_order=terms.purchase_order,
    )


def due_by_start(payment: Payment, start_at: datetime | None) -> Payment:
    """Return the payment with its deadline limited to the start, if the candidate still has to pay
    it.
    """
    if not is_pending(payment) or payment.responsibility is not PaymentResponsibility.CANDIDATE:
        return payment
    return changed(payment, due_by=_earlier(payment.due_by, start_at))


def lapsing_by_start(booking: Booking) -> Booking:
    """Return the booking; if its payment is pending, it expires at its start at the latest."""
    if booking.status is not BookingStatus.PENDING:
        return booking
    return changed(booking, lapses_at=_earlier(booking.lapses_at, booking.start_at))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def must_be_paid_first(payment: Payment) -> bool:
    """Whether the seat is released unless the candidate pays."""
    return (
        payment.status is PaymentStatus.PENDING
        and payment.responsibility is PaymentResponsibility.CANDIDATE
    )


def is_pending(payment: Payment) -> bool:
    """Whether the payment is due and not paid yet."""
    return payment.status in {PaymentStatus.PENDING, PaymentStatus.FAILED}
