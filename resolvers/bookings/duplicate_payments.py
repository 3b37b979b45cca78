"""Payments in addition to the one that settled a booking; each must be refunded. Pure.

They are stored with the payment, as JSON with the contract's names.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from resolvers.bookings.facts import instant
from resolvers.outcomes import Warning
from resolvers.storage.rows import changed
from resolvers.storage.tables import Payment
from resolvers.vocabulary import PaymentMethod, PaymentStatus, WarningCode

Duplicate = Mapping[str, Any]


def is_another(payment: Payment, provider: str | None, reference: str | None) -> bool:
    """Whether a completed payment differs from the one that settled the booking.

    They can be distinguished only if both have a reference.
    """
    if payment.status is not PaymentStatus.PAID:
        return False
    if reference is None or payment.provider_reference is None:
        return False
    return not _same(payment.provider, payment.provider_reference, provider, reference)


def find(payment: Payment, provider: str | None, reference: str) -> Duplicate | None:
    """Return the duplicate with a provider's reference, if it is recorded."""
    return next(
        (
            one
            for one in payment.duplicates or ()
            if _same(one["provider"], one["providerReference"], provider, reference)
        ),
        None,
    )


def with_duplicate(
    payment: Payment,
    provider: str | None,
    reference: str,
    method: PaymentMethod | None,
    *,
    now: datetime,
) -> Payment:
    """Return the payment with one more duplicate."""
    one = {
        "provider": provider,
        "providerReference": reference,
        "method": method,
        "recordedAt": instant(now),
        "refundReference": None,
        "refundedAt": None,
    }
    return changed(payment, duplicates=[*(payment.duplicates or ()), one])


def with_refund(
    payment: Payment, refunded: Duplicate, reference: str | None, *, now: datetime
) -> Payment:
    """Return the payment with one of its duplicates refunded."""
    refund = {"refundReference": reference, "refundedAt": instant(now)}
    duplicates = [{**one, **refund} if one is refunded else one for one in payment.duplicates]
    return changed(payment, duplicates=duplicates)


def paid_twice() -> Warning:
    message = "The booking had been paid with another reference already: refund this payment."
    return Warning(WarningCode.PAID_TWICE, message, ("provider_reference",))


def _same(
    provider: str | None, reference: str, other_provider: str | None, other_reference: str
) -> bool:
    """Whether two references are of one payment; a missing provider matches any."""
    if reference != other_reference:
        return False
    return provider is None or other_provider is None or provider == other_provider
