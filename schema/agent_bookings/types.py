"""Agent bookings: courses booked by agencies, and the status of their revisions."""

from typing import Any

from resolvers.bookings.clock import current_status
from resolvers.vocabulary import AgentBookingStatus, BookingKind, BookingStatus
from schema.agent_bookings.parts import (
    AgentContact,
    AirportTransferBooking,
    CourseBooking,
    HomestayPreferences,
    LodgingBooking,
    OptionalExtraBooking,
    SpecialRequirements,
    StudentDetails,
    ValidationMessage,
)
from schema.bookings.types import Booking
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, computed, document_part, relation
from schema.products.types import AgentOffice

DETAIL = "agent_booking_of_booking"


@object_type(
    description="An agency's booking of courses for a student. What it shows is its newest "
    "revision; the one in force may be an earlier one."
)
class AgentBooking(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    status: BookingStatus = computed(
        "status",
        "closes_at",
        by=lambda row, context: current_status(
            BookingKind.AGENT_BOOKING, row.status, row.closes_at, context.now
        ),
        description="The common status; COMPLETED once the last day of what is CONFIRMED is over.",
    )
    agent_booking_id: str = column(
        "reference", description="The agency's own id of it, unique inside the agency."
    )
    agent_booking_status: AgentBookingStatus = column(
        "status", through=DETAIL, description="Where its newest revision stands."
    )
    revision: int = column(
        through=DETAIL, description="How often it was submitted with other content, from 1."
    )
    confirmed_revision: int | None = column(
        through=DETAIL,
        description="The revision in force; null until one is confirmed, and after cancellation.",
    )
    backend_booking_id: int | None = column(
        through=DETAIL, description="The back-end's own number; null until it has accepted it."
    )
    backend_student_id: int | None = column(
        through=DETAIL,
        description="The back-end's number of the student; null until it has accepted the booking.",
    )
    agent_office: AgentOffice | None = relation(
        "agent_office_by_id",
        key="agent_office_id",
        through=DETAIL,
        description="Which office books; null where its code is not known, or not yours to see.",
    )
    agent_contact: AgentContact = document_part(
        "content",
        "agentContact",
        through=DETAIL,
        description="Whom to ask at the agency.",
    )
    language_level: str | None = computed(
        "content",
        by=lambda row, _: row.content["languageLevel"],
        through=DETAIL,
        description="The student's level; null where not given.",
    )
    student: StudentDetails = document_part(
        "content",
        "student",
        through=DETAIL,
        description="The student as submitted with this revision.",
    )
    courses: list[CourseBooking] = relation(
        "courses_of_agent_booking", description="The courses, as submitted."
    )
    lodging: list[LodgingBooking] = relation(
        "lodging_of_agent_booking", description="Where the student is to live, as submitted."
    )
    optional_extras: list[OptionalExtraBooking] = relation(
        "extras_of_agent_booking", description="What else is asked for, as submitted."
    )
    airport_transfers: list[AirportTransferBooking] = relation(
        "transfers_of_agent_booking", description="The rides, as submitted."
    )
    special_requirements: SpecialRequirements | None = document_part(
        "content",
        "specialRequirements",
        through=DETAIL,
        description="What the school has to know; null where not given.",
    )
    homestay_preferences: HomestayPreferences | None = document_part(
        "content",
        "homestayPreferences",
        through=DETAIL,
        description="With whom the student wishes to live; null where not given.",
    )
    validation_messages: list[ValidationMessage] = computed(
        "validation_messages",
        by=lambda row, _: [ValidationMessage(**told) for told in row.validation_messages],
        through=DETAIL,
        description="Why the newest revision is not possible; empty unless it is INVALID.",
    )
