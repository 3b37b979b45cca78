"""The queries of agent bookings."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from resolvers import checks
from resolvers.agent_bookings.reads import agent_bookings_named
from resolvers.refusals import AmbiguousReference
from resolvers.vocabulary import BookingKind
from schema.agent_bookings.types import AgentBooking
from schema.bookings.lists import BOOKING_FILTER, BOOKING_SORT, bookings_list
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import ObjectKey, found
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listed

AGENT_BOOKING_ID = Annotated[
    str, strawberry.argument(description="The agency's own id of the booking.")
]
AGENCY = Annotated[
    str | None,
    strawberry.argument(
        description="Name of the agency, or code of its office if the office is unknown. "
        "Needed only if several agencies use the id."
    ),
]


@object_type
class AgentBookingQueries:
    @found(
        description="An agent booking by the agency's own id. Null if it does not exist "
        "or you may not see it. If several agencies use the id, the error is "
        "AMBIGUOUS_REFERENCE."
    )
    async def agent_booking(
        self, info: Info, agent_booking_id: AGENT_BOOKING_ID, agency: AGENCY = UNSET
    ) -> AgentBooking | None:
        of = given(agency)
        checks.text(agent_booking_id, "agentBookingId", most=checks.TEXT)
        checks.text(of, "agency", most=checks.TEXT)
        rows = await info.context.read(
            agent_bookings_named(info.context.viewer, agent_booking_id, of)
        )
        if len(rows) > 1:
            raise AmbiguousReference("agentBookingId" if of is None else "agency")
        return ObjectKey.typed("AgentBooking", rows[0].id) if rows else None

    @listed(description="Agent bookings, sorted by start unless you give `sort`.")
    def agent_bookings(
        self,
        info: Info,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[AgentBooking] | None:
        kind = BookingKind.AGENT_BOOKING
        listing: Any = bookings_list(
            page,
            filter=filter,
            sort=sort,
            kind=kind,
            now=info.context.now,
        )
        return listing
