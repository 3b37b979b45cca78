"""The queries of registrations."""

from typing import Annotated
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
from schema.bookings.lists import BOOKING_FILTER, BOOKING_SORT, booking_filter, bookings_request
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import ObjectKey, found
from schema.grammar.inputs import values_given
from schema.grammar.lists import PageArguments, listed, listing
from schema.grammar.node import show_booking
from schema.registrations.inputs import RegistrationCriteriaInput
from schema.registrations.types import Registration

CRITERIA = Annotated[
    RegistrationCriteriaInput | None,
    strawberry.argument(
        description="Criteria that the registrations must match. Without criteria, all "
        "registrations that are not deleted."
    ),
]
IDENTIFIER = Annotated[
    UUID,
    strawberry.argument(
        description="Your own UUID of the registration, as given to bookRegistration."
    ),
]


def _criteria(given: RegistrationCriteriaInput | None) -> RegistrationCriteria:
    return RegistrationCriteria(**values_given(given)) if given else EVERY_ONE


@object_type
class RegistrationQueries:
    @found(
        description="A registration. If it does not exist or you may not see it, the error "
        "is REGISTRATION_NOT_FOUND."
    )
    async def registration(self, info: Info, identifier: IDENTIFIER) -> Registration | None:
        missing = RegistrationNotFound(
            "identifier", object_type="Registration", identifier=str(identifier)
        )
        rows = await info.context.read(registration_keys(info.context.viewer, identifier))
        if not rows:
            raise missing
        return ObjectKey.typed("Registration", rows[0].id, missing)

    @listed(description="Registrations, sorted by start unless you give `sort`.")
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

    @strawberry.field(description="Number of registrations that match the criteria.")
    async def registration_count(self, info: Info, criteria: CRITERIA = UNSET) -> int | None:
        count = registrations_count(info.context.viewer, _criteria(criteria))
        [row] = await info.context.read(count)
        return int(row.total)
