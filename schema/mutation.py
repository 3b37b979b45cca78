"""What can be done: the sum of what the domains offer."""

from schema.agent_booking_mutations import AgentBookingMutations
from schema.booking_mutations import BookingMutations
from schema.candidate_roots import CandidateMutations
from schema.centre_roots import CentreMutations
from schema.declaring import object_type
from schema.enrolment_mutations import EnrolmentMutations
from schema.event_roots import EventMutations
from schema.notification_roots import NotificationMutations
from schema.organization_roots import OrganizationMutations
from schema.product_roots import ProductMutations
from schema.registration_mutations import RegistrationMutations
from schema.test_roots import TestMutations
from schema.test_schedule_mutations import TestScheduleMutations


@object_type(
    description="What can be done. A payload has either its object or errors; a null stands beside "
    "a top-level error."
)
class Mutation(
    OrganizationMutations,
    CandidateMutations,
    CentreMutations,
    TestMutations,
    ProductMutations,
    EventMutations,
    BookingMutations,
    EnrolmentMutations,
    RegistrationMutations,
    TestScheduleMutations,
    AgentBookingMutations,
    NotificationMutations,
):
    pass
