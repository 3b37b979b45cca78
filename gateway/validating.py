"""Judges agent bookings: stage 2 of all that waits, a batch at a time `[004]`."""

import asyncio
from collections.abc import Callable, Container
from typing import Final, cast
from uuid import UUID

from resolvers.agent_bookings.reads import organizations_waiting
from resolvers.agent_bookings.validating import TakeUp, Validate, take_up, validate
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.batches import Run

TAKE_UP, VALIDATE = cast(Run, take_up), cast(Run, validate)  # which refuse nothing

AT_ONCE: Final = 50

FIRST_WINDOW: Final = 200
WIDER: Final = 4


class Waiting:
    """Finds the organizations that have agent bookings that wait.

    Only the oldest bookings are looked at. If all of them belong to organizations that are being
    worked for, the next look goes further.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._window = FIRST_WINDOW

    async def organizations(self, busy: Container[UUID] = ()) -> list[UUID]:
        """Organizations with bookings that wait, except those that are `busy`."""
        rows = await self._storage.read(organizations_waiting(self._storage.clock(), self._window))
        found = [row.organization_id for row in rows if row.organization_id not in busy]
        is_full = sum(row.total for row in rows) == self._window
        self._window = self._window * WIDER if is_full and not found else FIRST_WINDOW
        return found


async def validate_waiting(
    storage: Storage,
    organization_id: UUID,
    *,
    lease_seconds: float,
    going_on: Callable[[], bool] = lambda: True,
) -> bool:
    """Judge every agent booking of an organization that nobody else does; whether there was one.

    Between the two steps of a batch it is held under a lease: who dies there is followed. Each is
    judged by itself, in one transaction with the others: one that cannot be, for a fault of ours,
    waits until its lease ends, and keeps none of the others. Raises: what went wrong with it.
    """
    ask = TakeUp(organization_id=organization_id, most=AT_ONCE, lease_seconds=lease_seconds)
    judged_any = False
    while going_on():
        [taken] = await storage.write(TAKE_UP, [ask])
        assert isinstance(taken, Outcome)
        commands = [
            Validate(organization_id=UUID(of), booking_id=UUID(key), lease=UUID(lease))
            for of, key, lease in taken.facts["taken"]
        ]
        if not commands:
            break
        judged_any = True
        writes = (storage.write(VALIDATE, [command]) for command in commands)
        for judged in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(judged, BaseException):
                raise judged
    return judged_any
