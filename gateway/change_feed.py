"""Follows the log of changes, and wakes who waits for an organization's next one.

A wake-up carries no data, so one too many costs a read and one that is lost costs seconds: a commit
of this process wakes at once, those of others by `gateway.wakeups`, and a slow poll finds the rest.
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
        """Return once the log may have grown since the last call, or since the watch began."""
        await self._grown.wait()
        self._grown.clear()

    def wake(self) -> None:
        """Let the next call return at once, or the one that waits."""
        self._grown.set()


class Turns:
    """Lets the tasks that read changes go on one after another.

    Each goes on in an iteration of the event loop of its own, so other work never waits for more
    than one change. Without this, a task whose client takes every frame at once, and whose reads
    do not wait, reads a whole page in one iteration.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._giving = False

    async def next(self) -> None:
        """Return when it is the caller's turn; the callers take turns in order."""
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
    """The feed of one process. A watch that nobody holds any more is forgotten."""

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
        """Begin to follow, with the storage open."""
        self._storage.when_changed.append(self._told)
        self._storage.when_changed.append(self._wakeups.announce)
        await self._wakeups.start(self._woken)
        self._polling = asyncio.create_task(
            run_every(self._poll_seconds, self.poll, woken=self._look), name="change feed"
        )

    async def close(self) -> None:
        """Stop following. Who still waits is not woken."""
        self._storage.when_changed.remove(self._told)
        self._storage.when_changed.remove(self._wakeups.announce)
        await self._wakeups.close()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    def watch(self, organization_id: UUID) -> Watch:
        """A place in the feed; drop it to leave."""
        watch = Watch()
        self._watches.setdefault(organization_id, WeakSet()).add(watch)
        return watch

    async def turn(self) -> None:
        """Return when the caller may read its next change."""
        await self._turns.next()

    async def poll(self) -> None:
        """Look at the positions of all organizations that are watched, in one statement."""
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
        """Another process has committed; without positions, any log may have grown."""
        if positions:
            self._told(positions)
        else:
            self._look.set()

    def _told(self, positions: Mapping[UUID, int]) -> None:
        """Wake those whose log is further than was known; at first sight nothing is known."""
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
