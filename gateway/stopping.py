"""How long each step of a stop may take, and what happens if it takes longer."""

import logging
import os
import threading

from resolvers.values import frozen

logger = logging.getLogger(__name__)


@frozen
class StopTimes:
    """The seconds of each step. The steps follow one another, and leave some time to close files.

    Requests and subscribers have `requests` to end, and after they were cancelled `cancelled`. Then
    the background work has `background` to finish what it has begun.
    """

    requests: float
    cancelled: float
    background: float

    @classmethod
    def within(cls, seconds: float) -> "StopTimes":
        return cls(0.25 * seconds, 0.1 * seconds, 0.5 * seconds)


def exit_after(seconds: float) -> None:
    """End this process after so many seconds, whatever it is doing then."""
    timer = threading.Timer(seconds, _exit, [seconds])
    timer.daemon = True
    timer.start()


def _exit(seconds: float) -> None:
    logger.error(
        "The stop took longer than %g seconds; the process exits without finishing its work",
        seconds,
    )
    os._exit(1)
