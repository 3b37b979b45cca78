"""Shares a limited number of places fairly among organizations.

An organization may take a place only if more places are free than it holds. One busy organization
gets half of the places, two get a third each, and so on. A place is nearly always free for another
organization.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Shares:
    """Places, with the number that each organization holds."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.held: Counter[UUID] = Counter()

    def may_take(self, organization_id: UUID) -> bool:
        return self.free > self.held[organization_id]

    def take(self, organization_id: UUID) -> None:
        self.free -= 1
        self.held[organization_id] += 1

    def give_back(self, organization_id: UUID) -> None:
        self.free += 1
        self.held[organization_id] -= 1
        if not self.held[organization_id]:
            del self.held[organization_id]


class Turns:
    """Places with a queue. The next place goes to the eligible organization with the fewest places,
    and within it to the task that has waited longest.
    """

    def __init__(self, places: int) -> None:
        self._shares = Shares(places)
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def of(self, organization_id: UUID) -> AsyncIterator[None]:
        """Hold a place for an organization."""
        await self._take(organization_id)
        try:
            yield
        finally:
            self._give_back(organization_id)

    async def _take(self, organization_id: UUID) -> None:
        waiting = self._waiting.setdefault(organization_id, deque())
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(given)
        self._hand_out()
        try:
            await given
        except asyncio.CancelledError:
            if given.cancelled():
                self._forget(organization_id, given)
            else:
                self._give_back(organization_id)
            raise

    def _give_back(self, organization_id: UUID) -> None:
        self._shares.give_back(organization_id)
        self._hand_out()

    def _hand_out(self) -> None:
        while chosen := [of for of in self._waiting if self._shares.may_take(of)]:
            organization_id = min(chosen, key=lambda of: self._shares.held[of])
            given = self._waiting[organization_id][0]
            self._forget(organization_id, given)
            if not given.done():
                self._shares.take(organization_id)
                given.set_result(None)

    def _forget(self, organization_id: UUID, given: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(organization_id, deque())
        if given in waiting:
            waiting.remove(given)
        if not waiting:
            self._waiting.pop(organization_id, None)
