"""The state of a running plan, through which its places read."""

from collections.abc import Sequence
from typing import Any, TypeVar

from resolvers.storage.read import Read
from resolvers.viewer import Viewer
from schema.grammar.context import Context
from schema.grammar.response_size import ResponseSize
from schema.plan.inputs import Values

Model = TypeVar("Model")

Row = Sequence[Any]
"""A row of a statement: the values of its columns, by position."""


class Info:
    """The only part of Strawberry's info that resolvers use: the context."""

    __slots__ = ("context",)

    def __init__(self, context: Context) -> None:
        self.context = context


class Run:
    """One run of a plan."""

    __slots__ = ("context", "info", "size", "variables", "viewer")

    def __init__(self, context: Context, variables: Values) -> None:
        self.context = context
        self.viewer: Viewer = context.viewer
        self.variables = variables
        self.info = Info(context)
        self.size = ResponseSize(context.max_response_bytes)

    async def tuples(self, read: Read[Any]) -> Sequence[Row]:
        return await self.context.storage.tuples(read)

    async def read(self, read: Read[Model]) -> list[Model]:
        return await self.context.storage.read(read)
