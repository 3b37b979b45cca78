"""Subscriptions: what the log of changes says, as it is written.

The backlog and the live part are the same reads of the log after a position, so there is no gap
between them and nothing comes twice. A wake-up only says that it is worth reading again.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers import change_reads, checks
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.events import changes as event_changes
from resolvers.references import ByKey
from resolvers.refusals import Invalid, NotFoundRefusal
from resolvers.storage.paging import MOST, PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import ChangeLog
from resolvers.viewer import Viewer
from schema.booking_lists import BOOKING_FILTER, booking_filter
from schema.changes import TYPES, BookingChange, EventChange
from schema.commands import given
from schema.connections import AFTER
from schema.context import Context, Info
from schema.declaring import object_type
from schema.event_filters import EVENT_FILTER, event_filter
from schema.events import Event, Seats
from schema.fields import attribute
from schema.log_cursors import end_of_log, require_kept, require_reached
from schema.references import ref_of

MOST_EVENTS = 100


@object_type(description="The seats of an event, after something changed them.")
class SeatsChange:
    cursor: str = attribute(description="The place in the log that this count includes.")
    event: Event = attribute(description="The event.")
    seats: Seats = attribute(description="Its seats now.")
    at: datetime = attribute(description="When they were counted.")


Changes = Callable[[Viewer, PageRequest], Read[ChangeLog]]
"""Reads a page of the changes that a subscriber asked for, in commit order."""


async def follow(context: Context, after: str | None, changes: Changes) -> AsyncGenerator[Any]:
    """The row of every change after a cursor, without one from now on; never ends.

    The viewer's rights are read again before each change is delivered. If they have changed, the
    page is read again with the new rights. Raises: what `renew_viewer` raises, and then nothing
    more is delivered; Invalid, for a cursor beyond the end of the log, also when the log is shorter
    than before because the database was restored; CursorExpired.
    """
    cursor = context.resume_after or after
    if cursor is None:
        position = await end_of_log(context)
    else:
        position = IN_COMMIT_ORDER.place(cursor, "after")[0]
    watch = context.feed.watch(context.viewer.organization_id)
    in_backlog = cursor is not None
    while True:
        page = PageRequest(IN_COMMIT_ORDER, MOST, after=(position,))
        await context.feed.turn()
        newest = await end_of_log(context)
        require_reached(position, newest)
        rows = await context.read(changes(context.viewer, page))
        if in_backlog:  # the changes that come later are too young to be deleted
            await require_kept(context, position)
        rights_changed = not rows and await context.renew_viewer()
        for row in rows[:MOST]:
            await context.feed.turn()
            rights_changed = await context.renew_viewer()
            if rights_changed:
                break
            context.renew_loaders()  # each change shows its subject as it is then
            position = row.position
            yield row
        if len(rows) <= MOST and not rights_changed:
            # nothing that matches is left up to `newest`, which was read before the page
            position, in_backlog = max(position, newest), False
            await watch.changed()


class _SeatCounts:
    """The seats of the watched events, and what was last told of them."""

    def __init__(self, context: Context, keys: Sequence[UUID]) -> None:
        self._context = context
        self._keys = list(keys)
        self._told: dict[UUID, Any] = {}

    async def changed(self, keys: Sequence[UUID]) -> list[tuple[Event, Seats]]:
        """Those of the events whose count is not the one last told."""
        self._context.renew_loaders()
        loaders = self._context.loaders
        rows = await loaders.load_many("event_by_id", keys)
        facts = await loaders.load_many("seats_of_event", keys)
        fresh = []
        for key, row, seats in zip(keys, rows, facts, strict=True):
            if row is not None and self._told.get(key) != seats:
                self._told[key] = seats
                fresh.append((Event.of(row), Seats.of(seats)))
        return fresh

    async def touched(self, position: int) -> tuple[list[UUID], int]:
        """The watched events whose seats the changes after a position may have changed."""
        rows = await self._context.read(change_reads.touched_since(self._context.viewer, position))
        if not rows:
            end = await end_of_log(self._context)
            # a shorter log is that of a restored database: every count may be another
            return (self._keys, end) if end < position else ([], position)
        events = {key for row in rows for key in (row.event_id, row.was_event_id)}
        rooms = {key for row in rows for key in (row.room_id, row.was_room_id)} - {None}
        here = await self._context.loaders.load_many("event_by_id", self._keys)
        touched = [
            row.id for row in here if row is not None and (row.id in events or row.room_id in rooms)
        ]
        return touched, max(row.position for row in rows)


@object_type(description="What can be watched: each begins when it is asked for and never ends.")
class Subscription:
    @strawberry.subscription(
        description="Every change that you may see. With `after`: first the backlog from the log, "
        "then live, with no gap and no double."
    )
    async def booking_changed(
        self,
        info: Info,
        filter: BOOKING_FILTER = UNSET,
        types: TYPES = UNSET,
        after: AFTER = UNSET,
    ) -> AsyncGenerator[BookingChange | None, None]:
        conditions, chosen = booking_filter(filter), given(types)

        def changes(viewer: Viewer, page: PageRequest) -> Read[ChangeLog]:
            return change_reads.changes_page(viewer, page, conditions, chosen)

        async for row in follow(info.context, given(after), changes):
            yield BookingChange.of(row)

    @strawberry.subscription(
        description="Every change of an event, with the same promises as bookingChanged. A filter "
        "finds a change when the event matches it as it was before or as it was after; its status "
        "counts as it stood at the moment of the change, free seats as they are when it is told."
    )
    async def event_changed(
        self, info: Info, filter: EVENT_FILTER = UNSET, after: AFTER = UNSET
    ) -> AsyncGenerator[EventChange | None, None]:
        context, conditions = info.context, event_filter(filter)

        def changes(viewer: Viewer, page: PageRequest) -> Read[ChangeLog]:
            return event_changes.changes_page(viewer, page, conditions, now=context.now)

        async for row in follow(context, given(after), changes):
            yield EventChange.of(row)

    @strawberry.subscription(
        description="The present seat count of each of these events, then the newest after each "
        "change of it; a slow reader too gets the newest state only. At most 100 events."
    )
    async def seats_changed(
        self,
        info: Info,
        event_ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="The events' global ids.")
        ],
    ) -> AsyncGenerator[SeatsChange | None, None]:
        context = info.context
        keys = _event_keys(event_ids)
        known = await context.loaders.load_many("event_by_id", keys)
        for n, row in enumerate(known):
            if row is None:
                raise NotFoundRefusal("eventIds", str(n), object_type="Event")
        watch = context.feed.watch(context.viewer.organization_id)
        position = await end_of_log(context)
        counts, touched = _SeatCounts(context, keys), keys
        while True:
            await context.feed.turn()
            await context.renew_viewer()
            for event, seats in await counts.changed(touched):
                await context.renew_viewer()
                cursor = IN_COMMIT_ORDER.cursor(_At(position))
                yield SeatsChange(cursor=cursor, event=event, seats=seats, at=context.now)
            touched, position = await counts.touched(position)
            if not touched:
                await watch.changed()


class _At:
    """A place in the log that is no change of a booking."""

    def __init__(self, position: int) -> None:
        self.position = position


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
