"""Which columns of which rows a statement selects, and where they stand in its rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resolvers.selecting import Join, Wanted, WantedColumn
from resolvers.values import frozen


@dataclass(eq=False)
class Table:
    """The columns that are wanted of one row of a statement, and the rows that are joined to it."""

    columns: dict[tuple[str, bool], int] = field(default_factory=dict)
    joins: "dict[tuple[str, str], tuple[Any, str, Table]]" = field(default_factory=dict)


class Layout:
    """Where the columns of a statement stand; they are numbered when all are known."""

    def __init__(self) -> None:
        self.root = Table()
        self._slots = 0

    def slot(self, table: Table, name: str, *, plain: bool) -> int:
        self._slots += 1
        return table.columns.setdefault((name, plain), self._slots)

    def wanted(self) -> tuple[Wanted, dict[int, int]]:
        """What to select, and the position of each slot in a row."""
        positions: dict[int, int] = {}
        return self._wanted(self.root, positions), positions

    def _wanted(self, table: Table, positions: dict[int, int]) -> Wanted:
        for slot in table.columns.values():
            positions[slot] = len(positions)
        return Wanted(
            tuple(WantedColumn(name, plain) for name, plain in table.columns),
            tuple(
                Join(model, column, key, self._wanted(other, positions))
                for (_, key), (model, column, other) in table.joins.items()
            ),
        )


@frozen
class Scope:
    """The row that an expression is about: its table, and other names for some of its columns."""

    layout: Layout
    table: Table
    names: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str, *, plain: bool = False) -> str:
        """The expression of a column."""
        return f"§{self.layout.slot(self.table, self.names.get(name, name), plain=plain)}"


CELL = re.compile(r"§(\d+)")
"""A column in an expression, until it is numbered; no name in GraphQL looks like that."""


def is_cell(expression: str) -> bool:
    """Whether an expression is a column and nothing else."""
    return CELL.fullmatch(expression) is not None


def position(cell: str, positions: Mapping[int, int]) -> int:
    """Where the column stands in a row."""
    return positions[int(cell[1:])]


def numbered(text: str, positions: Mapping[int, int]) -> str:
    """The text with the columns' names in the written function."""
    return CELL.sub(lambda match: f"c{positions[int(match[1])]}", text)
