"""Subscriptions: changes from the log, delivered as they are committed."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers import checks
from resolvers.references import ByKey
from resolvers.refusals import Invalid
from schema.bookings.lists import BOOKING_FILTER, booking_filter
from schema.changes.followed import BookingChanges, EventChanges, SeatCounts
from schema.changes.queries import TYPES
from schema.changes.seats import SeatsChange
from schema.changes.types import BookingChange, EventChange
from schema.events.filters import EVENT_FILTER, event_filter
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.inputs import given
from schema.grammar.lists import AFTER
from schema.grammar.references import ref_of

MOST_EVENTS = 100


@object_type(description="What can be watched: each begins when it is asked for and never ends.")
class Subscription:
    @strawberry.subscription(
        description="Every change that you may see. With `after`: first the backlog from the log, "
        "then live, with no gap and no double."
    )
    def booking_changed(
        self,
        info: Info,
        filter: BOOKING_FILTER = UNSET,
        types: TYPES = UNSET,
        after: AFTER = UNSET,
    ) -> AsyncGenerator[BookingChange | None, None]:
        return BookingChanges(info.context, given(after), booking_filter(filter), given(types))

    @strawberry.subscription(
        description="Every change of an event, with the same promises as bookingChanged. A filter "
        "finds a change when the event matches it as it was before or as it was after; its status "
        "counts as it stood at the moment of the change, free seats as they are when it is told."
    )
    def event_changed(
        self, info: Info, filter: EVENT_FILTER = UNSET, after: AFTER = UNSET
    ) -> AsyncGenerator[EventChange | None, None]:
        return EventChanges(info.context, given(after), event_filter(filter))

    @strawberry.subscription(
        description="The present seat count of each of these events, then the newest after each "
        "change of it; a slow reader too gets the newest state only. At most 100 events."
    )
    def seats_changed(
        self,
        info: Info,
        event_ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="The events' global ids.")
        ],
    ) -> AsyncGenerator[SeatsChange | None, None]:
        return SeatCounts(info.context, _event_keys(event_ids))


def _event_keys(event_ids: Sequence[str]) -> list[UUID]:
    """Raises: OutOfRange, Invalid."""
    checks.size(set(event_ids), "eventIds", least=1, most=MOST_EVENTS)
    keys: dict[UUID, None] = {}
    for n, value in enumerate(event_ids):
        ref = ref_of(value, "Event")
        if not isinstance(ref, ByKey):
            raise Invalid("eventIds", str(n), rule="is not the global id of an Event")
        keys[ref.key] = None
    return list(keys)
