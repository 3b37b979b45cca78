"""The mutation root, composed of the mutations of each domain."""

from schema.agent_bookings.mutations import AgentBookingMutations
from schema.bookings.mutations import BookingMutations
from schema.candidates.mutations import CandidateMutations
from schema.centres.mutations import CentreMutations
from schema.enrolments.mutations import EnrolmentMutations
from schema.events.mutations import EventMutations
from schema.grammar.declaring import object_type
from schema.notifications.mutations import NotificationMutations
from schema.organizations.mutations import OrganizationMutations
from schema.products.mutations import ProductMutations
from schema.registrations.mutations import RegistrationMutations
from schema.test_schedules.mutations import TestScheduleMutations
from schema.tests.mutations import TestMutations


@object_type(
    description="Writes. Each mutation returns the changed object, or the reasons for a "
    "refusal in `errors`."
)
class Mutation(
    EnrolmentMutations,
    TestScheduleMutations,
    RegistrationMutations,
    AgentBookingMutations,
    BookingMutations,
    EventMutations,
    NotificationMutations,
    CandidateMutations,
    CentreMutations,
    TestMutations,
    ProductMutations,
    OrganizationMutations,
):
    pass
