"""A Redis server of a test's own, which it can stop and start again."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from tests.processes import Process, running

COMMAND: Final = shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A server that keeps nothing, at one port of 127.0.0.1 for as long as the test runs."""

    def __init__(self, started: ExitStack) -> None:
        self._started = started
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/5"
        self.process = self.start()

    def start(self) -> Process:
        assert COMMAND is not None, "redis-server or valkey-server is not installed"
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")
        self.process = self._started.enter_context(running(COMMAND, *options))
        self.process.line("Ready to accept connections")
        return self.process

    async def restart(self) -> None:
        self.process.end()
        self.start()


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    with ExitStack() as started:
        yield RedisServer(started)
