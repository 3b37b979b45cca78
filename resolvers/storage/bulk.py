"""Inserts on PostgreSQL: all rows of all tables in one statement, with an array for each table.

The elements of an array are records of the table's own type. An array for each column costs both
sides half as much again, since asyncpg examines each array and each value in it. `executemany`
executes its statement once for each row, and each table costs a round trip.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage import seat_counts
from resolvers.storage.encoding import names_of
from resolvers.storage.read import DIALECTS
from resolvers.storage.tables import ChangeLog, LogPosition, columns, metadata, table

Held = Mapping[str, tuple[str, ...]]
"""The columns that the tables of a database have, in their order there, by the tables' names."""

HELD: Final = """
    SELECT t.relname, array_agg(c.attname::text ORDER BY c.attnum)
    FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
    WHERE t.relname = ANY ($1) AND t.relkind IN ('r', 'p') AND pg_table_is_visible(t.oid)
        AND c.attnum > 0 AND NOT c.attisdropped
    GROUP BY t.relname
"""

ROWS: Final = "rows"
"""The parameter with the records of the first table; the others have a number."""


async def read_held(connection: "asyncpg.Connection[asyncpg.Record]") -> Held:
    """The columns of our tables: a record has to have exactly these."""
    found = await connection.fetch(HELD, [each.name for each in metadata.sorted_tables])
    return {name: tuple(names) for name, names in found}


def values(tables: Sequence[list[tuple[Any, ...]]]) -> dict[str, Any]:
    """The parameters of `inserting`: the encoded rows of each table."""
    return {f"{ROWS}{n}": rows for n, rows in enumerate(tables)}


def inserting(models: Sequence[type[SQLModel]]) -> sa.TextClause:
    """A statement that inserts rows into several tables. Foreign keys are checked at its end.

    Rows of counters of seats are added to the counters that are there.
    """
    first, *others = (_insert(n, model) for n, model in enumerate(models))
    parts = ", ".join(f"part_{n} AS ({each})" for n, each in enumerate(others))
    return sa.text(f"WITH {parts} {first}" if others else first)


def _insert(n: int, model: type[SQLModel]) -> str:
    names = [_quoted(name) for name in names_of(model)]
    into = f"{_name(model)} ({', '.join(names)})"
    given = ", ".join(f"r.{name}" for name in names)
    adding = seat_counts.on_conflict_add(model) if model in seat_counts.COUNTERS else ""
    return f"INSERT INTO {into} SELECT {given} FROM {_rows(n, model)} r {adding}"  # noqa: S608 - our names


def appending(models: Sequence[type[SQLModel]] = ()) -> sa.TextualSelect:
    """A statement that raises an organization's log position and inserts changes up to it.

    Before that, it inserts rows into other tables, as `inserting` does. It returns the new
    position, and whether the organization has notification endpoints. Its parameters are `of`, `by`
    (the number of changes), and `values` of the other tables and of the changes.
    """
    names = [_quoted(name) for name in names_of(ChangeLog) if name != "position"]
    given = ", ".join(f"r.{name}" for name in names)
    parts = "".join(f"part_{n} AS ({_insert(n, m)} RETURNING 1), " for n, m in enumerate(models))
    # counting the rows makes PostgreSQL lock the position after it has inserted them
    after = "".join(f" AND (SELECT count(*) FROM part_{n}) >= 0" for n, _ in enumerate(models))  # noqa: S608
    c = columns(LogPosition)
    return sa.text(
        f"""
        WITH {parts}raised AS (
            UPDATE {_name(LogPosition)} SET position = position + :by
            WHERE organization_id = :of{after}
            RETURNING position, notifies
        ), written AS (
            INSERT INTO {_name(ChangeLog)} (position, {", ".join(names)})
            SELECT raised.position - :by + r.ordinality, {given}
            FROM raised CROSS JOIN {_rows(len(models), ChangeLog)} WITH ORDINALITY r
        )
        SELECT position, notifies FROM raised
        """  # noqa: S608 - of our own names
    ).columns(c.position, c.notifies)


def _rows(n: int, model: type[SQLModel]) -> str:
    """The records of a table, unnested."""
    return f"unnest(CAST(:{ROWS}{n} AS {_name(model)}[]))"


def _name(model: type[SQLModel]) -> str:
    return _quoted(table(model).name)


def _quoted(name: str) -> str:
    return DIALECTS["postgresql"].identifier_preparer.quote(name)
