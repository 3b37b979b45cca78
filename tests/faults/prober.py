"""Asks /health/live again and again, in a process of its own: the load must not delay its clock.

The process imports nothing of the gateway, so that it starts at once.
"""

import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Final

from tests.processes import running

PAUSE_SECONDS: Final = 0.05
ANSWER_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. Its status is None if there was no answer."""

    began: float
    seconds: float
    status: int | None


class Prober:
    """The samples of a process, once it has ended."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []


@contextmanager
def probing(host: str, path: str) -> Iterator[Prober]:
    """Ask a path of a gateway all the time."""
    prober = Prober()
    with running(sys.executable, "-m", "tests.faults.prober", host, path) as process:
        yield prober
        prober.samples = [Sample(*values) for values in json.loads(process.end().stdout)]


def probe(host: str, path: str) -> Sample:
    """Ask once, over a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection(host, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        status = None
    finally:
        connection.close()
    return Sample(began, time.monotonic() - began, status)


def main(host: str, path: str) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    samples = []
    while not ended.wait(PAUSE_SECONDS):
        samples.append(probe(host, path))
    json.dump([astuple(sample) for sample in samples], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
