"""A booking's values in the log: JSON by the GraphQL names of its fields."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.identity import global_id
from resolvers.storage.tables import Accommodation, Booking, Payment


def instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def wall_time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def reference(type_name: str, key: UUID | None) -> str | None:
    return None if key is None else global_id(type_name, key)


def booking_facts(booking: Booking) -> dict[str, Any]:
    """Return the values of the fields that every kind has."""
    return {
        "status": booking.status,
        "candidate": reference("Candidate", booking.candidate_id),
        "centre": reference("Centre", booking.centre_id),
        "room": reference("Room", booking.room_id),
        "event": reference("Event", booking.event_id),
        "times": {
            "timeZone": booking.time_zone,
            "localStart": wall_time(booking.local_start),
            "localEnd": wall_time(booking.local_end),
            "start": instant(booking.start_at),
            "end": instant(booking.end_at),
            "durationMinutes": booking.duration_minutes,
            "extraTimeMinutes": booking.extra_time_minutes,
            "extraBreakMinutes": booking.extra_break_minutes,
        },
        "cancellation": _cancellation(booking),
    }


def _cancellation(booking: Booking) -> dict[str, Any] | None:
    if booking.cancel_reason is None:
        return None
    return {
        "reason": booking.cancel_reason,
        "message": booking.cancel_message,
        "cancelledAt": instant(booking.cancelled_at),
        "onBehalf": booking.cancelled_on_behalf,
    }


def payment_facts(payment: Payment) -> dict[str, Any]:
    """Return the values of the payment."""
    cost = None
    if payment.cost_amount is not None:
        cost = {"amount": str(payment.cost_amount), "currency": payment.cost_currency}
    return {
        "payment": {
            "reference": str(payment.reference),
            "method": payment.method,
            "responsibility": payment.responsibility,
            "status": payment.status,
            "cost": cost,
            "dueBy": instant(payment.due_by),
            "provider": payment.provider,
            "providerReference": payment.provider_reference,
            "refundReference": payment.refund_reference,
            "purchaseOrder": payment.purchase_order,
            "duplicates": list(payment.duplicates or ()),
        }
    }


def accommodation_facts(accommodations: Iterable[Accommodation]) -> dict[str, Any]:
    """Return the values of the accommodations, by type."""
    return {
        "accommodations": [
            {
                "type": a.type,
                "name": a.name,
                "scope": a.scope,
                "timeExtensionMinutes": a.time_extension_minutes,
                "extraTimePercentage": a.extra_time_percentage,
                "effectiveMinutes": a.effective_minutes,
                "extraBreaksPerSection": a.extra_breaks_per_section,
                "reason": a.reason,
            }
            for a in sorted(accommodations, key=lambda a: a.type)
        ]
    }
