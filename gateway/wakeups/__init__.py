"""Wake-ups: processes notify each other of organizations whose logs have grown.

A wake-up carries no data and may be lost or repeated. It saves subscribers the wait for the next
poll.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

from gateway.settings import Settings
from gateway.wakeups.linked import LinkedWakeups
from gateway.wakeups.postgresql import linked_through_postgresql
from resolvers.storage import POSTGRESQL_SCHEME, Storage

Positions = Mapping[UUID, int]
"""The newest log position of organizations."""

Wake = Callable[[Positions], None]
"""Receives positions of another process. Without positions, every log may have grown."""


class Wakeups(Protocol):
    """The wake-ups of one process."""

    async def start(self, wake: Wake) -> None:
        """Call `wake` for the commits of other processes, from now on. Does not wait."""

    def announce(self, positions: Positions) -> None:
        """Send the positions of commits of this process to the others. Does not wait."""

    async def close(self) -> None:
        """Stop. Pending announcements are sent first, if that is possible within a second."""


class NoWakeups:
    """No wake-ups: other processes find the commits of this one by their poll, as on SQLite."""

    async def start(self, wake: Wake) -> None:
        pass

    def announce(self, positions: Positions) -> None:
        pass

    async def close(self) -> None:
        pass


def wakeups_of(settings: Settings) -> Wakeups:
    """The wake-ups for these settings: through Redis, PostgreSQL, or none."""
    if settings.redis_url is not None:
        from gateway.wakeups.redis import linked_through_redis

        return LinkedWakeups("Redis", linked_through_redis(settings.redis_url))
    url = settings.wakeup_url or settings.database_url
    if url.startswith(POSTGRESQL_SCHEME):
        return LinkedWakeups("PostgreSQL", linked_through_postgresql(url))
    return NoWakeups()


@asynccontextmanager
async def announcing(
    storage: Storage, wakeups: Wakeups, *, wake: Wake = lambda _: None
) -> AsyncIterator[None]:
    """Announce the commits of a storage until the block ends."""
    await wakeups.start(wake)
    storage.when_changed.append(wakeups.announce)
    try:
        yield
    finally:
        storage.when_changed.remove(wakeups.announce)
        await wakeups.close()
