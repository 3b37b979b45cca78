"""Processes that tests start: ready before the test goes on, and ended by their own ids."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer
from typing import Final

from tests.patience import PATIENCE

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """The exit code of a process, and what it printed that no test has read."""

    code: int
    stdout: str
    stderr: str


class Process:
    """A process that runs."""

    def __init__(self, started: "subprocess.Popen[bytes]") -> None:
        self._started = started
        self.id = started.pid

    def line(self, text: str, *, of: str = "stdout") -> str:
        """Wait until it prints a line with this text, and return the line."""
        watchdog = Timer(PATIENCE, self._started.kill)
        watchdog.start()
        try:
            for line in iter(getattr(self._started, of).readline, b""):
                if text in line.decode():
                    return str(line.decode())
        finally:
            watchdog.cancel()
        ended = self.end()
        raise AssertionError(f"no line with {text!r}: {ended}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send a signal, and wait until the process has ended."""
        self._started.send_signal(number)  # nothing happens if it has ended
        try:
            stdout, stderr = self._started.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._started.kill()
            self._started.communicate()
            raise
        return Ended(self._started.returncode, stdout.decode(), stderr.decode())


@contextmanager
def running(
    *command: str | Path, environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[Process]:
    """A process of this command; if the test has not ended it, SIGTERM does."""
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what `line` has not returned is left for `end`
    )
    process = Process(started)
    try:
        yield process
    finally:
        if started.returncode is None:
            process.end()


@contextmanager
def killed(process: BaseProcess) -> Iterator[BaseProcess]:
    """A fork that runs until the block ends; then it is killed, whatever it is doing."""
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
