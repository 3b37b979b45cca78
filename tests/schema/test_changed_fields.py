"""The changed fields in the history are fields of the schema."""

from typing import Any

from resolvers.agent_bookings.facts import PERSONAL, agent_booking_facts
from resolvers.agent_bookings.submission import content_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.enrolments.facts import enrolment_facts
from resolvers.events.facts import event_facts
from resolvers.registrations.facts import registration_facts
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    AgentBooking,
    Booking,
    Enrolment,
    Event,
    Payment,
    Registration,
)
from resolvers.vocabulary import BookingStatus
from tests.resolvers.agent_bookings.conftest import SAMPLE

BY_THE_CLOCK_OR_BOOKINGS = {
    "status",
    "seats",
    "registrationOpen",
    "bookings",
    "enrolments",
    "registrations",
    "candidates",
    "roomConflicts",
}
OF_EVERY_CHANGE = {"version", "changesCursor", "lastChangeTime", "lastChangeType", "lastChangeUser"}
NEVER_CHANGED = {"id", "organization", "externalIds"}


def fields(schema: Any, name: str) -> set[str]:
    return set(schema._schema.type_map[name].fields)


def test_a_change_of_an_event_names_its_fields(schema: Any):
    """Only the fields that the description excludes are missing."""
    named = set(event_facts(new_row(Event), ()))
    left_out = BY_THE_CLOCK_OR_BOOKINGS | OF_EVERY_CHANGE | NEVER_CHANGED

    assert named <= fields(schema, "Event")
    assert fields(schema, "Event") - named <= left_out
    assert not named & left_out


def test_a_change_of_an_enrolment_names_its_fields(schema: Any):
    """The common fields, its own, its payment and its accommodations are fields of the type."""
    booking = new_row(Booking, status=BookingStatus.CONFIRMED)
    named = enrolment_facts(booking, new_row(Enrolment), new_row(Payment))

    assert {*named, *accommodation_facts(())} <= fields(schema, "Enrolment")


def test_a_change_of_a_registration_names_its_fields(schema: Any):
    """The common fields, its own and its accommodations are fields of the type."""
    booking = new_row(Booking, status=BookingStatus.CONFIRMED)
    named = registration_facts(booking, new_row(Registration))

    assert {*named, *accommodation_facts(())} <= fields(schema, "Registration")


def test_a_change_of_an_agent_booking_names_its_fields(schema: Any):
    """The common fields and its own are fields of the type; the personal ones are those that its
    types mask.
    """
    booking = new_row(Booking, status=BookingStatus.PENDING)
    detail = new_row(AgentBooking, content=content_of(SAMPLE))
    facts = agent_booking_facts(booking, detail)

    assert {*facts, *accommodation_facts(())} <= fields(schema, "AgentBooking")
    types = {
        "agentContact": "AgentContact",
        "student": "StudentDetails",
        "specialRequirements": "SpecialRequirements",
    }
    assert PERSONAL.keys() == types.keys()
    for name, personal in PERSONAL.items():
        assert personal <= set(facts[name]) == fields(schema, types[name])
