"""The values of an enrolment in the log."""

from typing import Any

from resolvers.bookings.facts import booking_facts, payment_facts, reference
from resolvers.enrolments.transitions import enrolment_status
from resolvers.storage.tables import Booking, Enrolment, Payment
from resolvers.vocabulary import EnrolmentType


def enrolment_facts(
    booking: Booking, enrolment: Enrolment | None = None, payment: Payment | None = None
) -> dict[str, Any]:
    """The values of the enrolment's fields, as far as its rows are given."""
    facts = {**booking_facts(booking), "enrolmentStatus": enrolment_status(booking.status)}
    if enrolment is not None:
        facts |= {
            "timing": EnrolmentType.ON_DEMAND if enrolment.on_demand else EnrolmentType.FIXED,
            "module": reference("Module", enrolment.module_id),
            "deliveryMode": enrolment.delivery,
            "attemptNumber": enrolment.attempt_number,
            "previousAttempt": reference("Enrolment", enrolment.previous_attempt_id),
            "result": enrolment.result,
        }
    if payment is not None:
        facts |= payment_facts(payment)
    return facts
