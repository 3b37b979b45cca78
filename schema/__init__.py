"""The public contract: types, inputs, payloads, descriptions and loaders."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import get_object_definition

import schema.grammar.enums  # noqa: F401 - describes the enums that the other modules use
from schema.description import DESCRIPTION
from schema.grammar.errors import ERROR_TYPES
from schema.grammar.inputs import input_description
from schema.grammar.node import NODES, fill_tables
from schema.grammar.paths import INPUTS
from schema.grammar.scalars import SCALARS
from schema.grammar.texts import normalize_texts
from schema.mutation import Mutation
from schema.printing import PrintedSchema
from schema.query import Query
from schema.registry import KIND_TYPES, NODE_TYPES, OTHER_TYPES
from schema.subscription import Subscription


class DoneOnce(FieldExtension):
    """Keep the results of a mutation's fields, so that a second execution does not repeat the
    writes.
    """

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Any, **arguments: Any
    ) -> Any:
        return await info.context.once(info.path.key, lambda: next_(source, info, **arguments))


fill_tables(NODE_TYPES, OTHER_TYPES, KIND_TYPES)

for _field in get_object_definition(Mutation, strict=True).fields:
    _field.extensions = [DoneOnce()]
    for _argument in _field.arguments:
        INPUTS.append(_argument.type)
        _argument.description = input_description(_argument.type)


def build_schema() -> strawberry.Schema:
    """Return the schema, with every type that has a global id and every error type."""
    made = PrintedSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*(kind for kind, _ in NODES.values()), *ERROR_TYPES],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    made._schema.description = DESCRIPTION
    for kind in made._schema.type_map.values():
        # Strawberry's own check of a oneOf input has no location; graphql-core's has one
        if isinstance(kind, GraphQLInputObjectType):
            kind.is_one_of = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of
    normalize_texts(made._schema)
    return made
