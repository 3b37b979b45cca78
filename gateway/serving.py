"""Serves the gateway until a signal stops it."""

import sys
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE

from gateway.app import PATH, create_app
from gateway.failures import Misused
from gateway.hosts import WrongHost, host_of
from gateway.incoming.limits import Limits
from gateway.incoming.open_files import connections_that_fit
from gateway.incoming.server import Config, Server
from gateway.memory import settle
from gateway.settings import MAX_CONNECTIONS, SHARE_OF_ONE, Settings
from gateway.start import log_to_stderr, settings_of_migrated_database
from schema import build_schema

KEEP_ALIVE_SECONDS: Final = 75
"""How long an idle connection is kept: longer than load balancers keep theirs, usually 60 s.

The server must not close first, because a request may already be on its way.
"""


def serve(host: str, port: int) -> None:
    """Serve at an address. Raises: WrongSetting, NotMigrated, Misused."""
    settings = settings_of_migrated_database()
    require_host(host)
    app = application(settings, host)
    announce(settings, host, port)
    server = Server(Config(app, limits(settings), **options(settings, host, port)))
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after its shutdown
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def application(settings: Settings, host: str) -> Starlette:
    """The service of this process. Raises: WrongSetting, WrongHost."""
    log_to_stderr()
    app = create_app(settings, build_schema(), host=host)
    settle()
    return app


def require_host(host: str) -> None:
    """Raises: Misused."""
    try:
        host_of(host)
    except WrongHost:
        raise Misused(f"--host must be a host name or an IP address, not {host!r}") from None


def announce(settings: Settings, host: str, port: int) -> None:
    """Print the address at which the gateway is about to listen."""
    print(f"GraphQL at http://{host}:{port}{PATH}", flush=True)
    if settings.graphiql and settings.graphiql_token is not None:
        told = "On this machine, the page opens with the token in GATEWAY_GRAPHIQL_TOKEN."
        print(told, flush=True)


def options(settings: Settings, host: str, port: int) -> dict[str, Any]:
    """The options of the server, most of them uvicorn's."""
    return {
        "stop_seconds": settings.shutdown_seconds,
        "host": host,
        "port": port,
        "log_level": "warning",
        "access_log": False,
        "proxy_headers": False,  # the gateway does not use the caller's address of a proxy
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    }


def limits(settings: Settings) -> Limits:
    """The limits of connections that the settings and the process's open files permit."""
    total = connections_that_fit(settings.max_connections, setting=MAX_CONNECTIONS)
    per_address = settings.max_connections_per_address or max(1, total // SHARE_OF_ONE)
    usual, largest = Limits(), settings.max_body_bytes
    return replace(
        usual,
        connections=total,
        connections_per_address=per_address,
        first_message_bytes=min(largest, usual.first_message_bytes),
        message_bytes=min(largest, usual.message_bytes),
    )
