"""Normalizes every String and ID of a request.

GraphQL reserves the names of its own scalars, so no other type can be named String: the parsers of
the existing ones are replaced.
"""

from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    ValueNode,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type.scalars import coerce_id, coerce_string, parse_id_literal, parse_string_literal

from resolvers.texts import normalized
from schema.grammar.scalars import MAY_BE_EMPTY


def normalize_texts(made: GraphQLSchema) -> None:
    """Make a schema normalize every text, and read an empty optional one as null."""
    for kind in made.type_map.values():
        if isinstance(kind, GraphQLScalarType) and kind.name in _PARSERS:
            kind.coerce_input_value, kind.coerce_input_literal = _PARSERS[kind.name]
        if isinstance(kind, GraphQLInputObjectType) and not kind.is_one_of:
            _read_empty_as_null(kind)


def _string(value: Any) -> str:
    return normalized(coerce_string(value))


def _string_literal(node: ValueNode, variables: Any = None) -> str:
    return normalized(parse_string_literal(node, variables))


def _id(value: Any) -> str:
    return normalized(coerce_id(value))


def _id_literal(node: ValueNode, variables: Any = None) -> str:
    return normalized(parse_id_literal(node, variables))


_PARSERS = {"String": (_string, _string_literal), "ID": (_id, _id_literal)}


def _read_empty_as_null(kind: GraphQLInputObjectType) -> None:
    optional = frozenset(
        name
        for name, field in kind.fields.items()
        if not is_non_null_type(field.type)
        and not is_list_type(field.type)
        and is_leaf_type(field.type)
        and field.type.name in {*_PARSERS, *MAY_BE_EMPTY}
    )

    def out_type(value: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if given == "" and name in optional else given
            for name, given in value.items()
        }

    if optional:
        kind.out_type = out_type  # type: ignore[method-assign]
