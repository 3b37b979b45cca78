"""The time limits for the steps of a stop."""

import logging
import os
import threading

from resolvers.values import frozen

logger = logging.getLogger(__name__)


@frozen
class StopTimes:
    """The seconds for each step. The steps run one after another and leave some time to close
    files.

    Requests and subscribers have `requests` seconds to end, and `cancelled` seconds after they were
    cancelled. Then the background work has `background` seconds to finish what it has started.
    """

    requests: float
    cancelled: float
    background: float

    @classmethod
    def within(cls, seconds: float) -> "StopTimes":
        return cls(0.25 * seconds, 0.1 * seconds, 0.5 * seconds)


def exit_after(seconds: float) -> None:
    """Exit this process after this many seconds, even if work is not finished."""
    timer = threading.Timer(seconds, _exit, [seconds])
    timer.daemon = True
    timer.start()


def _exit(seconds: float) -> None:
    logger.error(
        "The stop took longer than %g seconds; the process exits without finishing its work",
        seconds,
    )
    os._exit(1)
