"""Runs periodic background work, which continues after failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn
from uuid import UUID

from resolvers.storage import Overloaded

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 4.0
"""Work continues within 5 s after the end of an outage."""


class Failures:
    """Consecutive failures of a piece of work. Each is logged once, and the pauses grow.

    The storage logs an outage of the database, so it is not logged here.
    """

    def __init__(self, what: str, *, first_pause: float) -> None:
        self._what = what
        self._first_pause = first_pause
        self._pause = first_pause
        self._logged: str | None = None

    def failed(self, error: BaseException) -> float:
        """Record a failure. Returns the seconds to wait before the next attempt."""
        kind = repr(error)
        if not isinstance(error, Overloaded) and kind != self._logged:
            logger.error("%s failed and will be tried again", self._what, exc_info=error)
            self._logged = kind
        pause = self._pause
        self._pause = min(2 * pause, max(LONGEST_PAUSE, self._first_pause))
        return pause

    def succeeded(self) -> None:
        if self._logged is not None:
            logger.warning("%s works again", self._what)
        self._logged, self._pause = None, self._first_pause


def is_cancelled(error: BaseException) -> bool:
    """Whether the current task itself is cancelled, and not only something that it awaited."""
    task = asyncio.current_task()
    cancelling = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and cancelling


class ByOrganization:
    """A piece of work in which each organization has a task of its own.

    A lock or a failure in one organization does not delay the others. `pause` waits for some
    seconds after a failure; until then, the organization counts as busy.
    """

    def __init__(
        self,
        what: str,
        *,
        most: int,
        first_pause: float,
        pause: Callable[[float], Awaitable[None]],
        when_done: Callable[[], None],
    ) -> None:
        self._what = what
        self._most = most
        self._first_pause = first_pause
        self._wait = pause
        self._when_done = when_done
        self._failures: dict[UUID, Failures] = {}
        self.busy: dict[UUID, asyncio.Task[None]] = {}

    def begin(self, organization_id: UUID, action: Callable[[], Awaitable[bool]]) -> None:
        """Do the work for an organization, unless it is already running or too many others are
        busy.

        The action returns whether there may be more to do.
        """
        if organization_id not in self.busy and len(self.busy) < self._most:
            self.busy[organization_id] = asyncio.create_task(self._do(organization_id, action))

    async def ended(self) -> None:
        """Wait until all tasks have ended."""
        while self.busy:
            await asyncio.wait(self.busy.values())

    def cancel(self) -> None:
        """Cancel running work."""
        for task in self.busy.values():
            task.cancel()

    async def _do(self, organization_id: UUID, action: Callable[[], Awaitable[bool]]) -> None:
        is_more = False
        try:
            is_more = await action()
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            await self._wait(self._failures_of(organization_id).failed(error))
        else:
            if failures := self._failures.pop(organization_id, None):
                failures.succeeded()
        finally:
            del self.busy[organization_id]
        if is_more:
            self._when_done()

    def _failures_of(self, organization_id: UUID) -> Failures:
        what = f"The background work ({self._what}) for organization {organization_id}"
        return self._failures.setdefault(
            organization_id, Failures(what, first_pause=self._first_pause)
        )


async def run_every(
    seconds: float, action: Callable[[], Awaitable[object]], *, woken: asyncio.Event | None = None
) -> NoReturn:
    """Run an action now and then periodically, until cancelled. It continues after failures.

    It also runs at once when `woken` is set, unless it has just failed.
    """
    woken = woken or asyncio.Event()
    failures = Failures("Background work", first_pause=seconds)
    while True:
        woken.clear()
        try:
            await action()
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled(error):
                raise
            await asyncio.sleep(failures.failed(error))
        else:
            failures.succeeded()
            await set_within(woken, seconds)


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event. Returns whether it was set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
