"""Inserts on PostgreSQL: all rows of all tables in one statement, with an array for each column.

`executemany` executes its statement once for each row, which costs the database twice as much, and
each table costs a round trip.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import SQLModel

from resolvers.storage import seat_counts
from resolvers.storage.columns import KeyList
from resolvers.storage.tables import ChangeLog, LogPosition, columns, table

NUMBER: Final = "number"
"""The number of an unnested row, from 1."""

Shape = tuple[type[SQLModel], tuple[str, ...]]
"""A table and the columns that are inserted."""


class Rows(NamedTuple):
    """Rows for one table that have values for the same columns, in the same order."""

    model: type[SQLModel]
    rows: Sequence[Mapping[str, Any]]

    @property
    def shape(self) -> Shape:
        return self.model, tuple(self.rows[0])


def values(parts: Sequence[Rows]) -> dict[str, list[Any] | None]:
    """The parameters of `inserting`: the values of each column, in the order of the rows.

    A column without any value is None instead of a list, which `unnest` fills up with nulls:
    asyncpg spends more time on a list, and on a null in it, than on most values elsewhere.
    """
    given: dict[str, list[Any] | None] = {}
    for n, part in enumerate(parts):
        by_column = zip(*(row.values() for row in part.rows), strict=True)
        for name, column in zip(part.rows[0], by_column, strict=True):
            nothing = column.count(None) == len(column)
            given[_parameter(n, name)] = None if nothing else list(column)
    return given


def inserting(shapes: Sequence[Shape]) -> sa.Insert:
    """A statement that inserts the rows of several tables. Foreign keys are checked at its end.

    Rows of counters of seats are added to the counters that are there.
    """
    first, *others = (_insert(n, *shape) for n, shape in enumerate(shapes))
    return first.add_cte(*(each.cte(f"part_{n}") for n, each in enumerate(others, 1)))


def _insert(n: int, model: type[SQLModel], names: tuple[str, ...]) -> sa.Insert:
    rows = _unnested(n, model, names).render_derived()
    source = sa.select(*(rows.c[name] for name in names))
    if model in seat_counts.COUNTERS:
        return seat_counts.adding(model, "postgresql", source)
    return table(model).insert().from_select(names, source)


def appending(names: tuple[str, ...]) -> sa.Select[Any]:
    """A statement that raises an organization's log position and inserts changes up to it.

    It returns the new position, and whether the organization has notification endpoints. Its
    parameters are `of`, `by` (the number of changes), and `values` of the changes.
    """
    c = columns(LogPosition)
    by = sa.bindparam("by", type_=sa.BigInteger)
    raised = (
        table(LogPosition)
        .update()
        .where(c.organization_id == sa.bindparam("of"))
        .values(position=c.position + by)
        .returning(c.position, c.notifies)
        .cte("raised")
    )
    changes = _unnested(0, ChangeLog, names, with_ordinality=NUMBER).render_derived()
    position = raised.c.position - by + changes.c[NUMBER]
    written = (
        table(ChangeLog)
        .insert()
        .from_select(
            ["position", *names],
            sa.select(position, *(changes.c[name] for name in names)).select_from(
                raised.join(changes, sa.true())
            ),
        )
    )
    return sa.select(raised.c.position, raised.c.notifies).add_cte(written.cte("written"))


def _unnested(n: int, model: type[SQLModel], names: tuple[str, ...], **given: str) -> Any:
    """The rows of a part, from the arrays of their columns."""
    arrays = []
    for name in names:
        kind = columns(model)[name].type
        values = sa.bindparam(_parameter(n, name), type_=KeyList(kind))
        arrays.append(sa.cast(values, ARRAY(kind)))
    return sa.func.unnest(*arrays).table_valued(*names, **given)


def _parameter(n: int, name: str) -> str:
    return f"{n}_{name}"
