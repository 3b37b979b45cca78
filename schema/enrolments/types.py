"""Enrolments: seats at events, and their actions."""

from typing import Any

from resolvers.enrolments.transitions import enrolment_status
from resolvers.vocabulary import DeliveryMode, EnrolmentResult, EnrolmentStatus, EnrolmentType
from schema.bookings.types import Booking, Payment
from schema.events.types import Event
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, derived, relation
from schema.grammar.scalars import LocalDateTime
from schema.tests.types import Module

DETAIL = "enrolment_of_booking"


def _timing(on_demand: bool) -> EnrolmentType:
    return EnrolmentType.ON_DEMAND if on_demand else EnrolmentType.FIXED


@object_type(description="A seat at an event for one candidate (Surpass Scheduler).")
class Enrolment(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    event: Event = relation("event_by_id", key="event_id", description="Event of the enrolment.")
    payment: Payment = relation(
        "payment_of_booking",
        description="Cost of the enrolment and the status of its payment, also if it is free.",
    )
    enrolment_status: EnrolmentStatus = derived(
        "status", by=enrolment_status, description="Detailed status of the enrolment."
    )
    timing: EnrolmentType = column(
        "on_demand",
        convert=_timing,
        through=DETAIL,
        description="Whether the time is that of the event (FIXED) or of the booking (ON_DEMAND).",
    )
    module: Module | None = relation(
        "module_by_id",
        key="module_id",
        through=DETAIL,
        description="The module of the event that was booked. Null if the event has no modules.",
    )
    delivery_mode: DeliveryMode = column(
        "delivery",
        through=DETAIL,
        description="Whether the candidate takes the test at a centre or online.",
    )
    booked_date: LocalDateTime = column(
        "local_start",
        description="Start in the centre's local time. The same as `times.localStart`.",
    )
    attempt_number: int = column(
        through=DETAIL,
        description="Number of this attempt at the test: 1 for the first, 2 for the first resit.",
    )
    previous_attempt: "Enrolment | None" = relation(
        "booking_by_id",
        key="previous_attempt_id",
        through=DETAIL,
        description="The attempt before this one. Null for the first attempt.",
    )
    result: EnrolmentResult | None = column(
        through=DETAIL, description="Result of the attempt. Null until one is assigned."
    )
    appeal_upheld: bool = column(
        through=DETAIL, description="True if an appeal against the result was upheld."
    )
    appeal_details: str | None = column(
        through=DETAIL, description="Details of an appeal against the result."
    )
    complaint_details: str | None = column(through=DETAIL, description="Details of a complaint.")
    reasonable_adjustment_requests: str | None = column(
        through=DETAIL, description="Reasonable adjustments that were requested."
    )
    reasonable_adjustment_decision: str | None = column(
        through=DETAIL, description="Decision on the requested adjustments."
    )
