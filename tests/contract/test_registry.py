"""The tables of types name every type, kind and relation that there is."""

from graphql import GraphQLInterfaceType

import schema
from resolvers.vocabulary import BookingKind
from schema.grammar.fields import type_name
from schema.grammar.relations import RELATIONS
from schema.registry import KIND_TYPES, NODE_TYPES, OTHER_TYPES


def test_every_node_is_found_by_its_global_id():
    """A type that implements `Node` is in the table, and no other is."""
    printed = schema.build_schema()._schema
    node = printed.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)

    nodes = {kind.name for kind in printed.get_possible_types(node)}

    assert {type_name(kind) for kind in NODE_TYPES} == nodes


def test_every_table_names_relations_that_exist():
    """Rows of a type come from a relation by their key."""
    assert {*NODE_TYPES.values(), *OTHER_TYPES.values()} <= RELATIONS.keys()


def test_every_kind_of_booking_has_a_type():
    """A booking of any kind can be shown."""
    assert set(KIND_TYPES) == set(BookingKind)
