"""Prints the schema in the order in which a newcomer reads it.

Strawberry prints types by name and leaves out the schema's description. Here the roots come first.
Each type follows the first field, argument or union that refers to it, so types that belong
together stand together.
"""

import re
from collections.abc import Iterator
from typing import Final

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from schema.description import DESCRIPTION

ROOTS: Final = """\
schema {
  query: Query
  mutation: Mutation
  subscription: Subscription
}"""

BETWEEN_DEFINITIONS: Final = re.compile(
    r'\n\n(?=(?:"""|directive |enum |input |interface |scalar |type |union ))'
)
NAME: Final = re.compile(r"^(?:enum|input|interface|scalar|type|union) (\w+)", re.MULTILINE)


class PrintedSchema(strawberry.Schema):
    def as_str(self) -> str:
        """Return the SDL of the schema."""
        definitions = BETWEEN_DEFINITIONS.split(super().as_str())
        places = {name: place for place, name in enumerate(_names(self._schema))}

        def place(definition: str) -> int:
            found = NAME.search(definition)
            return -1 if found is None else places[found[1]]

        return "\n\n".join([f'"""\n{DESCRIPTION}"""\n{ROOTS}', *sorted(definitions, key=place)])


def _names(schema: GraphQLSchema) -> list[str]:
    """Return the names of all types, each after the first type that refers to it."""
    names: dict[str, None] = {}
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    waiting: list[GraphQLNamedType] = [root for root in roots if root is not None]
    names.update((root.name, None) for root in waiting)
    while waiting:
        for kind in _referred(waiting.pop(0), schema):
            if kind.name not in names:
                names[kind.name] = None
                waiting.append(kind)
    return [*names, *(name for name in schema.type_map if name not in names)]


def _referred(kind: GraphQLNamedType, schema: GraphQLSchema) -> Iterator[GraphQLNamedType]:
    if isinstance(kind, GraphQLInputObjectType):
        for given in kind.fields.values():
            yield get_named_type(given.type)
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        yield from kind.interfaces
        for field in kind.fields.values():
            for argument in field.args.values():
                yield get_named_type(argument.type)
            yield get_named_type(field.type)
    if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
        yield from schema.get_possible_types(kind)
