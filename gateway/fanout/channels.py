"""The changes of one organization: each slice of its log is read once, and given to the groups."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from gateway.auth import Authenticator, Claims
from gateway.change_feed import ChangeFeed
from gateway.fanout.groups import (
    RETRY_SECONDS,
    BookingGroup,
    ChangeGroup,
    EventGroup,
    SeatsGroup,
)
from gateway.fanout.index import MatchIndex
from gateway.fanout.subscribers import ChangeSubscriber, SeatsSubscriber, Subscriber
from gateway.subscribed import ActiveSubscription
from resolvers import change_reads
from resolvers.bookings.matching import Change
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.organizations.reads import log_positions
from resolvers.refusals import Invalid
from resolvers.storage import Overloaded, Storage
from resolvers.storage.paging import MOST, PageRequest
from resolvers.viewer import Viewer
from schema.changes.followed import BookingChanges, counted
from schema.grammar.context import Context
from schema.grammar.log_cursors import BEYOND

logger = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 0.01
"""Between two reads of a log: under a rush, the commits of this time are read together."""

G = TypeVar("G", ChangeGroup, SeatsGroup)

SLICE: Final = MOST
"""So many changes are read at a time; a page of those that a filter finds holds them all."""


class Channel:
    """Follows the log of one organization for its subscribers."""

    def __init__(
        self,
        organization_id: UUID,
        *,
        storage: Storage,
        feed: ChangeFeed,
        authenticator: Authenticator,
        make_context: Callable[[Viewer], Context],
        slots: asyncio.Semaphore,
        read_seconds: float,
        when_idle: Callable[[UUID], None],
    ) -> None:
        self.position = self.read_up_to = 0
        self.read_seconds = read_seconds
        self.make_context = make_context
        self.turn = feed.turn
        self._organization_id = organization_id
        self._storage = storage
        self._authenticator = authenticator
        self._slots = slots
        self._when_idle = when_idle
        self._watch = feed.watch(organization_id)
        self._subscribers: set[Subscriber] = set()
        self._by_claims: defaultdict[Claims, set[Subscriber]] = defaultdict(set)
        self._viewers: dict[Claims, Viewer | None] = {}
        self._groups: dict[Hashable, ChangeGroup | SeatsGroup] = {}
        self._bookings = MatchIndex()
        self._events: set[EventGroup] = set()
        self._seats: defaultdict[UUID, set[SeatsGroup]] = defaultdict(set)
        self._room_of: dict[UUID, UUID | None] = {}
        self._uncounted: set[UUID] = set()
        self._following: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to follow the log at its end. Raises: Overloaded."""
        self.position = self.read_up_to = await self._newest()
        self._following = asyncio.create_task(self._follow(), name="channel of changes")

    @property
    def is_idle(self) -> bool:
        """Whether it has no subscribers."""
        return not self._subscribers

    def close(self) -> None:
        """End every subscription."""
        if self._following is not None:
            self._following.cancel()
        for subscriber in list(self._subscribers):
            subscriber.cancel()

    # Subscribers

    def enter(self, subscriber: Subscriber) -> None:
        """Take note of a subscriber that is about to start."""
        self._subscribers.add(subscriber)
        self._by_claims[subscriber.claims].add(subscriber)

    def forget(self, subscriber: Subscriber) -> None:
        """Forget a subscriber that has ended."""
        self._subscribers.discard(subscriber)
        others = self._by_claims[subscriber.claims]
        others.discard(subscriber)
        if not others:
            del self._by_claims[subscriber.claims]
            self._viewers.pop(subscriber.claims, None)
        if not self._subscribers:
            self._when_idle(self._organization_id)

    async def viewer_now(self, claims: Claims) -> Viewer:
        """The viewer with its present rights. Raises: Unauthenticated."""
        [found] = (await self._authenticator.viewers_now([claims])).values()
        if isinstance(found, Exception):
            raise found
        return found

    def join_changes(self, subscriber: ChangeSubscriber) -> ChangeGroup:
        """Deliver to a subscriber what comes after its position and what the channel has read.

        Raises: PermissionRefusal, for a filter that its viewer may not use.
        """
        is_of_bookings = isinstance(subscriber.subscribed.source, BookingChanges)
        group: ChangeGroup = self._group_of(
            subscriber, BookingGroup if is_of_bookings else EventGroup
        )
        group.members.add(subscriber)
        subscriber.joined_at = max(subscriber.position, self.read_up_to)
        return group

    def join_seats(self, subscriber: SeatsSubscriber) -> SeatsGroup:
        """Deliver to a subscriber the counts that change from now on."""
        group: SeatsGroup = self._group_of(subscriber, SeatsGroup)
        group.members.add(subscriber)
        return group

    def _group_of(self, subscriber: Subscriber, make: Callable[..., G]) -> G:
        subscribed, viewer = subscriber.subscribed, subscriber.viewer
        if self._viewers.setdefault(subscriber.claims, viewer) != viewer:
            self._viewers[subscriber.claims] = None  # one of them has rights of before
        key = (subscribed.key, _rights(viewer, subscribed))
        group: Any = self._groups.get(key)
        if group is None:
            group = self._groups[key] = make(
                key, subscribed, viewer, self._slots, self.make_context
            )
            match group:
                case BookingGroup():
                    self._bookings.add(group)
                case EventGroup():
                    self._events.add(group)
                case SeatsGroup():
                    for event in group.keys:
                        self._seats[event].add(group)
        subscriber.subscribed = group.subscribed  # one for all, so that each holds less memory
        return group  # type: ignore[no-any-return]

    def leave(self, group: ChangeGroup | SeatsGroup, subscriber: Any) -> None:
        """Deliver nothing more to a member of a group."""
        group.members.discard(subscriber)
        if group.members or self._groups.get(group.key) is not group:
            return
        del self._groups[group.key]
        group.close()
        match group:
            case BookingGroup():
                self._bookings.remove(group)
            case EventGroup():
                self._events.discard(group)
            case SeatsGroup():
                for event in group.keys:
                    self._seats[event].discard(group)
                    if not self._seats[event]:
                        del self._seats[event]
                        self._room_of.pop(event, None)

    def set_rooms(self, events: Iterable[Any]) -> None:
        """Take note of the rooms of events, unless a later change has told of them."""
        for event in events:
            if event.id in self._seats:
                self._room_of.setdefault(event.id, event.room_id)

    # The log

    async def _follow(self) -> None:
        while True:
            await self._watch.changed()
            try:
                await self._deliver_new()
            except Overloaded:
                self._retry()
            except Exception:
                logger.exception("Changes could not be delivered; the channel tries again")
                self._retry()
            await asyncio.sleep(PAUSE_SECONDS)

    def _retry(self) -> None:
        """Deliver again after a while."""
        asyncio.get_running_loop().call_later(RETRY_SECONDS, self._watch.wake)

    async def _deliver_new(self) -> None:
        """Deliver what was committed since the last slice."""
        while True:
            read = change_reads.slice_after(self._organization_id, self.position, SLICE)
            rows = await self._storage.read(read)
            if rows:
                await self._deliver(rows)
            elif await self._newest() < self.position:
                await self._restored()
            await self._deliver_seats()
            if len(rows) < SLICE:
                return

    async def _newest(self) -> int:
        rows = await self._storage.read(log_positions([self._organization_id]))
        return rows[0].position if rows else 0

    async def _restored(self) -> None:
        """The log is shorter than before: the database was restored from a backup."""
        self.position = self.read_up_to = await self._newest()
        for subscriber in list(self._subscribers):
            if isinstance(subscriber, ChangeSubscriber):
                subscriber.end(Invalid("after", rule=BEYOND))
        self._uncounted.update(self._seats)

    async def _deliver(self, rows: Sequence[Any]) -> None:
        """Give a slice to the groups that receive its changes.

        A subscriber that joins meanwhile reads these changes for itself: its rights may have been
        read before those of the others.
        """
        self.read_up_to = rows[-1].position
        await self._renew_rights()
        changes = [Change(row) for row in rows if row.booking_type is not None]
        await self._add_facts(changes)
        by_event = await self._matching_events(rows)
        due: defaultdict[ChangeGroup, list[Any]] = defaultdict(list)
        for change in changes:
            for group in self._bookings.matching(change):
                due[group].append(change.row)
        for group, found in by_event:
            due[group] += found
        self.position = rows[-1].position
        for group, found in due.items():
            group.deliver(found)
        self._uncounted.update(self._touched(rows))

    async def _renew_rights(self) -> None:
        """Read the viewers' rights again, and move those whose rights have changed.

        The subscribers of a caller are looked at only if its rights are not those that they have.
        """
        found = await self._authenticator.viewers_now(list(self._by_claims))
        for claims, viewer in found.items():
            if viewer == self._viewers.get(claims):
                continue
            self._viewers[claims] = None if isinstance(viewer, Exception) else viewer
            for subscriber in list(self._by_claims.get(claims, ())):
                if isinstance(viewer, Exception):
                    subscriber.end(viewer)
                elif viewer != subscriber.viewer:
                    subscriber.rights_changed(viewer)

    async def _add_facts(self, changes: Sequence[Change]) -> None:
        """Read what matchers need and the log does not record."""
        candidates: dict[UUID, Any] = {}
        markers: dict[UUID, frozenset[UUID]] = {}
        if self._bookings.needs_candidates:
            keys = {change.row.candidate_id for change in changes} - {None}
            read = change_reads.candidate_texts_of(self._organization_id, sorted(keys))
            candidates = {row.id: row for row in await self._storage.read(read)}
        if self._bookings.needs_markers:
            keys = {change.row.booking_id for change in changes}
            marked = change_reads.markers_of(self._organization_id, sorted(keys))
            for row in await self._storage.read(marked):
                users = (row.marker_user_id, row.moderator_user_id)
                markers[row.id] = frozenset(user for user in users if user is not None)
        for change in changes:
            row = change.row
            change.add(candidates.get(row.candidate_id), markers.get(row.booking_id, frozenset()))

    async def _matching_events(self, rows: Sequence[Any]) -> list[tuple[EventGroup, list[Any]]]:
        """The changes of events that each group receives. Events change seldom: SQL decides."""
        of_events = [row for row in rows if row.event_type is not None]
        found = []
        for group in list(self._events) if of_events else ():
            received = of_events
            if group.source.is_filtered:
                page = PageRequest(IN_COMMIT_ORDER, MOST, after=(rows[0].position - 1,))
                matching = await self._storage.read(group.source.page(group.viewer, page))
                positions = {row.position for row in matching}
                received = [row for row in of_events if row.position in positions]
            if received:
                found.append((group, received))
        return found

    # Seats

    def _touched(self, rows: Sequence[Any]) -> list[UUID]:
        """The events that subscribers follow and whose seats these changes may have changed."""
        if not self._seats:
            return []
        events = {key for row in rows for key in (row.event_id, row.was_event_id)}
        rooms = {key for row in rows for key in (row.room_id, row.was_room_id)} - {None}
        return [
            event for event in self._seats if event in events or self._room_of.get(event) in rooms
        ]

    async def _deliver_seats(self) -> None:
        """Count the seats of events once for all groups.

        Raises: Overloaded; then the events stay uncounted, and the next call counts them.
        """
        keys = [key for key in self._uncounted if key in self._seats]
        group = next((group for key in keys for group in self._seats[key]), None)
        if group is not None:
            for key, (row, seats) in (await counted(self.make_context(group.viewer), keys)).items():
                if key in self._seats:
                    self._room_of[key] = row.room_id
                for each in self._seats.get(key, ()):
                    each.deliver(key, row, seats, self.position)
        self._uncounted.clear()


def _rights(viewer: Viewer, subscribed: ActiveSubscription) -> Hashable:
    """What decides which results a viewer receives; viewers with the same share a group."""
    if subscribed.depends_on_user:
        return viewer
    return (viewer.role, viewer.permissions, viewer.scope)
