"""Shares the slots in which a process writes files fairly between viewers.

A viewer has at most one slot at a time. Viewers wait in turn: each viewer has one place in the
queue, so a viewer with many waiting requests does not delay the others.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from typing import Final

SLOTS: Final = 4
"""The number of files that a process writes at a time. Each has its own connection and thread."""

MOST_WAITING: Final = 4
"""The number of waiting requests of one viewer."""

MOST_WAITING_VIEWERS: Final = 100
WAIT_SECONDS: Final = 30.0


class NoSlot(Exception):
    """No slot became free in time, or too many requests wait already."""


class ExportSlots:
    """The slots of one process."""

    def __init__(self, slots: int = SLOTS) -> None:
        self._free = slots
        self._writing: set[Hashable] = set()
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, viewer: Hashable) -> AsyncGenerator[None]:
        """Hold a slot; a request that is cancelled while it waits leaves the queue.

        Raises: NoSlot.
        """
        await self._take(viewer)
        try:
            yield
        finally:
            self._release(viewer)

    async def _take(self, viewer: Hashable) -> None:
        turn = self._queue(viewer)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except BaseException as error:
            if not self._leave(viewer, turn):
                self._release(viewer)  # the request got its turn while it was being cancelled
            if isinstance(error, TimeoutError):
                raise NoSlot from None
            raise

    def _queue(self, viewer: Hashable) -> "asyncio.Future[None]":
        """A future that is done when the viewer's turn comes. Raises: NoSlot."""
        if viewer not in self._waiting and len(self._waiting) >= MOST_WAITING_VIEWERS:
            raise NoSlot
        turns = self._waiting.setdefault(viewer, deque())
        if len(turns) >= MOST_WAITING:
            raise NoSlot
        turn = asyncio.get_running_loop().create_future()
        turns.append(turn)
        self._give_turns()
        return turn

    def _leave(self, viewer: Hashable, turn: "asyncio.Future[None]") -> bool:
        """Take a request out of the queue. Returns whether it was there."""
        turns = self._waiting.get(viewer)
        if turns is None or turn not in turns:
            return False
        turns.remove(turn)
        if not turns:
            del self._waiting[viewer]
        return True

    def _release(self, viewer: Hashable) -> None:
        self._free += 1
        self._writing.discard(viewer)
        if viewer in self._waiting:
            self._waiting.move_to_end(viewer)
        self._give_turns()

    def _give_turns(self) -> None:
        """Give the free slots to the first viewers in the queue that have none."""
        for viewer in list(self._waiting):
            if not self._free:
                return
            if viewer not in self._writing:
                self._free -= 1
                self._writing.add(viewer)
                turn = self._waiting[viewer][0]
                self._leave(viewer, turn)
                turn.set_result(None)
