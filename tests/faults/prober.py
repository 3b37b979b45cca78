"""Asks /health again and again, in a process of its own: the load must not delay its clock.

The process imports nothing but the standard library, so that it starts at once.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
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
    command = [sys.executable, "-m", "tests.faults.prober", host, path]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield prober
        finally:
            output, _ = process.communicate()  # the end of its input ends it
            prober.samples = [Sample(*values) for values in json.loads(output)]


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

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    samples = []
    while not ended.wait(PAUSE_SECONDS):
        samples.append(probe(host, path))
    json.dump([astuple(sample) for sample in samples], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
