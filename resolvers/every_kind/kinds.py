"""The kinds of booking: what each says of its states and shows of its values.

A new kind is a new row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resolvers.bookings.actions import Table
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.transitions import TRANSITIONS as ENROLMENT
from resolvers.storage.tables import Booking
from resolvers.vocabulary import BookingKind


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind's table of transitions, and its values for the log."""

    transitions: Table
    facts: Callable[[Booking], Mapping[str, Any]]


KINDS: dict[BookingKind, Kind] = {
    BookingKind.ENROLMENT: Kind(ENROLMENT, enrolment_facts),
}


def kind_of(booking: Booking) -> Kind:
    return KINDS[booking.kind]
