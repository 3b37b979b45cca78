"""Functions that declare fields by the data of a row that they need.

    reference: str = column(…)                                a column of the type's row
    status: EventStatus = computed("start_at", …, by=rule)    follows from columns and the context
    candidate: Candidate = relation("candidate_by_id", key="candidate_id")
    result: Result | None = column(through="enrolment_of_booking")    of a row that completes it
    rooms: list[Room] = relation("rooms_of_centre")           rows of another type, by a loader

Both graphql-core and plans execute this declaration (`schema.grammar.sources`). `through` names a
loader that completes the row.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import strawberry

from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission
from schema.grammar.sources.attributes import Attribute
from schema.grammar.sources.columns import Column, Identity
from schema.grammar.sources.embedded import DocumentPart, Embedded, Fixed, Instead, Renamed
from schema.grammar.sources.fields import LateField, OverRow, RowField, Rule, Source, type_name
from schema.grammar.sources.relations import Relation
from schema.grammar.sources.rules import Computed, Derived

__all__ = [
    "Computed",
    "Fixed",
    "LateField",
    "OverRow",
    "Renamed",
    "attribute",
    "column",
    "computed",
    "derived",
    "described",
    "document_part",
    "embedded",
    "identity",
    "relation",
    "type_name",
]


def column(
    name: str | None = None,
    *,
    description: str,
    mask: Permission | None = None,
    convert: Callable[[Any], Any] | None = None,
    through: str | None = None,
    graphql_name: str | None = None,
) -> Any:
    """A column of the row; its name defaults to the field's."""
    return _field(Column(name, mask, convert, through), description, graphql_name)


def computed(
    *needs: str,
    by: Rule,
    description: str,
    through: str | None = None,
    graphql_name: str | None = None,
) -> Any:
    """A value computed from columns of the row and the context."""
    return _field(Computed(needs, by, through), description, graphql_name)


def derived(
    *needs: str, by: Callable[..., Any], description: str, through: str | None = None
) -> Any:
    """A value computed from columns only."""
    return _field(Derived(needs, by, through), description, None)


def relation(
    loader: str,
    *,
    key: str = "id",
    description: str,
    through: str | None = None,
    pick: str | None = None,
    hidden_when: tuple[str, str] | None = None,
    graphql_name: str | None = None,
    shown_to: Callable[[Viewer], bool] | None = None,
) -> Any:
    """Rows of another type; the loader's name states its output and its input.

    With `pick`, the values of one column of many rows. With `shown_to`, null for other viewers.
    `hidden_when` is a column and its value for which the field is null.
    """
    source = Relation(loader, key, through, pick, shown_to, hidden_when)
    return _field(source, description, graphql_name)


def identity(*, description: str) -> Any:
    """The global id."""
    return _field(Identity(), description, None)


def embedded(
    *,
    description: str,
    present: str | None = None,
    through: str | None = None,
    **names: Instead,
) -> Any:
    """An object over the same row; `names` maps the other type's columns to those of the row."""
    return _field(Embedded(tuple(names.items()), present, through), description, None)


def document_part(column: str, part: str, *, description: str, through: str | None = None) -> Any:
    """An object over a part of the document in a column."""
    return _field(DocumentPart(column, part, through), description, None)


def _field(source: Source, description: str, graphql_name: str | None) -> Any:
    return RowField(graphql_name=graphql_name, description=description, metadata={"source": source})


def described(description: str, **options: Any) -> Any:
    """An optional argument or input field, with its description."""
    return LateField(description=description, default=strawberry.UNSET, **options)


def attribute(
    *, description: str, default: Any = dataclasses.MISSING, name: str | None = None
) -> Any:
    """A value that the object or the input itself holds."""
    return Attribute(description=description, default=default, graphql_name=name)
