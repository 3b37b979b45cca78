"""Work that nobody asks for: it is done again and again, and outlives its failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from resolvers.storage import Overloaded

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 4.0
"""Work goes on within 5 s of the end of an outage."""


class Failures:
    """The failures of a piece of work in a row: each is logged once, the pauses between them grow.

    An outage of the database is not logged here: the storage does, once for everybody.
    """

    def __init__(self, what: str, *, first_pause: float) -> None:
        self._what = what
        self._first_pause = first_pause
        self._pause = first_pause
        self._logged: str | None = None

    def failed(self, error: BaseException) -> float:
        """Note a failure; how many seconds to wait before the next try."""
        kind = repr(error)
        if not isinstance(error, Overloaded) and kind != self._logged:
            logger.error("%s failed; it is tried again", self._what, exc_info=error)
            self._logged = kind
        pause = self._pause
        self._pause = min(2 * pause, max(LONGEST_PAUSE, self._first_pause))
        return pause

    def succeeded(self) -> None:
        if self._logged is not None:
            logger.warning("%s works again", self._what)
        self._logged, self._pause = None, self._first_pause


def is_cancelled(error: BaseException) -> bool:
    """Whether the current task is told to end, and not merely something that it waited for."""
    task = asyncio.current_task()
    cancelling = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and cancelling


async def run_every(seconds: float, action: Callable[[], Awaitable[object]]) -> NoReturn:
    """Run an action at once and then every so often, until cancelled. No failure ends it."""
    failures = Failures("Background work", first_pause=seconds)
    while True:
        pause = seconds
        try:
            await action()
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            pause = failures.failed(error)
        else:
            failures.succeeded()
        await asyncio.sleep(pause)
