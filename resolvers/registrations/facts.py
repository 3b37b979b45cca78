"""A registration's values as the log keeps them."""

from typing import Any

from resolvers.bookings.facts import booking_facts, reference
from resolvers.registrations.transitions import registration_status
from resolvers.storage.tables import Booking, Registration


def registration_facts(
    booking: Booking, registration: Registration | None = None
) -> dict[str, Any]:
    """What the registration's fields show, as far as its rows are given."""
    facts = {**booking_facts(booking), "registrationStatus": registration_status(booking.status)}
    if registration is not None:
        facts |= {
            "identifier": str(registration.identifier),
            "registrantType": registration.registrant_type,
            "testForm": reference("TestForm", registration.test_form_id),
        }
    return facts
