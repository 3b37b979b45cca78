"""Registrations: Shift iQ's bookings of events, and what became of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.registrations.reads import registration_details, transfers_of_registrations
from resolvers.registrations.transitions import registration_status
from resolvers.vocabulary import BookingKind, RegistrationStatus
from schema.booking_lists import BOOKING_FILTER, BOOKING_SORT, bookings_list
from schema.bookings import Booking
from schema.connections import AFTER, BEFORE, FIRST, LAST, Connection
from schema.events import Event
from schema.fields import OverRow, column, derived, relation
from schema.lists import listed
from schema.loaders import Many, One, register
from schema.node import KINDS, node_type
from schema.organizations import Actor, actor
from schema.tests import TestForm

DETAIL = "registration_of_booking"

register(
    registration_of_booking=One(registration_details),
    transfers_of_registration=Many(transfers_of_registrations, key="booking_id"),
)


@strawberry.type(description="A move of a registration from one event to another.")
class RegistrationTransfer(OverRow):
    row: strawberry.Private[Any]

    from_: Event = relation(
        "event_by_id", key="from_event_id", graphql_name="from", description="Where it was."
    )
    to: Event = relation("event_by_id", key="to_event_id", description="Where it went.")
    reason: str = column(description="Why.")
    at: datetime = column(description="When.")
    by: Actor = actor("by", description="Who did it.")


@node_type("booking_by_id")
@strawberry.type(description="A learner's registration for an event; its form is what is assessed.")
class Registration(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    identifier: UUID = column(through=DETAIL, description="The client's own UUID of it, or ours.")
    registration_status: RegistrationStatus = derived(
        "status", by=registration_status, description="Where the registration stands."
    )
    registrant_type: str | None = column(
        through=DETAIL, description="As what the learner registers; null where nobody said."
    )
    assessment_form: TestForm | None = relation(
        "test_form_by_id",
        key="test_form_id",
        through=DETAIL,
        description="What is assessed; null until a form is assigned.",
    )
    transfers: list[RegistrationTransfer] = relation(
        "transfers_of_registration", description="Where it has been, oldest first."
    )


KINDS[BookingKind.REGISTRATION] = Registration


@strawberry.type
class RegistrationQueries:
    @listed(description="The registrations that you may see.")
    def registrations(
        self,
        first: FIRST = UNSET,
        after: AFTER = UNSET,
        last: LAST = UNSET,
        before: BEFORE = UNSET,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[Registration] | None:
        kind = BookingKind.REGISTRATION
        listing: Any = bookings_list(
            first=first, after=after, last=last, before=before, filter=filter, sort=sort, kind=kind
        )
        return listing
