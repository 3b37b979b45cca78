"""The gateway as it is served, for `serve.py`."""

from starlette.applications import Starlette

from gateway.app import create_app
from gateway.settings import Settings
from schema import build_schema


def create(database_url: str, secret: str) -> Starlette:
    """The server over the database at an address."""
    return create_app(Settings(database_url=database_url, jwt_secret=secret), build_schema())
