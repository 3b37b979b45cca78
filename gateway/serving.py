"""Serves the gateway until a signal stops it."""

from typing import Final

import uvicorn

from gateway.app import PATH, create_app
from gateway.failures import Misused
from gateway.hosts import WrongHost
from gateway.memory import settle
from gateway.start import log_to_stderr, settings_of_migrated_database
from schema import build_schema

SHUTDOWN_SECONDS: Final = 5
"""How long requests may take to end once the process is told to."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long an idle connection is kept: longer than load balancers keep theirs, which is 60 s.

Whoever closes first must not be the server: a request may be on its way already.
"""


def serve(host: str, port: int) -> None:
    """Serve at an address. Raises: WrongSetting, NotMigrated, Misused."""
    settings = settings_of_migrated_database()
    log_to_stderr()
    try:
        app = create_app(settings, build_schema(), host=host)
    except WrongHost:
        raise Misused(f"--host must be a host name or an IP address, not {host!r}") from None
    settle()
    print(f"GraphQL at http://{host}:{port}{PATH}", flush=True)
    if settings.graphiql and settings.graphiql_token is not None:
        told = "On this machine, the page there opens with a token (GATEWAY_GRAPHIQL_TOKEN)."
        print(told, flush=True)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # nothing here asks where a caller is
        ws_max_size=settings.max_body_bytes,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
