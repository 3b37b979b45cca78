"""Judges agent bookings: stage 2 of all that waits, a batch at a time `[004]`."""

import asyncio
from collections.abc import Callable
from typing import Final, cast
from uuid import UUID

from resolvers.agent_bookings.reads import agent_bookings_waiting
from resolvers.agent_bookings.validating import TakeUp, Validate, take_up, validate
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.batches import Run

TAKE_UP, VALIDATE = cast(Run, take_up), cast(Run, validate)  # which refuse nothing

AT_ONCE: Final = 50


async def validate_waiting(
    storage: Storage, *, lease_seconds: float, going_on: Callable[[], bool] = lambda: True
) -> None:
    """Judge every agent booking that nobody else does, as long as one is to go on.

    Between the two steps of a batch it is held under a lease: who dies there is followed. Each is
    judged by itself, in one transaction with the others: one that cannot be, for a fault of ours,
    waits until its lease ends, and keeps none of the others. Raises: what went wrong with it.
    """
    while going_on() and await storage.read(agent_bookings_waiting(storage.clock())):
        ask = TakeUp(most=AT_ONCE, lease_seconds=lease_seconds)
        [taken] = await storage.write(TAKE_UP, [ask])
        assert isinstance(taken, Outcome)
        commands = [
            Validate(organization_id=UUID(of), booking_id=UUID(key), lease=UUID(lease))
            for of, key, lease in taken.facts["taken"]
        ]
        if not commands:
            return
        writes = (storage.write(VALIDATE, [command]) for command in commands)
        for judged in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(judged, BaseException):
                raise judged
