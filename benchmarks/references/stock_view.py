"""What a start costs that serves the gateway's own schema in Strawberry's own view."""

from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from benchmarks.references.bare import live
from schema import build_schema

app: Final = Starlette(
    routes=[Route("/health/live", live), Route("/graphql", GraphQL(build_schema()))]
)
