"""The gateway's own server in the test's process, at a port of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp

from gateway.incoming.limits import Limits
from gateway.incoming.server import Config, Server


@asynccontextmanager
async def listening(
    app: ASGIApp, limits: Limits | None = None, **options: Any
) -> AsyncIterator[tuple[Server, str]]:
    """A server for an application that is started already, and its host and port.

    It closes overdue connections only when a test calls `enforce_limits`.
    """
    quiet = {"lifespan": "off", "log_level": "error"}
    server = Server(Config(app, limits or Limits(), port=0, **quiet, **options))
    # `serve` would wait 0.1 s between two looks at whether it is to stop
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield server, f"{host}:{port}"
    finally:
        await server.shutdown()
