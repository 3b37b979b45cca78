"""The queries of changes."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers import change_reads
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.vocabulary import ChangeType
from schema.bookings.lists import BOOKING_FILTER, booking_filter
from schema.changes.types import BookingChange
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listed, listing
from schema.grammar.log_cursors import FOLLOWED, check_of

TYPES = Annotated[
    list[ChangeType] | None,
    strawberry.argument(description="Only changes of these types. By default, all types."),
]


@object_type
class ChangeQueries:
    @strawberry.field(description=f"{FOLLOWED} Null beside an error.")
    def changes_cursor(self, info: Info) -> str | None:
        return info.context.changes_cursor

    @listed(
        description="Changes to bookings after a cursor, in commit order. Use it to "
        "catch up before you subscribe to `bookingChanged`. A filter matches "
        "a change if the booking matches before or after it."
    )
    def booking_changes(
        self,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
        types: TYPES = UNSET,
    ) -> Connection[BookingChange] | None:
        conditions, chosen = booking_filter(filter), given(types)
        request = page.request(IN_COMMIT_ORDER)
        return listing(
            request,
            ("changes", conditions, None if chosen is None else tuple(chosen)),
            BookingChange.of,
            lambda viewer, _: change_reads.changes_page(viewer, request, conditions, chosen),
            lambda viewer, _: change_reads.changes_count(viewer, conditions, chosen),
            check=check_of(request),
        )
