"""Follows the log of changes and wakes tasks that wait for an organization's next change.

A wake-up carries no data, so a superfluous one costs a read and a lost one costs seconds. Commits
of this process wake at once, commits of other processes through `gateway.wakeups`, and a slow poll
finds the rest.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from uuid import UUID
from weakref import WeakSet

from gateway.background import run_every
from gateway.settings import POLL_SECONDS
from gateway.wakeups import NoWakeups, Wakeups
from resolvers.organizations.reads import log_positions
from resolvers.storage import Storage

logger = logging.getLogger(__name__)


class Watch:
    """One subscriber's place in the feed of an organization's changes."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()

    async def changed(self) -> None:
        """Return when the log may have grown since the last call, or since the watch started."""
        await self._grown.wait()
        self._grown.clear()

    def wake(self) -> None:
        """Make the waiting call, or else the next call, return at once."""
        self._grown.set()


class Turns:
    """Lets the tasks that read changes continue one after another.

    Each task continues in its own iteration of the event loop, so other work never waits for more
    than one change. Without this, a task whose client takes every frame at once, and whose reads
    do not wait, reads a whole page in one iteration.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._giving = False

    async def next(self) -> None:
        """Return when it is the caller's turn. Turns are in the order of the calls."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._giving:
            self._giving = True
            loop.call_soon(self._give, loop)
        await turn

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # otherwise its task was cancelled
                turn.set_result(None)
                break
        self._giving = bool(self._waiting)
        if self._giving:
            loop.call_soon(self._give, loop)


class ChangeFeed:
    """The feed of one process. It drops a watch when the last reference to it is gone."""

    def __init__(
        self,
        storage: Storage,
        wakeups: Wakeups | None = None,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._storage = storage
        self._wakeups = NoWakeups() if wakeups is None else wakeups
        self._look = asyncio.Event()
        self._poll_seconds = poll_seconds
        self._watches: dict[UUID, WeakSet[Watch]] = {}
        self._positions: dict[UUID, int] = {}
        self._polling: asyncio.Task[None] | None = None
        self._turns = Turns()

    async def start(self) -> None:
        """Start to follow the log. The storage must be open."""
        self._storage.when_changed.append(self._told)
        self._storage.when_changed.append(self._wakeups.announce)
        await self._wakeups.start(self._woken)
        self._polling = asyncio.create_task(
            run_every(self._poll_seconds, self.poll, woken=self._look), name="change feed"
        )

    async def close(self) -> None:
        """Stop following. Waiting tasks are not woken."""
        self._storage.when_changed.remove(self._told)
        self._storage.when_changed.remove(self._wakeups.announce)
        await self._wakeups.close()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    def watch(self, organization_id: UUID) -> Watch:
        """A watch on an organization's changes. Drop the reference to end it."""
        watch = Watch()
        self._watches.setdefault(organization_id, WeakSet()).add(watch)
        return watch

    async def turn(self) -> None:
        """Return when the caller may read its next change."""
        await self._turns.next()

    async def poll(self) -> None:
        """Read the positions of all watched organizations in one statement."""
        self._forget_unwatched()
        if self._watches:
            rows = await self._storage.read(log_positions(list(self._watches)))
            found = {row.organization_id: row.position for row in rows}
            for organization_id, position in found.items():
                if position < self._positions.get(organization_id, -1):
                    # the database was restored: wake the watchers that wait for a later position
                    del self._positions[organization_id]
            self._told(found)

    def _woken(self, positions: Mapping[UUID, int]) -> None:
        """Handle a commit of another process. Without positions, any log may have grown."""
        if positions:
            self._told(positions)
        else:
            self._look.set()

    def _told(self, positions: Mapping[UUID, int]) -> None:
        """Wake the watches whose log has grown beyond the known position."""
        for organization_id, position in positions.items():
            watches = self._watches.get(organization_id)
            if watches is not None and position > self._positions.get(organization_id, -1):
                self._positions[organization_id] = position
                _wake(watches)

    def _forget_unwatched(self) -> None:
        for organization_id in [key for key, watches in self._watches.items() if not watches]:
            del self._watches[organization_id]
            self._positions.pop(organization_id, None)


def _wake(watches: Iterable[Watch]) -> None:
    for watch in watches:
        watch.wake()
