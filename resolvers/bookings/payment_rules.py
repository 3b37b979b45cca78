"""What a booking costs and what may become of its payment; domain.md, section 8.6. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from resolvers import checks
from resolvers.refusals import Complaints, OutOfRange
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Organization, Payment
from resolvers.vocabulary import PaymentMethod, PaymentResponsibility, PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """What a booking costs, who pays, and until when."""

    method: PaymentMethod | None = None
    responsibility: PaymentResponsibility | None = None
    amount: Decimal | None = None
    currency: str | None = None
    due_by: datetime | None = None
    purchase_order: str | None = None
    reference: UUID | None = None  # made here unless an import brings one
    url: str | None = None


NO_TERMS = PaymentTerms()
"""Nothing is said about a payment: the booking costs nothing."""

STEPS = frozenset(
    {
        (PaymentStatus.PENDING, PaymentStatus.PAID),
        (PaymentStatus.PENDING, PaymentStatus.FAILED),
        (PaymentStatus.PENDING, PaymentStatus.WAIVED),
        (PaymentStatus.FAILED, PaymentStatus.PENDING),
        (PaymentStatus.PAID, PaymentStatus.REFUNDED),
    }
)
"""The steps that a payment can take."""

SETTLED = frozenset({PaymentStatus.PAID, PaymentStatus.WAIVED})


def check_terms(terms: PaymentTerms, now: datetime, complaints: Complaints, *, past: bool) -> None:
    """Collect what is wrong with the terms of a payment."""
    path = ("input", "payment")
    if terms.amount is not None and terms.amount < 0:
        complaints.add(OutOfRange(*path, "cost", "amount", rule="must not be negative"))
    if terms.due_by is not None and terms.due_by < now and not past:
        complaints.add(OutOfRange(*path, "dueBy", rule="must not be in the past"))
    complaints.of(
        checks.text, terms.purchase_order, *path, "purchaseOrder", least=1, most=checks.CODE
    )


def payment_for(
    booking_id: UUID,
    terms: PaymentTerms,
    settings: Organization,
    *,
    start_at: datetime | None,
    now: datetime,
) -> Payment:
    """The payment of a new booking.

    Left out, the candidate pays what costs something and has until `paymentDueHours` from now, at
    most until the start.
    """
    costs = terms.amount is not None and terms.amount > 0
    responsibility = terms.responsibility or (
        PaymentResponsibility.CANDIDATE if costs else PaymentResponsibility.ORGANIZATION
    )
    due_by = terms.due_by
    if costs and due_by is None and responsibility is PaymentResponsibility.CANDIDATE:
        due_by = now + timedelta(hours=settings.payment_due_hours)
        due_by = due_by if start_at is None else min(due_by, start_at)
    return new_row(
        Payment,
        organization_id=settings.id,
        id=new_key(),
        booking_id=booking_id,
        reference=terms.reference
        or uuid4(),  # random: it is part of an address that the payer gets
        method=terms.method,
        responsibility=responsibility,
        status=PaymentStatus.PENDING if costs else PaymentStatus.NOT_REQUIRED,
        cost_amount=terms.amount,
        cost_currency=None if terms.amount is None else terms.currency or settings.currency,
        due_by=due_by,
        url=terms.url,
        purchase_order=terms.purchase_order,
    )


def must_be_paid_first(payment: Payment) -> bool:
    """Whether the seat lapses unless the candidate pays."""
    return (
        payment.status is PaymentStatus.PENDING
        and payment.responsibility is PaymentResponsibility.CANDIDATE
    )


def is_pending(payment: Payment) -> bool:
    """Whether there is something to pay that is not paid yet."""
    return payment.status in {PaymentStatus.PENDING, PaymentStatus.FAILED}
