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


@object_type(description="Live updates. A subscription stays open until you end it.")
class Subscription:
    @strawberry.subscription(
        description="Sends every change to the bookings you may see. To resume after a "
        "disconnect, pass the last `cursor` as `after`: you receive "
        "everything since, once and in order."
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
        description="Sends every change to events, with the same guarantees as "
        "`bookingChanged`. A filter matches a change if the event matches "
        "before or after it. It compares the status at the time of the "
        "change, but the free seats at the time of sending."
    )
    def event_changed(
        self, info: Info, filter: EVENT_FILTER = UNSET, after: AFTER = UNSET
    ) -> AsyncGenerator[EventChange | None, None]:
        return EventChanges(info.context, given(after), event_filter(filter))

    @strawberry.subscription(
        description="Sends the current seat count of each event at once, then again "
        "whenever it changes. If you read slowly, you get only the latest."
    )
    def seats_changed(
        self,
        info: Info,
        event_ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description="Global ids of the events, at most 100."),
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
