"""Remembers slow endpoints, and when to try them again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from resolvers.storage import Clock

Endpoint = tuple[UUID, UUID]
"""An organization and one of its endpoints."""

SLOW_SECONDS: Final = 1.0
"""An attempt that fails after this time counts as slow, because it held a connection."""

LONGEST_PAUSE: Final = timedelta(seconds=30)
FORGOTTEN_AFTER: Final = timedelta(hours=2)
"""Longer than the longest delay between attempts: an endpoint stays slow until the next one."""


@dataclass(slots=True)
class _Slow:
    failures: int
    failed_at: datetime
    not_before: datetime


class SlowEndpoints:
    """The endpoints whose last attempt failed slowly.

    After each consecutive slow failure, an endpoint pauses for 1, 2, 4 and at most 30 seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._slow: dict[Endpoint, _Slow] = {}

    def __contains__(self, endpoint: Endpoint) -> bool:
        return endpoint in self._slow

    def is_paused(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint pauses. If the clock is set back, the pause ends."""
        slow = self._slow.get(endpoint)
        now = self._clock()
        return slow is not None and slow.failed_at <= now < slow.not_before

    def failed(self, endpoint: Endpoint) -> None:
        """Count a slow failure. Attempts that started before a pause count once."""
        if self.is_paused(endpoint):
            return
        now = self._clock()
        slow = self._slow.get(endpoint)
        failures = 1 if slow is None else slow.failures + 1
        pause = min(timedelta(seconds=2 ** min(failures - 1, 10)), LONGEST_PAUSE)
        self._slow[endpoint] = _Slow(failures, now, now + pause)
        self._forget_old(now)

    def answered(self, endpoint: Endpoint) -> None:
        self._slow.pop(endpoint, None)

    def _forget_old(self, now: datetime) -> None:
        old = [one for one, slow in self._slow.items() if now - slow.failed_at > FORGOTTEN_AFTER]
        for endpoint in old:
            del self._slow[endpoint]
