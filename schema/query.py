"""The query root, composed of the queries of each domain."""

from schema.agent_bookings.queries import AgentBookingQueries
from schema.bookings.queries import BookingQueries
from schema.candidates.queries import CandidateQueries
from schema.centres.queries import CentreQueries
from schema.changes.queries import ChangeQueries
from schema.enrolments.queries import EnrolmentQueries
from schema.events.exports import EventExportQueries
from schema.events.queries import EventQueries
from schema.events.scrap_paper import ScrapPaperQueries
from schema.grammar.declaring import object_type, order_fields
from schema.grammar.found import NodeQueries
from schema.notifications.queries import NotificationQueries
from schema.organizations.queries import OrganizationQueries
from schema.products.queries import ProductQueries
from schema.registrations.queries import RegistrationQueries
from schema.test_schedules.queries import TestScheduleQueries
from schema.tests.queries import TestQueries


@object_type(
    description="Reads. Start with `viewer`, `bookings` or `events`. A root field is "
    "null if the object was not found, or if there is an error at its path."
)
class Query(
    BookingQueries,
    EnrolmentQueries,
    TestScheduleQueries,
    RegistrationQueries,
    AgentBookingQueries,
    EventQueries,
    ScrapPaperQueries,
    EventExportQueries,
    CandidateQueries,
    CentreQueries,
    TestQueries,
    ProductQueries,
    ChangeQueries,
    NotificationQueries,
    OrganizationQueries,
    NodeQueries,
):
    pass


order_fields(Query, "viewer", "booking", "bookings", "event", "events", "candidate", "candidates")
