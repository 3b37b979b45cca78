"""Subscribers with the same document, variables and access rights: one execution, shared bytes."""

import abc
import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Sequence
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from graphql import ExecutionResult

from gateway import errors
from gateway.subscribed import ActiveSubscription
from resolvers.bookings.matching import Matcher
from resolvers.storage import Overloaded
from resolvers.viewer import Viewer
from schema.changes.followed import BookingChanges, Changes, EventChanges, SeatCounts
from schema.changes.seats import SeatsChange, cursor_at
from schema.events.types import Event, Seats
from schema.grammar.context import Context

T = TypeVar("T")

RETRY_SECONDS: Final = 1.0
"""How long a group waits for a database that does not answer."""

AT_ONCE: Final = 500
"""To so many members a result is sent before other work goes on."""

NEVER: Final = 2**63
"""Beyond every position of a log."""

MOST_DUE: Final = 1_000
"""So many changes wait for one group; beyond, its members read the log for themselves."""


MakeContext = Callable[[Viewer], Context]
"""Makes the context of an execution.

No two groups share one: a group that ends cancels what its context reads.
"""


async def executed(
    subscribed: ActiveSubscription, context: Context, payloads: Sequence[Any]
) -> list[bytes]:
    """The JSON of the responses for these payloads.

    While the database does not answer, waits and executes again.
    """
    while True:
        results = await subscribed.answers(context, payloads)
        if not any(_is_overloaded(result) for result in results):
            limit = context.max_response_bytes
            return [errors.encoded_within(errors.answer(r), limit, bool) for r in results]
        await asyncio.sleep(RETRY_SECONDS)
        context.renew_loaders()


def _is_overloaded(result: ExecutionResult) -> bool:
    return any(isinstance(error.original_error, Overloaded) for error in result.errors or ())


async def _in_parts(members: Collection[T]) -> AsyncIterator[Sequence[T]]:
    """The members, a part at a time; other work goes on in between."""
    present = list(members)
    for begin in range(0, len(present), AT_ONCE):
        if begin:
            await asyncio.sleep(0)
        yield present[begin : begin + AT_ONCE]


class ChangeMember(Protocol):
    """A subscriber to changes, as its group knows it."""

    joined_at: int
    """The position of the log after which the group delivers to it; NEVER once it has left."""

    def deliver(self, payload: bytes, position: int, cursor: str) -> None: ...

    def fall_behind(self, delivered: int) -> None:
        """Leave the group, which has delivered everything up to a position, and read the log."""

    def end(self, error: Exception) -> None:
        """End the subscription with an error."""


class SeatsMember(Protocol):
    """A subscriber to the seats of events, as its group knows it."""

    def needs(self, key: UUID, seats: Any, position: int) -> bool:
        """Whether the count of an event at a position of the log is newer and different."""

    def deliver(self, payload: bytes, key: UUID, seats: Any, position: int) -> None: ...

    def end(self, error: Exception) -> None:
        """End the subscription with an error."""


class _Group(abc.ABC):
    """What groups of every kind have in common: a task that delivers what is due, in order."""

    def __init__(
        self,
        key: Hashable,
        subscribed: ActiveSubscription,
        viewer: Viewer,
        slots: asyncio.Semaphore,
        make_context: MakeContext,
    ) -> None:
        self.key = key
        self.viewer = viewer
        self.subscribed = subscribed
        self._slots = slots
        self._make_context = make_context
        self._delivering: asyncio.Task[None] | None = None

    def _begin(self) -> None:
        if self._delivering is None:
            self._delivering = asyncio.create_task(self._run(), name="delivery of changes")

    async def _run(self) -> None:
        try:
            await self._deliver_due()
        finally:
            self._delivering = None

    @abc.abstractmethod
    async def _deliver_due(self) -> None:
        """Deliver until nothing is due."""

    def close(self) -> None:
        """Deliver nothing more."""
        if self._delivering is not None:
            self._delivering.cancel()

    async def _executed(self, payloads: Sequence[Any]) -> list[bytes]:
        context = self._make_context(self.viewer)
        async with self._slots:
            return await executed(self.subscribed, context, payloads)


class ChangeGroup(_Group):
    """The subscribers to the same changes."""

    def __init__(
        self,
        key: Hashable,
        subscribed: ActiveSubscription,
        viewer: Viewer,
        slots: asyncio.Semaphore,
        make_context: MakeContext,
    ) -> None:
        super().__init__(key, subscribed, viewer, slots, make_context)
        source = subscribed.source
        assert isinstance(source, Changes)
        self.source: Changes = source
        self.members: set[ChangeMember] = set()
        self._due: deque[list[Any]] = deque()
        self._due_count = 0

    def deliver(self, rows: list[Any]) -> None:
        """Deliver changes to the members, after those that are due already."""
        self._due.append(rows)
        self._due_count += len(rows)
        if self._due_count > MOST_DUE:
            self._give_up()
        else:
            self._begin()

    def delivered(self, position: int) -> int:
        """Up to which position everything has been delivered, if the channel is at `position`."""
        return self._due[0][0].position - 1 if self._due else position

    def _give_up(self) -> None:
        delivered = self.delivered(0)
        self.close()
        self._due.clear()
        self._due_count = 0
        for member in list(self.members):
            member.fall_behind(delivered)

    async def _deliver_due(self) -> None:
        while self._due:
            rows = self._due[0]
            try:
                await self._deliver(rows)
            except Exception as error:
                for member in list(self.members):
                    member.end(error)
            self._due.popleft()
            self._due_count -= len(rows)

    async def _deliver(self, rows: Sequence[Any]) -> None:
        if not self.members:
            return
        payloads = await self._executed([self.source.payload(row) for row in rows])
        for row, payload in zip(rows, payloads, strict=True):
            position, cursor = row.position, cursor_at(row.position)
            async for some in _in_parts(self.members):
                for member in some:
                    if member.joined_at < position:
                        member.deliver(payload, position, cursor)


class BookingGroup(ChangeGroup):
    """The subscribers to the same changes of bookings. Raises: PermissionRefusal."""

    def __init__(
        self,
        key: Hashable,
        subscribed: ActiveSubscription,
        viewer: Viewer,
        slots: asyncio.Semaphore,
        make_context: MakeContext,
    ) -> None:
        super().__init__(key, subscribed, viewer, slots, make_context)
        assert isinstance(self.source, BookingChanges)
        self.matcher: Matcher = self.source.matcher(viewer)


class EventGroup(ChangeGroup):
    """The subscribers to the same changes of events."""

    source: EventChanges


class SeatsGroup(_Group):
    """The subscribers to the seats of the same events."""

    def __init__(
        self,
        key: Hashable,
        subscribed: ActiveSubscription,
        viewer: Viewer,
        slots: asyncio.Semaphore,
        make_context: MakeContext,
    ) -> None:
        super().__init__(key, subscribed, viewer, slots, make_context)
        assert isinstance(subscribed.source, SeatCounts)
        self.keys = subscribed.source.keys
        self.members: set[SeatsMember] = set()
        self._due: dict[UUID, tuple[Any, Any, int]] = {}

    def deliver(self, key: UUID, row: Any, seats: Any, position: int) -> None:
        """Deliver the newest count of an event to the members; it replaces one that is due."""
        self._due[key] = (row, seats, position)
        self._begin()

    async def _deliver_due(self) -> None:
        while self._due:
            key = next(iter(self._due))
            row, seats, position = self._due.pop(key)
            try:
                await self._deliver(key, row, seats, position)
            except Exception as error:
                for member in list(self.members):
                    member.end(error)

    async def _deliver(self, key: UUID, row: Any, seats: Any, position: int) -> None:
        if not any(member.needs(key, seats, position) for member in self.members):
            return
        now = self._make_context(self.viewer).now
        change = SeatsChange.at_position(position, Event.of(row), Seats.of(seats), now)
        [payload] = await self._executed([change])
        async for some in _in_parts(self.members):
            for member in some:
                if member.needs(key, seats, position):
                    member.deliver(payload, key, seats, position)
