"""Work that nobody asks for: it is done again and again, and outlives its failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn
from uuid import UUID

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
    """Whether the current task is told to end, and not merely something that it waited for."""
    task = asyncio.current_task()
    cancelling = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and cancelling


class ByOrganization:
    """A piece of work in which each organization has a task of its own.

    A lock or a fault in one organization does not hold up the others. `pause` waits for some
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
        """Do the work for an organization, unless it is being done or too many others are busy.

        The action returns whether there may be more to do.
        """
        if organization_id not in self.busy and len(self.busy) < self._most:
            self.busy[organization_id] = asyncio.create_task(self._do(organization_id, action))

    async def ended(self) -> None:
        """Wait until every task has ended."""
        while self.busy:
            await asyncio.wait(self.busy.values())

    def cancel(self) -> None:
        """Break off what has begun."""
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
    """Run an action at once and then every so often, until cancelled. No failure ends it.

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
    """Whether an event is set within some seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
