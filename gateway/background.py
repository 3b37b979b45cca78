"""Work that nobody asks for: it is done again and again, and outlives its failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from resolvers.storage import Overloaded

logger = logging.getLogger(__name__)


async def run_every(seconds: float, action: Callable[[], Awaitable[object]]) -> NoReturn:
    """Run an action at once and then every so often, until cancelled; its errors are logged."""
    while True:
        try:
            await action()
        except Overloaded:
            pass  # the storage logs an outage once
        except Exception:
            logger.exception("Background work failed; it is tried again in %s s", seconds)
        await asyncio.sleep(seconds)
