"""The payment model of an enrolment: what is read of it, and what it is here; section 6.2."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.sources.members import Members
from resolvers.sources.surpass_scheduler.words import METHODS, PAYMENT_STATUSES, RESPONSIBILITIES
from resolvers.times import instant_of
from resolvers.values import frozen
from resolvers.vocabulary import PaymentMethod, PaymentResponsibility, PaymentStatus

PROVIDER_REFERENCE = 200
STRIPE = "stripe"
SECRETS = ("stripePaymentMethodId", "stripeToken", "stripeClientSecret")
"""A provider's secrets, which are never kept."""

REFUNDED = "succeeded"
"""Stripe's word for a refund that was made."""


@frozen(kw_only=True)
class PaymentModel:
    """A payment as the source has it. `due_by` is a wall time."""

    method: PaymentMethod | None = None
    responsibility: PaymentResponsibility | None = None
    status: PaymentStatus | None = None
    due_by: datetime | None = None
    url: str | None = None
    reference: UUID | None = None
    cost: Decimal | None = None
    provider: str | None = None
    provider_reference: str | None = None
    refund_reference: str | None = None

    def terms(self, time_zone: str, *path: str) -> PaymentTerms:
        """Raises: NonexistentTime."""
        due_by = self.due_by
        return PaymentTerms(
            method=self.method,
            responsibility=self.responsibility,
            amount=self.cost,
            due_by=None if due_by is None else instant_of(due_by, time_zone, *path),
            reference=self.reference,
            url=self.url,
        )

    def columns(self) -> dict[str, Any]:
        """What became of the payment."""
        values = {
            "status": self.status,
            "provider": self.provider,
            "provider_reference": self.provider_reference,
            "refund_reference": self.refund_reference,
        }
        return {name: value for name, value in values.items() if value is not None}


def read_payment(members: Members | None) -> PaymentModel:
    """The model that the members say; an empty one where there are none."""
    if members is None:
        return PaymentModel()
    cost, pending = members.amount("cost"), members.flag("isPaymentPending")
    refund, refunded = read_refund(members)
    status = members.word("paymentStatus", PAYMENT_STATUSES)
    provider, provider_reference = _provider(members)
    url, link = members.url("paymentUrl"), members.url("paymentLink")
    model = PaymentModel(
        method=members.word("paymentMethod", METHODS),
        responsibility=members.word("paymentResponsibility", RESPONSIBILITIES),
        status=status or _status(cost, pending=pending, refunded=refunded),
        due_by=members.wall_time("paymentDueBy"),
        url=url or link,
        reference=members.uuid("paymentReference"),
        cost=cost,
        provider=provider,
        provider_reference=provider_reference,
        refund_reference=refund,
    )
    members.ignore(*SECRETS)
    members.close()
    return model


def read_refund(members: Members) -> tuple[str | None, bool]:
    """The provider's reference of a refund, and whether it was made."""
    refund = members.text("stripeRefundId", most=PROVIDER_REFERENCE)
    status = members.text("stripeRefundStatus", most=PROVIDER_REFERENCE)
    return refund, refund is not None and status in {None, REFUNDED}


def _provider(members: Members) -> tuple[str | None, str | None]:
    stripe = members.text("stripeReference", most=PROVIDER_REFERENCE)
    wpm = members.text("wpmPaymentRequest", most=PROVIDER_REFERENCE)
    if stripe is not None:
        return STRIPE, stripe
    return (None, None) if wpm is None else ("wpm", wpm)


def _status(cost: Decimal | None, *, pending: bool | None, refunded: bool) -> PaymentStatus | None:
    """What follows where the source does not say: something that costs is pending, or paid."""
    if refunded:
        return PaymentStatus.REFUNDED
    if not cost or pending is None:
        return None
    return PaymentStatus.PENDING if pending else PaymentStatus.PAID
