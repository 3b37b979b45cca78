"""The values of an agent booking in the log."""

from collections.abc import Mapping
from typing import Any

from resolvers.bookings.facts import booking_facts, reference
from resolvers.storage.tables import AgentBooking, Booking

PERSONAL: Mapping[str, frozenset[str]] = {
    "agentContact": frozenset({"telephone", "mobile", "email"}),
    "student": frozenset(
        {
            "passportNumber",
            "passportIssuingCountry",
            "dateOfBirth",
            "email",
            "telephone",
            "mobile",
            "address",
            "emergencyContact",
        }
    ),
    "specialRequirements": frozenset({"medicalCondition", "allergies"}),
}
"""The parts of each field that are null without VIEW_PII."""


def agent_booking_facts(booking: Booking, detail: AgentBooking | None = None) -> dict[str, Any]:
    """The values of the agent booking's fields, as far as its rows are given."""
    facts = booking_facts(booking)
    return facts if detail is None else facts | detail_facts(detail) | _submitted(booking, detail)


def detail_facts(detail: AgentBooking) -> dict[str, Any]:
    """The state of its revisions."""
    return {
        "agentBookingStatus": detail.status,
        "revision": detail.revision,
        "confirmedRevision": detail.confirmed_revision,
        "backendBookingId": detail.backend_booking_id,
        "backendStudentId": detail.backend_student_id,
        "validationMessages": detail.validation_messages,
    }


def _submitted(booking: Booking, detail: AgentBooking) -> dict[str, Any]:
    """The content of its newest revision, with names for codes."""
    content = detail.content
    shown = {name: value for name, value in content.items() if not name.endswith("Code")}
    return {
        **shown,
        "agentBookingId": detail.agent_booking_id,
        "agentOffice": reference("AgentOffice", detail.agent_office_id),
    }
