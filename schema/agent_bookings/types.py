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
from schema.bookings.types import Booking, Payment
from schema.centres.types import Room
from schema.events.types import Event
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, computed, document_part, relation
from schema.products.types import AgentOffice

DETAIL = "agent_booking_of_booking"


@object_type(
    description="Courses that an agency books for a student (EC English). Shows the "
    "newest revision; `confirmedRevision` tells which one is in force."
)
class AgentBooking(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    room: Room | None = relation(
        "room_by_id", key="room_id", description="Always null: agent bookings have no room."
    )
    event: Event | None = relation(
        "event_by_id", key="event_id", description="Always null: agent bookings have no event."
    )
    payment: Payment | None = relation(
        "payment_of_booking", description="Always null: agent bookings have no payment."
    )
    status: BookingStatus = computed(
        "status",
        "closes_at",
        by=lambda row, context: current_status(
            BookingKind.AGENT_BOOKING, row.status, row.closes_at, context.now
        ),
        description="Status shared by all kinds of booking. A confirmed agent booking is "
        "COMPLETED after its last day.",
    )
    agent_booking_id: str = column(
        "reference", description="The agency's own id of the booking, unique within the agency."
    )
    agent_booking_status: AgentBookingStatus = column(
        "status", through=DETAIL, description="Detailed status of the newest revision."
    )
    revision: int = column(
        through=DETAIL,
        description="Number of the newest revision, starting at 1. Increases when the "
        "agency submits other content.",
    )
    confirmed_revision: int | None = column(
        through=DETAIL,
        description="Revision in force. Null until one is confirmed, and after cancellation.",
    )
    backend_booking_id: int | None = column(
        through=DETAIL,
        description="Number of the booking in EC English's back end. Null until it has "
        "accepted the booking.",
    )
    backend_student_id: int | None = column(
        through=DETAIL,
        description="Number of the student in EC English's back end. Null until it has "
        "accepted the booking.",
    )
    agent_office: AgentOffice | None = relation(
        "agent_office_by_id",
        key="agent_office_id",
        through=DETAIL,
        description="Office of the agency. Null if its code is unknown, or you may not "
        "see the office.",
    )
    agent_contact: AgentContact = document_part(
        "content",
        "agentContact",
        through=DETAIL,
        description="Person at the agency to contact.",
    )
    language_level: str | None = computed(
        "content",
        by=lambda row, _: row.content["languageLevel"],
        through=DETAIL,
        description='Language level of the student, e.g. "B2".',
    )
    student: StudentDetails = document_part(
        "content",
        "student",
        through=DETAIL,
        description="The student as submitted with this revision.",
    )
    courses: list[CourseBooking] = relation(
        "courses_of_agent_booking", description="Courses, as submitted."
    )
    lodging: list[LodgingBooking] = relation(
        "lodging_of_agent_booking", description="Lodging, as submitted."
    )
    optional_extras: list[OptionalExtraBooking] = relation(
        "extras_of_agent_booking", description="Optional extras, as submitted."
    )
    airport_transfers: list[AirportTransferBooking] = relation(
        "transfers_of_agent_booking", description="Airport transfers, as submitted."
    )
    special_requirements: SpecialRequirements | None = document_part(
        "content",
        "specialRequirements",
        through=DETAIL,
        description="Information about the student that the school needs.",
    )
    homestay_preferences: HomestayPreferences | None = document_part(
        "content",
        "homestayPreferences",
        through=DETAIL,
        description="The student's preferences for a homestay.",
    )
    validation_messages: list[ValidationMessage] = computed(
        "validation_messages",
        by=lambda row, _: [ValidationMessage(**told) for told in row.validation_messages],
        through=DETAIL,
        description="Why the newest revision failed validation. Empty unless its status "
        "is INVALID.",
    )
