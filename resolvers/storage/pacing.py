"""Estimates how long a new request would wait for the writer, so that it can be refused at once."""

import math
from typing import Final

from resolvers.storage.batches import BATCH_REQUESTS

SHORT_QUEUE: Final = 2 * BATCH_REQUESTS
"""So many requests may always wait: a few slow transactions say little about the next ones."""

REMEMBERED: Final = 8 * BATCH_REQUESTS
"""The estimate is about as old as this number of requests."""


class Pace:
    """How fast the writer answers requests while many of them wait.

    Small batches do not count, because a transaction of one request takes nearly as long as one of
    sixty-four.
    """

    def __init__(self, most_seconds: float = math.inf) -> None:
        self._most_seconds = most_seconds
        self._seconds_each = 0.0

    def ran(self, requests: int, seconds: float) -> None:
        """Note how long a transaction took."""
        if requests < BATCH_REQUESTS // 2:
            return
        weight = requests / REMEMBERED if self._seconds_each else 1.0
        self._seconds_each += weight * (seconds / requests - self._seconds_each)

    def too_long(self, waiting: int) -> float | None:
        """The seconds that a request would wait behind others, if that is more than it should."""
        seconds = waiting * self._seconds_each
        return seconds if waiting > SHORT_QUEUE and seconds > self._most_seconds else None
