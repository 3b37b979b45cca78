"""One subscription: it reads the log until it has caught up, and then its group delivers to it."""

import abc
import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from graphql import GraphQLError

from gateway.auth import Claims
from gateway.fanout.groups import NEVER, RETRY_SECONDS, ChangeGroup, SeatsGroup, executed
from gateway.fanout.outlets import Outlet
from gateway.subscribed import ActiveSubscription
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.storage import Overloaded
from resolvers.storage.paging import MOST, PageRequest
from resolvers.viewer import Viewer
from schema.changes.followed import Changes, SeatCounts, counted
from schema.changes.seats import SeatsChange, cursor_at
from schema.events.types import Event, Seats
from schema.grammar.context import Context
from schema.grammar.log_cursors import end_of_log, require_kept, require_reached

logger = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, None]]

MOST_PENDING: Final = 1_000
"""So many results wait for a subscriber that reads the last changes before it goes on live."""

TOO_SLOW: Final = "SUBSCRIBER_TOO_SLOW"


class Channel(Protocol):
    """The changes of one organization, as its subscribers know them."""

    position: int
    """The position of the log up to which changes were given to the groups."""

    read_up_to: int
    """The position up to which changes were read; a subscriber joins its group after it."""

    read_seconds: float
    """For so long a client may leave its results unread."""

    def make_context(self, viewer: Viewer) -> Context: ...

    async def viewer_now(self, claims: Claims) -> Viewer:
        """The viewer with its present rights. Raises: Unauthenticated."""

    async def turn(self) -> None:
        """Return when the subscriber may read its next change: subscribers take turns."""

    def join_changes(self, subscriber: "ChangeSubscriber") -> ChangeGroup: ...

    def join_seats(self, subscriber: "SeatsSubscriber") -> SeatsGroup: ...

    def set_rooms(self, events: Iterable[Any]) -> None:
        """Take note of the rooms of events whose seats a subscriber follows."""

    def leave(self, group: ChangeGroup | SeatsGroup, subscriber: Any) -> None: ...

    def forget(self, subscriber: "Subscriber") -> None:
        """Forget a subscriber that has ended."""


class Subscriber(abc.ABC):
    """One subscription of one client."""

    def __init__(
        self,
        channel: Channel,
        subscribed: ActiveSubscription,
        claims: Claims,
        viewer: Viewer,
        outlet: Outlet,
    ) -> None:
        self.subscribed = subscribed
        self.claims = claims
        self.viewer = viewer
        self._channel = channel
        self._outlet = outlet
        self._task: asyncio.Task[None] | None = None
        self._has_ended = False

    def start(self) -> None:
        """Begin to deliver."""
        self._do(self._begin)

    def cancel(self) -> None:
        """Deliver nothing more: the client has ended the subscription, or has gone."""
        if not self._has_ended:
            self._has_ended = True
            self._leave()
            self._stop()
            self._channel.forget(self)
            self._outlet.close()

    def end(self, error: Exception) -> None:
        """Deliver nothing more but this error."""
        if not self._has_ended:
            self.cancel()
            self._outlet.fail(error)

    @abc.abstractmethod
    def rights_changed(self, viewer: Viewer) -> None:
        """Go on with other rights, before the next change is delivered."""

    @abc.abstractmethod
    async def _begin(self) -> None:
        """Deliver what is due at first, and join a group."""

    @abc.abstractmethod
    def _leave(self) -> None:
        """Leave the group."""

    def _do(self, work: Work) -> None:
        """Work on its own, in place of what it was doing."""
        self._stop()
        self._task = asyncio.create_task(self._work(work), name="subscriber")

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _work(self, work: Work) -> None:
        try:
            await self._until_done(work)
        except Exception as error:
            self.end(error)
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _until_done(self, work: Work) -> None:
        """Work, and begin again while the database does not answer."""
        while True:
            try:
                return await work()
            except Overloaded:
                await asyncio.sleep(RETRY_SECONDS)

    async def _send(self, payload: bytes, cursor: str) -> None:
        """Send a result, and wait while the client does not read. Raises: GraphQLError."""
        if not self._outlet.send(payload, cursor):
            await self._writable(cursor)

    async def _writable(self, cursor: str) -> None:
        try:
            async with asyncio.timeout(self._channel.read_seconds):
                await self._outlet.writable()
        except TimeoutError:
            rule = "The client did not read its results in time. Subscribe again after lastCursor."
            extensions = {"code": TOO_SLOW, "lastCursor": cursor}
            raise GraphQLError(rule, extensions=extensions) from None


class ChangeSubscriber(Subscriber):
    """A subscription to changes. Its group knows it as a `ChangeMember`.

    Everything up to `position` was delivered, or is not for this subscriber. While it reads the
    last changes before it goes on live, what its group delivers is pending.
    """

    def __init__(
        self,
        channel: Channel,
        subscribed: ActiveSubscription,
        claims: Claims,
        viewer: Viewer,
        outlet: Outlet,
    ) -> None:
        super().__init__(channel, subscribed, claims, viewer, outlet)
        self.position = 0
        self.joined_at = NEVER
        self._group: ChangeGroup | None = None
        self._pending: deque[tuple[bytes, int, str]] | None = None

    # As its group knows it

    def deliver(self, payload: bytes, position: int, cursor: str) -> None:
        """Send a result, or keep it until what comes before it was sent."""
        if self._pending is not None:
            self._pending.append((payload, position, cursor))
            if len(self._pending) > MOST_PENDING:
                self._leave()
                self._do(self._catch_up)
            return
        self.position = position
        if not self._outlet.send(payload, cursor):
            self._leave()
            self._do(partial(self._catch_up, cursor))

    def fall_behind(self, delivered: int) -> None:
        """Leave the group, which has delivered everything up to a position, and read the log."""
        if self._pending is None:
            self.position = max(self.position, delivered)
        self._leave()
        self._do(self._catch_up)

    def rights_changed(self, viewer: Viewer) -> None:
        """Leave the group. A subscriber that reads the log finds out by itself."""
        if self._group is not None:
            self.viewer = viewer
            self.fall_behind(self._group.delivered(self._channel.position))

    def _leave(self) -> None:
        group, self._group = self._group, None
        self.joined_at = NEVER
        self._pending = None
        if group is not None:
            self._channel.leave(group, self)

    # By itself

    @property
    def _source(self) -> Changes:
        source = self.subscribed.source
        assert isinstance(source, Changes)
        return source

    async def _begin(self) -> None:
        self.position = await self._source.first_position()
        if self._source.has_backlog or self._channel.read_up_to > self.position:
            # by itself: after a failure, the position is where it has come to
            await self._until_done(self._catch_up)
        else:
            self._join()

    async def _catch_up(self, unread: str | None = None) -> None:
        """Read the log up to its end, and go on live; first wait until the client has read."""
        self._leave()
        if unread is not None:
            await self._writable(unread)
        while True:
            await self._channel.turn()
            context = self._channel.make_context(self.viewer)
            newest = await end_of_log(context)
            require_reached(self.position, newest)
            rows = await context.read(self._page())
            await require_kept(context, self.position)
            if await self._send_rows(context, rows[:MOST]) and len(rows) <= MOST:
                # nothing for this subscriber is left up to `newest`, which was read before the page
                self.position = max(self.position, newest)
                break
        if self._channel.read_up_to <= self.position:
            self._join()
        else:
            await self._join_ahead()

    def _page(self) -> Any:
        return self._source.page(
            self.viewer, PageRequest(IN_COMMIT_ORDER, MOST, after=(self.position,))
        )

    async def _send_rows(self, context: Context, rows: Sequence[Any]) -> bool:
        """Deliver changes that were read with the viewer's rights; False if these have changed.

        The rights are read again before each change.
        """
        if not rows:
            return await self._has_same_rights()
        for row in rows:
            await self._channel.turn()
            if not await self._has_same_rights():
                return False
            context.renew_loaders()  # each change shows its subject as it is then
            [payload] = await executed(self.subscribed, context, [self._source.payload(row)])
            self.position = row.position
            await self._send(payload, cursor_at(row.position))
        return True

    async def _has_same_rights(self) -> bool:
        before, self.viewer = self.viewer, await self._channel.viewer_now(self.claims)
        return self.viewer == before

    def _join(self) -> None:
        self._group = self._channel.join_changes(self)

    async def _join_ahead(self) -> None:
        """Join a group that is further in the log; the changes in between are read meanwhile."""
        self._pending = deque()
        self._join()
        last = self.joined_at
        while True:
            context = self._channel.make_context(self.viewer)
            rows = await context.read(self._page())
            missed = [row for row in rows[:MOST] if row.position <= last]
            if not await self._send_rows(context, missed):
                self._leave()
                await self._catch_up()
                return
            if len(missed) < MOST:
                break
        while self._pending:
            payload, position, cursor = self._pending.popleft()
            self.position = position
            await self._send(payload, cursor)
        self.position = max(self.position, last)
        self._pending = None


class SeatsSubscriber(Subscriber):
    """A subscription to the seats of events. Its group knows it as a `SeatsMember`.

    While it counts by itself, at first and after its client did not read, it only takes note of the
    events whose counts may have changed.
    """

    def __init__(
        self,
        channel: Channel,
        subscribed: ActiveSubscription,
        claims: Claims,
        viewer: Viewer,
        outlet: Outlet,
    ) -> None:
        super().__init__(channel, subscribed, claims, viewer, outlet)
        self._group: SeatsGroup | None = None
        self._sent: dict[UUID, tuple[Any, int]] = {}
        self._uncounted: dict[UUID, None] = {}

    # As its group knows it

    def needs(self, key: UUID, seats: Any, position: int) -> bool:
        """Whether the count of an event at a position of the log is newer and different."""
        if self._group is None:
            return False
        if self._task is not None:
            self._uncounted[key] = None
            return False
        sent = self._sent.get(key)
        return sent is None or (sent[0] != seats and sent[1] <= position)

    def deliver(self, payload: bytes, key: UUID, seats: Any, position: int) -> None:
        self._sent[key] = (seats, position)
        cursor = cursor_at(position)
        if not self._outlet.send(payload, cursor):
            self._do(partial(self._count, cursor))

    def rights_changed(self, viewer: Viewer) -> None:
        self._leave()
        self.viewer = viewer
        self._group = self._channel.join_seats(self)

    def _leave(self) -> None:
        group, self._group = self._group, None
        if group is not None:
            self._channel.leave(group, self)

    # By itself

    async def _begin(self) -> None:
        source = self.subscribed.source
        assert isinstance(source, SeatCounts)
        self._uncounted = dict.fromkeys(source.keys)
        if self._group is None:
            self._group = self._channel.join_seats(self)
        self._channel.set_rooms(await source.events_that_exist())
        await self._count()

    async def _count(self, unread: str | None = None) -> None:
        """Send the newest counts, once the client has read what it was sent."""
        if unread is not None:
            await self._writable(unread)
        while self._uncounted:
            await self._channel.turn()
            viewer = await self._channel.viewer_now(self.claims)
            if viewer != self.viewer:
                self.rights_changed(viewer)
            keys, self._uncounted = self._uncounted, {}
            try:
                await self._send_counts(list(keys))
            except Overloaded:
                self._uncounted |= keys
                raise
        self._task = None

    async def _send_counts(self, keys: Sequence[UUID]) -> None:
        """Send the present counts of events, unless they were sent before. Raises: Overloaded."""
        context = self._channel.make_context(self.viewer)
        position = await end_of_log(context)
        for key, (row, seats) in (await counted(context, keys)).items():
            if key in self._sent and self._sent[key][0] == seats:
                continue
            change = SeatsChange.at_position(position, Event.of(row), Seats.of(seats), context.now)
            [payload] = await executed(self.subscribed, context, [change])
            self._sent[key] = (seats, position)
            await self._send(payload, cursor_at(position))
