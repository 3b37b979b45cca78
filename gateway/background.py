"""Work that nobody asks for: it is done again and again, and outlives its failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, cast

from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.writer import Run

logger = logging.getLogger(__name__)

EXPIRE: Final = cast(Run, expire_due)  # which refuses nothing


async def run_every(seconds: float, action: Callable[[], Awaitable[object]]) -> NoReturn:
    """Run an action at once and then every so often, until cancelled; its errors are logged."""
    while True:
        try:
            await action()
        except Exception:
            logger.exception("Background work failed; it is tried again in %s s", seconds)
        await asyncio.sleep(seconds)


async def expire_overdue(storage: Storage) -> None:
    """Expire every booking that was not paid in time, a batch at a time."""
    expired = True
    while expired:
        [outcome] = await storage.write(EXPIRE, [ExpireDue()])
        expired = isinstance(outcome, Outcome) and outcome.changed
