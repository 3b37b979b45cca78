"""Narrows a read to the selected columns, and joins rows to which it refers.

The read keeps its conditions, its order and its limit. It selects the columns of `RowSelection`, in
their order, then those of each join; missing rows are joined as nulls.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage.columns import Document
from resolvers.storage.read import Read
from resolvers.storage.tables import columns, metadata, table
from resolvers.values import frozen


@frozen
class SelectedColumn:
    """A column by name; with `plain`, an enum stays the text in the database."""

    name: str
    plain: bool = False


@frozen
class RowSelection:
    """The selected columns of a row, and of the rows that it refers to."""

    columns: tuple[SelectedColumn, ...]
    joins: "tuple[Join, ...]" = ()


@frozen
class Join:
    """The row of a table whose `column` is this row's `key`."""

    model: type[SQLModel]
    column: str
    key: str
    wanted: RowSelection


def selecting(read: Read[Any], wanted: RowSelection, *also: str) -> Read[Any]:
    """Return a read of the same rows with only the selected columns, then `also`.

    Its rows are plain tuples of the driver.
    """

    def build(dialect: str) -> sa.Executable:
        statement: Any = read.build(dialect)
        return _narrowed(statement, wanted, also)

    return Read(("selecting", read.shape, wanted, also), build, read.values, by_key=read.by_key)


Source = Callable[[str], sa.ColumnElement[Any]]


class _Selection:
    """The columns collected so far, and their joins."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        selected = {column.key: column for column in statement.selected_columns}
        self.own: Source = selected.__getitem__
        self.columns: list[sa.ColumnElement[Any]] = []
        self.joins: list[tuple[sa.FromClause, sa.ColumnElement[bool]]] = []

    def add(self, wanted: RowSelection, source: Source) -> None:
        for column in wanted.columns:
            self.columns.append(_column(source(column.name), plain=column.plain))
        for join in wanted.joins:
            self._join(join, source)

    def _join(self, join: Join, source: Source) -> None:
        other = table(join.model).alias(f"joined_{len(self.joins) + 1}")
        organization = other.c.get("organization_id")
        same = [other.c[join.column] == source(join.key)]
        if organization is not None:
            same.append(organization == self.own("organization_id"))
        self.joins.append((other, sa.and_(*same)))
        self.add(join.wanted, other.c.__getitem__)


def _column(column: sa.ColumnElement[Any], *, plain: bool) -> sa.ColumnElement[Any]:
    if plain and isinstance(column.type, sa.Enum):
        return sa.type_coerce(column, sa.String())
    return column


def _narrowed(
    statement: sa.Select[Any], wanted: RowSelection, also: tuple[str, ...]
) -> sa.Select[Any]:
    selection = _Selection(statement)
    selection.add(wanted, selection.own)
    narrow = statement.with_only_columns(
        *selection.columns, *(selection.own(name) for name in also), maintain_column_froms=True
    )
    for other, same in selection.joins:
        narrow = narrow.outerjoin(other, same)
    return narrow


SHORT_BYTES = 40
"""The bytes of a key, an instant, a number or an enum."""

DOCUMENT_BYTES = 4_000


def most_bytes(wanted: RowSelection) -> int:
    """Estimate the most bytes of a selected row as JSON, without the names of its fields."""
    own = sum(_longest().get(column.name, SHORT_BYTES) for column in wanted.columns)
    return own + sum(most_bytes(join.wanted) for join in wanted.joins)


@cache
def _longest() -> dict[str, int]:
    """The bytes of the longest value of each column, by its name in any table."""
    longest: dict[str, int] = {}
    for each in metadata.tables.values():
        for column in each.columns:
            kind, size = column.type, SHORT_BYTES
            if isinstance(kind, Document):
                size = DOCUMENT_BYTES
            elif isinstance(kind, sa.String) and not isinstance(kind, sa.Enum):
                size = kind.length or DOCUMENT_BYTES
            longest[column.name] = max(size, longest.get(column.name, 0))
    return longest


def never_null(model: type[SQLModel]) -> frozenset[str]:
    """Return the columns of a table that are never null."""
    return frozenset(column.name for column in columns(model) if not column.nullable)
