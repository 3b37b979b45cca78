"""What a start with the gateway's libraries costs: one field, one table, and no database."""

from typing import Final

import asyncpg  # noqa: F401 - only imported, as everything below
import strawberry
from sqlmodel import Field, SQLModel
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL

from benchmarks.references.bare import live


class Booking(SQLModel, table=True):
    """Nothing but a table."""

    id: int = Field(primary_key=True)


@strawberry.type
class Query:
    """Nothing but a root."""

    booked: bool = True


app: Final = Starlette(
    routes=[Route("/health/live", live), Route("/graphql", GraphQL(strawberry.Schema(Query)))]
)
