"""Logs an outage of the database: one line at its start and one at its end."""

import asyncio
import logging

logger = logging.getLogger(__name__)

READING = "read"
WRITING = "write"

QUIET_SECONDS = 1.0
"""An outage has ended once nothing has failed for so long after a success."""


class Outage:
    """Whether the database can be used, as requests find out.

    Reading and writing can fail separately: a full disk can still be read.
    """

    def __init__(self) -> None:
        self._failing: set[str] = set()
        self._began_at = self._failed_at = self._succeeded_at = 0.0
        self._requests = 0
        self._ending: asyncio.TimerHandle | None = None

    def failed(self, what: str, error: BaseException, *, requests: int = 1) -> None:
        """Count requests that failed because the database could not be used."""
        self._failed_at = asyncio.get_running_loop().time()
        if not self._requests:
            self._began_at = self._failed_at
            cause = error.__cause__ or error
            logger.error("The database is not available (%s): %r", what, cause)
        self._requests += requests
        self._failing.add(what)
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def succeeded(self, what: str) -> None:
        """Note that the database could be used."""
        if not self._failing:
            return
        self._failing.discard(what)
        if not self._failing:
            loop = asyncio.get_running_loop()
            self._succeeded_at = loop.time()
            self._ending = loop.call_later(QUIET_SECONDS, self._end)

    def close(self) -> None:
        """Log the end of what has ended; there will be no more requests."""
        if self._ending is not None:
            self._ending.cancel()
            self._end()

    def _end(self) -> None:
        seconds = self._succeeded_at - self._began_at
        logger.warning(
            "The database is available again after %.1f s; %d requests failed",
            seconds,
            self._requests,
        )
        self._requests = 0
        self._ending = None
