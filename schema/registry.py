"""The types that the grammar looks up by name because it cannot import them.

The package fills the tables of `schema.grammar.node` with them.
"""

from collections.abc import Mapping
from typing import Any, Final

from resolvers.vocabulary import BookingKind
from schema.agent_bookings.types import AgentBooking
from schema.bookings.types import Accommodation, Booking, Payment
from schema.candidates.types import Candidate, Department
from schema.centres.types import Centre, Room
from schema.changes.types import BookingChange
from schema.enrolments.types import Enrolment
from schema.events.types import Event
from schema.notifications.types import NotificationDelivery, NotificationEndpoint
from schema.organizations.types import Organization, User
from schema.products.types import AgentOffice, Product, ProductOffer
from schema.registrations.types import Registration
from schema.test_schedules.types import TestSchedule
from schema.tests.types import Module, Subject, Test, TestForm

NODE_TYPES: Final[Mapping[type[Any], str]] = {
    Accommodation: "accommodation_by_id",
    AgentBooking: "agent_booking_by_id",
    AgentOffice: "agent_office_by_id",
    BookingChange: "change_by_id",
    Candidate: "candidate_by_id",
    Centre: "centre_by_id",
    Department: "department_by_id",
    Enrolment: "enrolment_by_id",
    Event: "event_by_id",
    Module: "module_by_id",
    NotificationDelivery: "notification_delivery_by_id",
    NotificationEndpoint: "notification_endpoint_by_id",
    Organization: "organization_by_id",
    Payment: "payment_by_id",
    Product: "product_by_id",
    Registration: "registration_by_id",
    Room: "room_by_id",
    Subject: "subject_by_id",
    Test: "test_by_id",
    TestForm: "test_form_by_id",
    TestSchedule: "booking_by_id",
    User: "user_by_id",
}
"""The types that have global ids, each with the relation that reads its rows by key."""

OTHER_TYPES: Final[Mapping[type[Any], str]] = {
    Booking: "booking_by_id",
    ProductOffer: "product_offer_by_id",
}
"""An interface and a type without a global id; their rows are read by key, too."""

KIND_TYPES: Final[Mapping[BookingKind, type[Any]]] = {
    BookingKind.AGENT_BOOKING: AgentBooking,
    BookingKind.ENROLMENT: Enrolment,
    BookingKind.REGISTRATION: Registration,
    BookingKind.TEST_SCHEDULE: TestSchedule,
}
