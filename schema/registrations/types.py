"""Registrations: Shift iQ's bookings of events, and their results."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from resolvers.registrations.transitions import registration_status
from resolvers.vocabulary import RegistrationStatus
from schema.bookings.types import Booking
from schema.events.types import Event
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, derived, relation
from schema.organizations.types import Actor, actor
from schema.tests.types import TestForm

DETAIL = "registration_of_booking"


@object_type(description="A move of a registration from one event to another.")
class RegistrationTransfer(OverRow):
    row: strawberry.Private[Any]

    from_: Event = relation(
        "event_by_id", key="from_event_id", graphql_name="from", description="Where it was."
    )
    to: Event = relation("event_by_id", key="to_event_id", description="Where it went.")
    message: str = column("reason", description="Why.")
    at: datetime = column(description="When.")
    by: Actor = actor("by", description="Who did it.")


@object_type(description="A candidate's registration for an event; its form is what is assessed.")
class Registration(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    identifier: UUID = column(through=DETAIL, description="The client's own UUID of it, or ours.")
    registration_status: RegistrationStatus = derived(
        "status", by=registration_status, description="Where the registration stands."
    )
    registrant_type: str | None = column(
        through=DETAIL, description="As what the candidate registers; null where nobody said."
    )
    test_form: TestForm | None = relation(
        "test_form_by_id",
        key="test_form_id",
        through=DETAIL,
        description="What is assessed; null until a form is assigned.",
    )
    transfers: list[RegistrationTransfer] = relation(
        "transfers_of_registration", description="Where it has been, oldest first."
    )
