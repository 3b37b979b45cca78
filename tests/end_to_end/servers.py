"""Real servers: in this process, or as processes of their own on the same database."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import strawberry
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.incoming import server as incoming
from gateway.incoming.limits import Limits
from gateway.settings import Settings
from resolvers.storage import Clock, utc_now
from schema import build_schema
from tests.listening import listening
from tests.patience import PATIENCE
from tests.processes import Process, running

SECRET = "a secret of thirty-two bytes, or more"

LIMITS = Limits(connections_per_address=2_000)
"""All clients of the tests have one address."""

OPTIONS: dict[str, Any] = {"timeout_keep_alive": 600}
"""No connection is closed while a client is about to use it."""


@dataclass(frozen=True)
class Server:
    """A gateway that listens in this process: its host and port, and what runs there."""

    host: str
    app: Starlette


@asynccontextmanager
async def serving(
    database_url: str, schema: strawberry.Schema, *, clock: Clock = utc_now, **settings: Any
) -> AsyncIterator[Server]:
    """A gateway at a port of its own in this process, from its start to its stop."""
    given = Settings(
        **{"database_url": database_url, "jwt_secret": SECRET, "worker": "off", **settings}
    )
    app = create_app(given, schema, clock=clock)
    async with app.router.lifespan_context(app), listening(app, LIMITS, **OPTIONS) as (_, host):
        yield Server(host, app)


@contextmanager
def process(database_url: str) -> Iterator[str]:
    """The host and port of a gateway in a process of its own, which is stopped at the end.

    The socket listens before the process has started: connections wait until it is ready.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=512) as opened:
        host, port = opened.getsockname()
        with process_at(opened, database_url):
            yield f"{host}:{port}"


@contextmanager
def process_at(opened: socket.socket, database_url: str) -> Iterator[None]:
    """The same at a socket that listens. Afterwards, connections wait for the next process."""
    with process_of(opened, database_url) as started:
        yield
        ended = started.end()
    assert ended.code in {0, -signal.SIGTERM}, ended  # after a good shutdown, uvicorn raises it


def process_of(opened: socket.socket, database_url: str) -> AbstractContextManager[Process]:
    """The same process, for a test that ends it in another way."""
    return running(
        *(sys.executable, "-m", "tests.end_to_end.servers", str(opened.fileno())),
        environment={
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_JWT_SECRET": SECRET,
            "GATEWAY_MAX_WAIT_MS": str(PATIENCE * 1000),  # a busy machine is slow
        },
        pass_fds=[opened.fileno()],
    )


def serve(opened: socket.socket) -> None:
    """What such a process does."""
    app = create_app(Settings.read(os.environ), build_schema())
    options = {"log_level": "error", **OPTIONS}
    config = incoming.Config(app, LIMITS, finish_seconds=1, **options)
    incoming.Server(config).run(sockets=[opened])


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
