"""Logs receivers that give no answer: one line for each receiver and minute."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

logger = logging.getLogger(__name__)

REPORT_SECONDS: Final = 60.0
MOST_RECEIVERS: Final = 10_000
"""How many receivers are remembered; beyond that, those that were reported first are forgotten."""


@dataclass(slots=True)
class _Reported:
    at: float
    unreported: int = 0


class UnreachedReceivers:
    """The receivers that gave no answer, and when that was logged. `now` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._reported: dict[str, _Reported] = {}

    def failed(self, receiver: str, why: str) -> None:
        """Log a failed attempt, unless one of the receiver was logged within the last minute."""
        now = self._now()
        last = self._reported.get(receiver)
        if last is not None and now - last.at < REPORT_SECONDS:
            last.unreported += 1
            return
        more = f" ({last.unreported} more attempts failed)" if last and last.unreported else ""
        logger.warning("No answer from %s: %s%s", receiver, why, more)
        self._reported.pop(receiver, None)
        self._reported[receiver] = _Reported(now)
        if len(self._reported) > MOST_RECEIVERS:
            del self._reported[next(iter(self._reported))]
