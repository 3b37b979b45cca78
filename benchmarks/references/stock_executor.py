"""The gateway's own types and reads behind graphql-core: what a plan is measured against.

A document is parsed and validated once, as the gateway does; what differs is who executes it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from inspect import isawaitable
from typing import Any, Final, NoReturn
from uuid import UUID

import orjson
from graphql import DocumentNode, ExecutionResult, execute, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.auth import Authenticator
from gateway.export_addresses import ExportAddresses
from resolvers.notifications import outbox
from resolvers.storage import storage_at
from schema import build_schema
from schema.grammar.context import Context

DOCUMENTS: Final = 1_000


class NoFeed:
    """A feed for operations that do not subscribe."""

    def watch(self, organization_id: UUID) -> NoReturn:
        raise AssertionError(organization_id)

    async def turn(self) -> NoReturn:
        raise AssertionError


def create(database_url: str, secret: str) -> Starlette:
    """The server over the database at an address."""
    storage = storage_at(database_url, outbox.fill)
    authenticator = Authenticator(storage, secret, storage.clock)
    exports = ExportAddresses(secret, storage.clock)
    built = build_schema()
    schema: Any = built._schema

    @lru_cache(maxsize=DOCUMENTS)
    def document(text: str) -> DocumentNode:
        parsed = parse(text)
        assert not validate(schema, parsed), text
        return parsed

    async def respond(request: Request) -> Response:
        viewer = await authenticator.viewer(request.headers.get("authorization"))
        asked = orjson.loads(await request.body())
        result: Any = execute(
            schema,
            document(asked["query"]),
            context_value=Context(viewer=viewer, storage=storage, feed=NoFeed(), exports=exports),
            variable_values=asked.get("variables"),
            # what Strawberry's Schema.execute gives
            executor_class=built.execution_context_class,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            operation_extensions=None,
        )
        answered: ExecutionResult = await result if isawaitable(result) else result
        return Response(orjson.dumps(answered.formatted), media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await storage.open()
        yield
        await storage.close()

    return Starlette(routes=[Route("/graphql", respond, methods=["POST"])], lifespan=lifespan)
