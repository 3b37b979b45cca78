"""What can be asked: the sum of what the domains offer."""

from schema.agent_bookings import AgentBookingQueries
from schema.bookings import BookingQueries
from schema.candidate_roots import CandidateQueries
from schema.centre_roots import CentreQueries
from schema.changes import ChangeQueries
from schema.declaring import object_type
from schema.enrolments import EnrolmentQueries
from schema.event_exports import EventExportQueries
from schema.event_roots import EventQueries
from schema.found import NodeQueries
from schema.notification_roots import NotificationQueries
from schema.organization_roots import OrganizationQueries
from schema.product_roots import ProductQueries
from schema.registrations import RegistrationQueries
from schema.scrap_paper import ScrapPaperQueries
from schema.test_roots import TestQueries
from schema.test_schedules import TestScheduleQueries


@object_type(
    description="What can be asked. A null stands beside a top-level error, or where nothing was "
    "found."
)
class Query(
    NodeQueries,
    OrganizationQueries,
    CandidateQueries,
    CentreQueries,
    TestQueries,
    ProductQueries,
    EventQueries,
    EventExportQueries,
    ScrapPaperQueries,
    BookingQueries,
    EnrolmentQueries,
    RegistrationQueries,
    TestScheduleQueries,
    AgentBookingQueries,
    ChangeQueries,
    NotificationQueries,
):
    pass
