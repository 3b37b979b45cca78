"""Enrolments: seats at events, and their actions."""

from typing import Any

from resolvers.enrolments.transitions import enrolment_status
from resolvers.vocabulary import DeliveryMode, EnrolmentResult, EnrolmentStatus, EnrolmentType
from schema.bookings.types import Booking
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, derived, relation
from schema.grammar.scalars import LocalDateTime
from schema.tests.types import Module

DETAIL = "enrolment_of_booking"


def _timing(on_demand: bool) -> EnrolmentType:
    return EnrolmentType.ON_DEMAND if on_demand else EnrolmentType.FIXED


@object_type(description="A candidate's claim on one seat at one event.")
class Enrolment(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    enrolment_status: EnrolmentStatus = derived(
        "status", by=enrolment_status, description="Where the enrolment stands."
    )
    timing: EnrolmentType = column(
        "on_demand", convert=_timing, through=DETAIL, description="Who chose the time."
    )
    module: Module | None = relation(
        "module_by_id", key="module_id", through=DETAIL, description="Null where none was chosen."
    )
    delivery_mode: DeliveryMode = column(
        "delivery", through=DETAIL, description="In person or online."
    )
    booked_date: LocalDateTime = column(
        "local_start", description="The start, as the clock at the centre shows it."
    )
    attempt_number: int = column(
        through=DETAIL, description="1 for the first sitting of this test; a resit counts on."
    )
    previous_attempt: "Enrolment | None" = relation(
        "booking_by_id",
        key="previous_attempt_id",
        through=DETAIL,
        description="The attempt before this one; null for the first.",
    )
    result: EnrolmentResult | None = column(
        through=DETAIL, description="Null until one is assigned."
    )
    appeal_upheld: bool = column(through=DETAIL, description="Whether an appeal was upheld.")
    appeal_details: str | None = column(through=DETAIL, description="Null without an appeal.")
    complaint_details: str | None = column(through=DETAIL, description="Null without a complaint.")
    reasonable_adjustment_requests: str | None = column(
        through=DETAIL, description="The adjustments asked for; null where none were."
    )
    reasonable_adjustment_decision: str | None = column(
        through=DETAIL, description="The decision on them; null without one."
    )
