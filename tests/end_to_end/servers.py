"""Real servers: in this process, or as processes of their own on the same database."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.settings import Settings
from schema import build_schema
from tests.processes import running

SECRET = "a secret of thirty-two bytes, or more"

OPTIONS: dict[str, Any] = {"log_level": "error", "timeout_keep_alive": 600}
"""No connection is closed while a client is about to use it."""


@dataclass(frozen=True)
class Server:
    """A gateway that listens in this process: its host and port, and what runs there."""

    host: str
    app: Starlette


@asynccontextmanager
async def serving(
    database_url: str, schema: strawberry.Schema, **settings: Any
) -> AsyncIterator[Server]:
    """A gateway at a port of its own in this process, from its start to its stop."""
    given = Settings(
        **{"database_url": database_url, "jwt_secret": SECRET, "worker": "off", **settings}
    )
    app = create_app(given, schema)
    async with app.router.lifespan_context(app):
        # the app is started already; `serve` would look every 0.1 s whether it is to stop
        config = uvicorn.Config(app, port=0, lifespan="off", **OPTIONS)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        host, port = server.servers[0].sockets[0].getsockname()
        try:
            yield Server(f"{host}:{port}", app)
        finally:
            await server.shutdown()


@contextmanager
def process(database_url: str) -> Iterator[str]:
    """The host and port of a gateway in a process of its own, which is stopped at the end.

    The socket listens before the process has started: connections wait until it is ready.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        host, port = listening.getsockname()
        with running(
            *(sys.executable, "-m", "tests.end_to_end.servers", str(listening.fileno())),
            environment={"GATEWAY_DATABASE_URL": database_url, "GATEWAY_JWT_SECRET": SECRET},
            pass_fds=[listening.fileno()],
        ) as started:
            yield f"{host}:{port}"
            ended = started.end()
    assert ended.code in {0, -signal.SIGTERM}, ended  # after a good shutdown, uvicorn raises it


def serve(listening: socket.socket) -> None:
    """What such a process does."""
    app = create_app(Settings.read(os.environ), build_schema())
    config = uvicorn.Config(app, timeout_graceful_shutdown=1, **OPTIONS)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
