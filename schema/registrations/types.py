"""Registrations: Shift iQ's bookings of events, and their results."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from resolvers.registrations.transitions import registration_status
from resolvers.vocabulary import RegistrationStatus
from schema.bookings.types import Booking, Payment
from schema.events.types import Event
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, derived, relation
from schema.organizations.types import Actor, actor
from schema.tests.types import TestForm

DETAIL = "registration_of_booking"


@object_type(description="A transfer of a registration from one event to another.")
class RegistrationTransfer(OverRow):
    row: strawberry.Private[Any]

    from_: Event = relation(
        "event_by_id", key="from_event_id", graphql_name="from", description="The previous event."
    )
    to: Event = relation("event_by_id", key="to_event_id", description="The new event.")
    message: str = column("reason", description="Why the registration was transferred.")
    at: datetime = column(description="Time of the transfer.")
    by: Actor = actor("by", description="The user who transferred the registration.")


@object_type(description="A candidate's registration for an event (Shift iQ).")
class Registration(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    event: Event = relation("event_by_id", key="event_id", description="Event of the registration.")
    payment: Payment | None = relation(
        "payment_of_booking", description="Always null: registrations have no payment."
    )
    identifier: UUID = column(
        through=DETAIL,
        description="UUID of the registration: your own, or one that the gateway created.",
    )
    registration_status: RegistrationStatus = derived(
        "status", by=registration_status, description="Detailed status of the registration."
    )
    registrant_type: str | None = column(
        through=DETAIL,
        description='The candidate\'s role at the event, e.g. "Apprentice". Null if not given.',
    )
    test_form: TestForm | None = relation(
        "test_form_by_id",
        key="test_form_id",
        through=DETAIL,
        description="Form of the test that the candidate takes. Null until one is assigned.",
    )
    transfers: list[RegistrationTransfer] = relation(
        "transfers_of_registration",
        description="Transfers of the registration between events, oldest first.",
    )
