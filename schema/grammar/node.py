"""The interface of every object with a global id, and the tables of these types."""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry

from resolvers.vocabulary import BookingKind, SourceSystem
from schema.grammar.declaring import interface_type, object_type
from schema.grammar.fields import OverRow, column, identity, relation, type_name

NODES: dict[str, tuple[type[Any], str]] = {}
"""The type and the relation for each type name in global ids."""

ABSTRACT: dict[str, tuple[type[Any], str]] = {}
"""Interfaces and types without a global id whose rows are read by key, too."""


def rows_of_type(name: str) -> tuple[type[Any], str] | None:
    """Return the type with that name and the loader of its rows, if they are read by key."""
    return NODES.get(name) or ABSTRACT.get(name)


KINDS: dict[BookingKind, Any] = {}
"""The type of each kind of booking."""


def fill_tables(
    nodes: Mapping[type[Any], str],
    others: Mapping[type[Any], str],
    kinds: Mapping[BookingKind, type[Any]],
) -> None:
    """Register the types of `schema.registry`."""
    NODES.update({type_name(kind): (kind, loader) for kind, loader in nodes.items()})
    ABSTRACT.update({type_name(kind): (kind, loader) for kind, loader in others.items()})
    KINDS.update(kinds)


def show_booking(row: Any) -> Any:
    """Return a booking's row as an object of its kind."""
    return KINDS[row.kind].of(row)


@interface_type(description="An object with a global id, which `node` and `nodes` can fetch.")
class Node(OverRow):
    row: strawberry.Private[Any]

    id: strawberry.ID = identity(
        description="Global id of the object. Treat it as an opaque string."
    )


@object_type(description="The key of an object in another system.")
class ExternalId(OverRow):
    row: strawberry.Private[Any]

    system: SourceSystem = column(description="System that uses the key.")
    kind: str = column(
        description="What the other system calls the object: `student` (Surpass Scheduler), "
        "`learner` (Shift iQ) …"
    )
    value: str = column(description="The key in the other system.")


@interface_type(description="An object that may have keys in other systems.")
class Sourced:
    external_ids: list[ExternalId] = relation(
        "external_ids_of", description="Keys of the object in other systems."
    )


def shown_as(name: str) -> Callable[[Any], Any]:
    """Return a function that shows rows of a type, for modules that cannot import the type."""

    def show(row: Any) -> Any:
        of_type = rows_of_type(name)
        assert of_type is not None, name
        return of_type[0].of(row)

    return show
