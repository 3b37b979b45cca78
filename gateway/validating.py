"""Validates waiting agent bookings, stage 2 of [004], batch by batch."""

import asyncio
from collections.abc import Callable, Container
from typing import Final, cast
from uuid import UUID

from resolvers.agent_bookings.reads import organizations_waiting
from resolvers.agent_bookings.validating import ClaimWaiting, Validate, take_up, validate
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.batches import Run

TAKE_UP, VALIDATE = cast(Run, take_up), cast(Run, validate)  # these commands refuse nothing

AT_ONCE: Final = 50

FIRST_WINDOW: Final = 200
WIDER: Final = 4


class WaitingBookings:
    """Finds the organizations with waiting agent bookings.

    It reads only the oldest bookings. If all of them belong to busy organizations, the next read
    continues after them.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._window = FIRST_WINDOW

    async def organizations(self, busy: Container[UUID] = ()) -> list[UUID]:
        """Organizations with waiting bookings, except the `busy` ones."""
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
    """Validate the waiting agent bookings of an organization. Returns whether there were any.

    A lease protects each booking between the two steps of a batch; if a worker dies, another one
    continues after the lease ends. An internal error in one booking does not affect the others: the
    booking waits until its lease ends. Raises: the internal error.
    """
    ask = ClaimWaiting(organization_id=organization_id, most=AT_ONCE, lease_seconds=lease_seconds)
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
