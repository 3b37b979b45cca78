"""Starts servers, reads what they cost, and stops what it started."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PATIENCE_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens at a port of this machine."""

    name: str
    port: int
    process_id: int

    def cpu_seconds(self) -> float:
        """The CPU time of the process and its children so far: user and system, of all threads."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children").read_text()
        return sum(map(cpu_seconds_of, [self.process_id, *map(int, children.split())]))


def cpu_seconds_of(process_id: int) -> float:
    """The CPU time of a process of this machine so far. Raises: OSError if there is none."""
    # what clock_getcpuclockid(3) makes of a process's id; /proc/PID/stat counts in 10 ms
    return time.clock_gettime((~process_id << 3) | 2)


@contextmanager
def serving(
    name: str,
    url: str,
    *,
    core: int | None = None,
    samples: Path | None = None,
    cache_mib: int | None = None,
) -> Iterator[Server]:
    """A server of benchmarks.serve.SERVERS in a process of its own, from its start to its stop."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        port: int = listening.getsockname()[1]
        handed = listening.fileno()
        command = [sys.executable, "-m", "benchmarks.serve", name, url, str(handed)]
        if core is not None:
            command += ["--core", str(core)]
        if cache_mib is not None:
            command += ["--cache-mib", str(cache_mib)]
        if samples is not None:
            command += ["--samples", str(samples)]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[handed])  # noqa: S603 - our own
    try:
        yield Server(name, port, process.pid)
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cores() -> tuple[int | None, int | None]:
    """The core of the servers and that of whoever asks them; none where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[-1]) if len(usable) > 1 else (None, None)
