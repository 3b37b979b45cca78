"""The sources of subscriptions: changes of bookings, changes of events, seats of events.

When iterated, a source reads the log after every commit. The gateway instead reads the log once for
all subscribers, and lets each source select the changes that it delivers.
"""

import abc
from collections.abc import AsyncGenerator, Sequence
from types import TracebackType
from typing import Any
from uuid import UUID

from resolvers import change_reads
from resolvers.bookings.matching import Matcher, matcher_of
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.events import changes as event_changes
from resolvers.refusals import NotFoundRefusal
from resolvers.storage.filters import NO_FILTER, Filter
from resolvers.storage.paging import MOST, PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import ChangeLog
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType
from schema.changes.seats import SeatsChange
from schema.changes.types import BookingChange, EventChange
from schema.events.types import Event, Seats
from schema.grammar.context import Context
from schema.grammar.log_cursors import end_of_log, require_kept, require_reached


class ChangeSource(AsyncGenerator[Any, None], abc.ABC):
    """The source of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._events: AsyncGenerator[Any, None] | None = None

    @abc.abstractmethod
    def events(self) -> AsyncGenerator[Any, None]:
        """Yield each event with the viewer's rights at that time; never ends."""

    def _started(self) -> AsyncGenerator[Any, None]:
        if self._events is None:
            self._events = self.events()
        return self._events

    async def asend(self, value: None) -> Any:
        return await self._started().asend(value)

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> Any:
        error = typ if isinstance(typ, BaseException) else typ()
        return await self._started().athrow(error)

    async def aclose(self) -> None:
        if self._events is not None:
            await self._events.aclose()


class Changes(ChangeSource):
    """Changes after a cursor; without a cursor, changes from now on."""

    def __init__(self, context: Context, after: str | None) -> None:
        super().__init__(context)
        self._after = context.resume_after or after

    @abc.abstractmethod
    def page(self, viewer: Viewer, page: PageRequest) -> Read[ChangeLog]:
        """Return a page of the changes that the viewer receives, in commit order."""

    @abc.abstractmethod
    def payload(self, row: ChangeLog) -> Any:
        """Return the value of the subscription's field for a change."""

    @property
    def has_backlog(self) -> bool:
        """Whether the log may already contain changes to deliver."""
        return self._after is not None

    async def first_position(self) -> int:
        """Return the position after which changes are delivered. Raises: Invalid."""
        if self._after is None:
            return await end_of_log(self._context)
        position: int = IN_COMMIT_ORDER.place(self._after, "after")[0]
        return position

    async def events(self) -> AsyncGenerator[Any, None]:
        async for row in self.rows():
            yield self.payload(row)

    async def rows(self) -> AsyncGenerator[ChangeLog, None]:
        """Yield the row of every change; never ends.

        The viewer's rights are read again before each change is delivered. If they have changed,
        the page is read again with the new rights. Raises: the errors of `renew_viewer`, which end
        the subscription; Invalid, for a cursor beyond the end of the log, also when the log is
        shorter than before because the database was restored; CursorExpired.
        """
        context = self._context
        position = await self.first_position()
        in_backlog = self.has_backlog
        watch = context.feed.watch(context.viewer.organization_id)
        while True:
            page = PageRequest(IN_COMMIT_ORDER, MOST, after=(position,))
            await context.feed.turn()
            newest = await end_of_log(context)
            require_reached(position, newest)
            rows = await context.read(self.page(context.viewer, page))
            if in_backlog:  # later changes are too recent to be deleted
                await require_kept(context, position)
            rights_changed = not rows and await context.renew_viewer()
            for row in rows[:MOST]:
                await context.feed.turn()
                rights_changed = await context.renew_viewer()
                if rights_changed:
                    break
                context.renew_loaders()  # each change shows its subject as it is at delivery
                position = row.position
                yield row
            if len(rows) <= MOST and not rights_changed:
                # no matching change remains up to `newest`, which was read before the page
                position, in_backlog = max(position, newest), False
                await watch.changed()


class BookingChanges(Changes):
    """Changes of bookings that match a filter before or after the change."""

    def __init__(
        self,
        context: Context,
        after: str | None,
        filter: Filter,
        types: Sequence[ChangeType] | None,
    ) -> None:
        super().__init__(context, after)
        self._filter, self._types = filter, types

    def page(self, viewer: Viewer, page: PageRequest) -> Read[ChangeLog]:
        return change_reads.changes_page(viewer, page, self._filter, self._types)

    def payload(self, row: ChangeLog) -> Any:
        return BookingChange.of(row)

    def matcher(self, viewer: Viewer) -> Matcher:
        """Return the matcher of the changes that the viewer receives. Raises: PermissionRefusal."""
        return matcher_of(viewer, self._filter, self._types)


class EventChanges(Changes):
    """Changes of events that match a filter before or after the change."""

    def __init__(self, context: Context, after: str | None, filter: Filter) -> None:
        super().__init__(context, after)
        self._filter = filter

    @property
    def is_filtered(self) -> bool:
        return self._filter != NO_FILTER

    def page(self, viewer: Viewer, page: PageRequest) -> Read[ChangeLog]:
        return event_changes.changes_page(viewer, page, self._filter, now=self._context.now)

    def payload(self, row: ChangeLog) -> Any:
        return EventChange.of(row)


class SeatCounts(ChangeSource):
    """The seats of events: first their counts, then the newest counts after each change."""

    def __init__(self, context: Context, keys: Sequence[UUID]) -> None:
        super().__init__(context)
        self.keys = list(keys)
        self._delivered: dict[UUID, Any] = {}

    async def events_that_exist(self) -> list[Any]:
        """Return the rows of the events. Raises: NotFoundRefusal, if one does not exist."""
        known = await self._context.loaders.load_many("event_by_id", self.keys)
        for n, row in enumerate(known):
            if row is None:
                raise NotFoundRefusal("eventIds", str(n), object_type="Event")
        return known

    async def events(self) -> AsyncGenerator[Any, None]:
        context = self._context
        await self.events_that_exist()
        watch = context.feed.watch(context.viewer.organization_id)
        position = await end_of_log(context)
        touched = self.keys
        while True:
            await context.feed.turn()
            await context.renew_viewer()
            for event, seats in await self._changed(touched):
                await context.renew_viewer()
                yield SeatsChange.at_position(position, event, seats, context.now)
            touched, position = await self._touched(position)
            if not touched:
                await watch.changed()

    async def _changed(self, keys: Sequence[UUID]) -> list[tuple[Event, Seats]]:
        """Return the events whose count differs from the last one delivered."""
        self._context.renew_loaders()
        fresh = []
        for key, (row, seats) in (await counted(self._context, keys)).items():
            if self._delivered.get(key) != seats:
                self._delivered[key] = seats
                fresh.append((Event.of(row), Seats.of(seats)))
        return fresh

    async def _touched(self, position: int) -> tuple[list[UUID], int]:
        """Return the watched events whose seats may have changed after a position."""
        rows = await self._context.read(change_reads.touched_since(self._context.viewer, position))
        if not rows:
            end = await end_of_log(self._context)
            # a shorter log means a restored database: every count may differ
            return (self.keys, end) if end < position else ([], position)
        events = {key for row in rows for key in (row.event_id, row.was_event_id)}
        rooms = {key for row in rows for key in (row.room_id, row.was_room_id)} - {None}
        here = await self._context.loaders.load_many("event_by_id", self.keys)
        touched = [
            row.id for row in here if row is not None and (row.id in events or row.room_id in rooms)
        ]
        return touched, max(row.position for row in rows)


async def counted(context: Context, keys: Sequence[UUID]) -> dict[UUID, tuple[Any, Any]]:
    """Return the row and the seats of each event that exists, by key."""
    rows = await context.loaders.load_many("event_by_id", keys)
    seats = await context.loaders.load_many("seats_of_event", keys)
    found = zip(keys, rows, seats, strict=True)
    return {key: (row, count) for key, row, count in found if row is not None}
