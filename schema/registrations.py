"""Registrations: Shift iQ's bookings of events, and what became of them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.registrations.commands import RegistrationCriteria
from resolvers.registrations.reads import (
    EVERY_ONE,
    registration_keys,
    registrations_count,
    registrations_page,
)
from resolvers.registrations.refusals import RegistrationNotFound
from resolvers.registrations.transitions import registration_status
from resolvers.vocabulary import RegistrationStatus
from schema.booking_lists import (
    BOOKING_FILTER,
    BOOKING_SORT,
    booking_filter,
    bookings_request,
)
from schema.bookings import Booking
from schema.connections import Connection
from schema.context import Info
from schema.declaring import input_type, object_type
from schema.events import Event
from schema.fields import OverRow, column, derived, described, relation
from schema.found import Found, found
from schema.inputs import values_given
from schema.lists import PageArguments, listed, listing
from schema.node import show_booking
from schema.organizations import Actor, actor
from schema.tests import TestForm

DETAIL = "registration_of_booking"


@object_type(description="A move of a registration from one event to another.")
class RegistrationTransfer(OverRow):
    row: strawberry.Private[Any]

    from_: Event = relation(
        "event_by_id", key="from_event_id", graphql_name="from", description="Where it was."
    )
    to: Event = relation("event_by_id", key="to_event_id", description="Where it went.")
    reason: str = column(description="Why.")
    at: datetime = column(description="When.")
    by: Actor = actor("by", description="Who did it.")


@object_type(description="A learner's registration for an event; its form is what is assessed.")
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


@input_type(
    name="RegistrationCriteria",
    description="Shift iQ v1 search and count. Given criteria are ANDed; an empty text is none.",
)
class RegistrationCriteriaInput:
    name: str | None = described("Contained in first names and last name, in any case.")
    email: str | None = described("Contained in the candidate's email, any case; needs VIEW_PII.")
    code: str | None = described("Is the candidate's reference.")
    last_change_time_since: datetime | None = described("Last changed at this instant or later.")
    last_change_time_before: datetime | None = described("Last changed before this instant.")


CRITERIA = Annotated[
    RegistrationCriteriaInput | None,
    strawberry.argument(description="Which registrations; all that are not deleted unless given."),
]
IDENTIFIER = Annotated[
    UUID,
    strawberry.argument(description="The client's own UUID of it, also as an external id."),
]


def _criteria(given: RegistrationCriteriaInput | None) -> RegistrationCriteria:
    return RegistrationCriteria(**values_given(given)) if given else EVERY_ONE


@object_type
class RegistrationQueries:
    @found(description="A registration; REGISTRATION_NOT_FOUND where you may see none.")
    async def registration(self, info: Info, identifier: IDENTIFIER) -> Registration | None:
        missing = RegistrationNotFound(
            "identifier", object_type="Registration", identifier=str(identifier)
        )
        rows = await info.context.read(registration_keys(info.context.viewer, identifier))
        if not rows:
            raise missing
        return Found.typed("Registration", rows[0].id, missing)

    @listed(description="The registrations that you may see.")
    def registrations(
        self,
        page: PageArguments,
        criteria: CRITERIA = UNSET,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[Registration] | None:
        asked, conditions = _criteria(criteria), booking_filter(filter)
        request = bookings_request(page, sort)
        return listing(
            request,
            ("registrations", asked, conditions),
            show_booking,
            lambda viewer, _: registrations_page(viewer, request, asked, conditions),
            lambda viewer, _: registrations_count(viewer, asked, conditions),
        )

    @strawberry.field(description="How many registrations there are that you may see.")
    async def registration_count(self, info: Info, criteria: CRITERIA = UNSET) -> int | None:
        count = registrations_count(info.context.viewer, _criteria(criteria))
        [row] = await info.context.read(count)
        return int(row.total)
