"""The queries of enrolments."""

from typing import Any

from strawberry import UNSET

from resolvers.vocabulary import BookingKind
from schema.bookings.lists import BOOKING_FILTER, BOOKING_SORT, bookings_list
from schema.enrolments.types import Enrolment
from schema.grammar.connections import Connection
from schema.grammar.declaring import object_type
from schema.grammar.lists import PageArguments, listed


@object_type
class EnrolmentQueries:
    @listed(
        description="Enrolments, sorted by start unless you give `sort`. Use it for an "
        "event's roster, with `filter: {eventId: {eq: …}}`."
    )
    def enrolments(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[Enrolment] | None:
        kind = BookingKind.ENROLMENT
        listing: Any = bookings_list(page, filter=filter, sort=sort, kind=kind)
        return listing
