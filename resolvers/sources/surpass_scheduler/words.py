"""What the words and numbers of the source mean here."""

from collections.abc import Mapping
from typing import Final

from resolvers.references import ByExternalId
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    EnrolmentResult,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
    SourceSystem,
)

STUDENT, EVENT, ROOM, DEPARTMENT, MODULE, ENROLMENT, ON_DEMAND_BOOKING = (
    "student",
    "event",
    "room",
    "department",
    "module",
    "enrolment",
    "onDemandBooking",
)
"""The kinds of external ids; domain.md, section 6.4."""

STATUSES: Final[Mapping[str, BookingStatus]] = {
    "Booked": BookingStatus.CONFIRMED,
    "Completed": BookingStatus.COMPLETED,
    "Cancelled": BookingStatus.CANCELLED,
}

RESULTS: Final[Mapping[int, EnrolmentResult]] = {1: EnrolmentResult.PASS, 2: EnrolmentResult.FAIL}

REASONS: Final[Mapping[str, CancellationReason]] = {
    "Illness": CancellationReason.ILLNESS,
    "Booked In Error": CancellationReason.BOOKED_IN_ERROR,
    "Withdrawn": CancellationReason.WITHDRAWN,
    "Absent": CancellationReason.ABSENT,
    "Partially Completed": CancellationReason.PARTIALLY_COMPLETED,
    "Other": CancellationReason.OTHER,
}
"""The default reasons; a site may have others, which are OTHER with that text (S-03)."""

CANCELLED_THERE: Final = "Cancelled in Surpass Scheduler"
"""The message of a cancellation of which the source says nothing else."""

CANCELLED: Final[Mapping[str, bool]] = {"Cancelled": True}
RESOURCES: Final[Mapping[str, bool]] = {"Event": True, "Test": True}
"""One concept under two words (C-02)."""

# The source names the members of a payment model and not their words (section 1.2): these are ours.
METHODS: Final[Mapping[str, PaymentMethod]] = {
    "Card": PaymentMethod.CARD,
    "Invoice": PaymentMethod.INVOICE,
    "Voucher": PaymentMethod.VOUCHER,
    "Purchase Order": PaymentMethod.PURCHASE_ORDER,
    "Cash": PaymentMethod.CASH,
    "Free": PaymentMethod.FREE,
}
RESPONSIBILITIES: Final[Mapping[str, PaymentResponsibility]] = {
    "Candidate": PaymentResponsibility.CANDIDATE,
    "Centre": PaymentResponsibility.CENTRE,
    "Organisation": PaymentResponsibility.ORGANIZATION,
    "Agent": PaymentResponsibility.AGENT,
}
PAYMENT_STATUSES: Final[Mapping[str, PaymentStatus]] = {
    "Not Required": PaymentStatus.NOT_REQUIRED,
    "Pending": PaymentStatus.PENDING,
    "Paid": PaymentStatus.PAID,
    "Failed": PaymentStatus.FAILED,
    "Refunded": PaymentStatus.REFUNDED,
    "Waived": PaymentStatus.WAIVED,
}


def known_as(kind: str, number: int) -> ByExternalId:
    """The source's number as an external id."""
    return ByExternalId(SourceSystem.SURPASS_SCHEDULER, kind, str(number))
