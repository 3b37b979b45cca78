"""The queries of bookings."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from resolvers.references import ByKey
from resolvers.refusals import Invalid
from schema.bookings.lists import BOOKING_FILTER, BOOKING_SORT, bookings_list
from schema.bookings.types import Booking
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import type_name
from schema.grammar.found import ObjectKey, found
from schema.grammar.lists import PageArguments, listed
from schema.grammar.node import KINDS
from schema.grammar.references import ref_of


def booking_types() -> tuple[str, ...]:
    """Return the types that have booking ids."""
    return tuple(type_name(kind) for kind in KINDS.values())


@object_type
class BookingQueries:
    @found(description="A booking of any kind. Null if it does not exist or you may not see it.")
    def booking(
        self,
        id: Annotated[strawberry.ID, strawberry.argument(description="Global id of the booking.")],
    ) -> Booking | None:
        ref = ref_of(id, *booking_types())
        if not isinstance(ref, ByKey):
            raise Invalid("id", rule="is not the global id of a booking")
        return ObjectKey.typed("Booking", ref.key)

    @listed(
        description="Bookings of every kind, sorted by start unless you give `sort`. Use it "
        "for a candidate's, a room's or a centre's bookings, with `filter`."
    )
    def bookings(
        self,
        info: Info,
        page: PageArguments,
        filter: BOOKING_FILTER = UNSET,
        sort: BOOKING_SORT = UNSET,
    ) -> Connection[Booking] | None:
        listing: Any = bookings_list(
            page,
            filter=filter,
            sort=sort,
            now=info.context.now,
        )
        return listing
