"""The gateway as it is served, for `serve.py`."""

from typing import Final

from starlette.applications import Starlette

from gateway.app import create_app
from gateway.settings import Settings
from schema import build_schema

CONNECTIONS: Final = 20_000
"""All clients of a benchmark come from one address with one token."""


def create(database_url: str, secret: str) -> Starlette:
    """The server over the database at an address."""
    settings = Settings(
        database_url=database_url,
        jwt_secret=secret,
        max_connections=CONNECTIONS,
        max_connections_per_address=CONNECTIONS,
        max_connections_per_viewer=CONNECTIONS,
    )
    return create_app(settings, build_schema())
