"""Wake-ups over a link that can fail. It is reopened, and a failure only delays changes."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final, NoReturn, Protocol
from uuid import UUID

from gateway.background import is_cancelled
from gateway.wakeups.hints import hint_of, positions_in

logger = logging.getLogger(__name__)

GAP_SECONDS: Final = 0.01
"""The least time between two hints. Announcements in the meantime are joined into the next hint."""

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""The delay between attempts to open the link; it doubles. A longer link ends an outage."""

CLOSING_SECONDS: Final = 1.0


class Link(Protocol):
    """A connection to a server that distributes hints. A failure raises an exception."""

    async def send(self, hint: str) -> None:
        """Send a hint to every link, which may include this one."""

    async def hear(self, heard: Callable[[str], None]) -> NoReturn:
        """Call `heard` for each hint, until the link is lost."""


OpenLink = Callable[[], AbstractAsyncContextManager[Link]]


class LinkedWakeups:
    """Wake-ups through a server. `name` is what the log calls it."""

    def __init__(self, name: str, open_link: OpenLink) -> None:
        self._name = name
        self._open_link = open_link
        self._sender = secrets.token_hex(4)
        self._pending: dict[UUID, int] = {}
        self._announced, self._sent = asyncio.Event(), asyncio.Event()
        self._sent.set()
        self._keeping: asyncio.Task[None] | None = None
        self._failed_at = 0.0
        self._pause = FIRST_PAUSE

    async def start(self, wake: Callable[[Mapping[UUID, int]], None]) -> None:
        self._keeping = asyncio.create_task(self._keep(wake), name="wake-ups")

    def announce(self, positions: Mapping[UUID, int]) -> None:
        self._pending.update(positions)
        self._sent.clear()
        self._announced.set()

    async def close(self) -> None:
        if self._keeping is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._sent.wait()
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)

    async def _keep(self, wake: Callable[[Mapping[UUID, int]], None]) -> None:
        """Keep a link open until cancelled."""
        while True:
            opened_at = None
            try:
                async with self._open_link() as link:
                    opened_at = asyncio.get_running_loop().time()
                    wake({})  # hints were lost while there was no link
                    await _until_one_fails(self._send_on(link), self._hear_on(link, wake))
            except (Exception, asyncio.CancelledError) as error:
                if is_cancelled(error):
                    raise
                self._note(error, opened_at)
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _note(self, error: BaseException, opened_at: float | None) -> None:
        """Log the first failure of an outage."""
        now = asyncio.get_running_loop().time()
        lasted = opened_at is not None and now - opened_at > LONGEST_PAUSE
        if lasted or not self._failed_at:
            self._pause = FIRST_PAUSE
            logger.warning(
                "Wake-ups through %s are interrupted; until they work again, changes of other"
                " processes arrive with the next poll: %r",
                self._name,
                error,
            )
        self._failed_at = now

    async def _send_on(self, link: Link) -> None:
        while True:
            await self._announced.wait()
            self._announced.clear()
            taken, self._pending = self._pending, {}
            try:
                await link.send(hint_of(self._sender, taken))
            except BaseException:
                self._pending = taken | self._pending
                self._announced.set()
                raise
            if not self._pending:
                self._sent.set()
            await asyncio.sleep(GAP_SECONDS)

    async def _hear_on(self, link: Link, wake: Callable[[Mapping[UUID, int]], None]) -> None:
        def heard(hint: str) -> None:
            positions = positions_in(hint, sender=self._sender)
            if positions is not None:
                wake(positions)

        await link.hear(heard)


async def _until_one_fails(*parts: Coroutine[Any, Any, None]) -> None:
    """Run endless parts at the same time. Raises: the first exception of a part."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
