"""The kinds of booking. A new kind is a new row."""

from resolvers.agent_bookings.cancelling import CancellingAgentBookings
from resolvers.agent_bookings.facts import PERSONAL, agent_booking_facts
from resolvers.agent_bookings.transitions import TRANSITIONS as AGENT_BOOKING
from resolvers.bookings.clock import WHEN_CLOSED
from resolvers.bookings.kinds import KINDS, KindDefinition
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.transitions import TRANSITIONS as ENROLMENT
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.refusals import RegistrationNotFound
from resolvers.registrations.transitions import TRANSITIONS as REGISTRATION
from resolvers.test_schedules.facts import schedule_facts
from resolvers.test_schedules.transitions import TRANSITIONS as TEST_SCHEDULE
from resolvers.vocabulary import BookingKind, BookingStatus

KINDS.update(
    {
        BookingKind.AGENT_BOOKING: KindDefinition(
            AGENT_BOOKING,
            agent_booking_facts,
            lasts_weeks=True,
            personal=PERSONAL,
            cancelling=CancellingAgentBookings,
        ),
        BookingKind.ENROLMENT: KindDefinition(ENROLMENT, enrolment_facts),
        BookingKind.REGISTRATION: KindDefinition(
            REGISTRATION, registration_facts, follows_event=True, missing=RegistrationNotFound
        ),
        BookingKind.TEST_SCHEDULE: KindDefinition(TEST_SCHEDULE, schedule_facts),
    }
)

WHEN_CLOSED[BookingKind.AGENT_BOOKING] = BookingStatus.COMPLETED  # the courses have taken place
