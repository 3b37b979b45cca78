"""The columns and rows that a statement selects, and their positions in its rows."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from resolvers.selecting import Join, RowSelection, SelectedColumn, never_null
from resolvers.values import frozen

if TYPE_CHECKING:
    from schema.grammar.sources.embedded import Instead
    from schema.plan.arguments import Arguments


@dataclass(eq=False)
class Table:
    """The selected columns of one row of a statement, and the rows that are joined to it."""

    columns: dict[tuple[str, bool], int] = field(default_factory=dict)
    joins: "dict[tuple[str, str], tuple[Any, str, Table]]" = field(default_factory=dict)


class Layout:
    """The columns of a statement; they are numbered when all are known."""

    def __init__(self) -> None:
        self.root = Table()
        self._slots = 0

    def slot(self, table: Table, name: str, *, plain: bool) -> int:
        self._slots += 1
        return table.columns.setdefault((name, plain), self._slots)

    def wanted(self) -> tuple[RowSelection, dict[int, int]]:
        """Return the selection, and the position of each slot in a row."""
        positions: dict[int, int] = {}
        return self._wanted(self.root, positions), positions

    def _wanted(self, table: Table, positions: dict[int, int]) -> RowSelection:
        for slot in table.columns.values():
            positions[slot] = len(positions)
        return RowSelection(
            tuple(SelectedColumn(name, plain) for name, plain in table.columns),
            tuple(
                Join(model, column, key, self._wanted(other, positions))
                for (_, key), (model, column, other) in table.joins.items()
            ),
        )


@frozen
class Scope:
    """The row that an expression reads: its table, and other names for some of its columns.

    `joined` is the model of a joined row and its key. With `attribute`, the row is a value inside
    the function, and `attribute` writes the expressions of its attributes or items. `part` has the
    arguments of a part.
    """

    layout: Layout
    table: Table
    names: "Mapping[str, Instead]" = field(default_factory=dict)
    joined: tuple[Any, str] | None = None
    attribute: Callable[[str], str] | None = None
    part: "Arguments | None" = None

    @property
    def is_row(self) -> bool:
        """Whether the columns belong to a row that a statement selects."""
        return self.attribute is None

    def column(self, name: str, *, plain: bool = False) -> str:
        """Return the expression of a column."""
        instead = self.names.get(name, name)
        assert isinstance(instead, str), name
        if self.attribute is not None:
            return self.attribute(instead)
        return f"§{self.layout.slot(self.table, instead, plain=plain)}"

    def never_null(self) -> str:
        """Return a column that is null only if the joined row is missing; a selected one, if
        possible.
        """
        assert self.joined is not None
        model, key = self.joined
        always = never_null(model)
        for name, plain in self.table.columns:
            if name in always:
                return self.column(name, plain=plain)
        return self.column(key)

    def to(self, loader: str, key: str, model: Any, column: str) -> "Scope":
        """Return the row of a relation, joined in the same statement."""
        own = self.names.get(key, key)
        assert isinstance(own, str), key
        _, _, table = self.table.joins.setdefault((loader, own), (model, column, Table()))
        return Scope(self.layout, table, joined=(model, column))

    def renamed(self, names: "Iterable[tuple[str, Instead]]") -> "Scope":
        """Return the same row under the column names of another type."""
        meant = {
            name: self.names.get(instead, instead) if isinstance(instead, str) else instead
            for name, instead in names
        }
        return Scope(self.layout, self.table, meant, attribute=self.attribute)

    def under_its_own_names(self) -> "Scope":
        """Return the same row under the column names of its own table."""
        return Scope(self.layout, self.table, attribute=self.attribute)

    def of_part(self, part: "Arguments") -> "Scope":
        """Return the same row for a part of its object."""
        return Scope(self.layout, self.table, self.names, part=part)

    def of_document(self, variable: str) -> "Scope":
        """Return the scope of a document in a variable of the function."""
        return Scope(self.layout, self.table, attribute=lambda name: f"{variable}[{name!r}]")

    def of_object(self, variable: str) -> "Scope":
        """Return the scope of an object in a variable of the function."""
        return Scope(self.layout, self.table, attribute=lambda name: f"{variable}.{name}")


CELL = re.compile(r"§(\d+)")
"""A column in an expression before it is numbered; no GraphQL name matches this."""


def is_cell(expression: str) -> bool:
    """Whether an expression is a single column."""
    return CELL.fullmatch(expression) is not None


def position(cell: str, positions: Mapping[int, int]) -> int:
    """Return the position of the column in a row."""
    return positions[int(cell[1:])]


def numbered(text: str, positions: Mapping[int, int]) -> str:
    """Return the text with the columns' names in the written function."""
    return CELL.sub(lambda match: f"c{positions[int(match[1])]}", text)
