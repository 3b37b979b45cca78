"""Gateways as they are run: `booking-gateway serve`, each in a process of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.end_to_end.servers import SECRET
from tests.faults.prober import probe
from tests.patience import PATIENCE
from tests.processes import ROOT

MODULE: Final = "tests.faults.gateway"
LIVE: Final = "/health/live"


STOPPING_SECONDS: Final = 30


class Gateway:
    """A process that can be stopped, killed and started again, always at the same port."""

    def __init__(self, database_url: str, log: Path, **settings: str) -> None:
        self._log = log
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_JWT_SECRET": SECRET,
            **{f"GATEWAY_{name.upper()}": value for name, value in settings.items()},
        }
        self.host = f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start the process, and wait until it is healthy."""
        self.spawn()
        give_up_at = time.monotonic() + PATIENCE
        while (await asyncio.to_thread(probe, self.host, "/health")).status != 200:
            assert self._process is not None
            assert self._process.poll() is None, self.logged()
            assert time.monotonic() < give_up_at, self.logged()
            await asyncio.sleep(0.02)

    def spawn(self) -> None:
        """Start the process, and do not wait for it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, "serve", "--port", str(self._port)],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        """End the process, if it has not ended yet."""
        self.signal(signal.SIGKILL)
        await self._ended()

    async def stop(self) -> bool:
        """Ask the process to stop, and return whether it did in time; otherwise kill it."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPPING_SECONDS):
                await self._ended()
        except TimeoutError:
            await self.kill()
            return False
        return True

    def ports(self) -> list[int]:
        """The local ports of the process's TCP connections."""
        assert self._process is not None
        of_process = {
            str(file.readlink()) for file in Path(f"/proc/{self._process.pid}/fd").iterdir()
        }
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [
            int(local.rpartition(":")[2], 16)
            for _, local, *_, inode in (line[:10] for line in lines)
            if f"socket:[{inode}]" in of_process
        ]

    def logged(self) -> str:
        return self._log.read_text()

    async def _ended(self) -> None:
        assert self._process is not None
        while self._process.poll() is None:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
