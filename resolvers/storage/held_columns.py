"""The columns that a database has, compared with those that the code declares.

Alembic knows a database by the name of its last step alone. Tables that an earlier text of a step
has made, or that were changed by hand, pass for up to date, and statements fail one by one. So
names, types and nullability are compared, with one statement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import sqlalchemy as sa

from resolvers.storage.read import DIALECTS, Read
from resolvers.storage.tables import metadata
from resolvers.values import frozen

HELD = {
    "sqlite": """
        SELECT t.name AS "table", c.name AS name, c.type AS kind, c."notnull" = 0 AS nullable,
            c.dflt_value IS NOT NULL AS filled
        FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'
    """,
    "postgresql": """
        SELECT t.relname AS "table", c.attname AS name,
            format_type(c.atttypid, c.atttypmod) AS kind,
            NOT c.attnotnull AS nullable, c.atthasdef OR c.attidentity <> '' AS filled
        FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid
        WHERE t.relkind IN ('r', 'p') AND c.attnum > 0 AND NOT c.attisdropped
            AND pg_table_is_visible(t.oid) AND t.relnamespace <> 'pg_catalog'::regnamespace
    """,
}

POSTGRESQL_NAMES = {"VARCHAR": "character varying", "FLOAT": "double precision"}
"""What PostgreSQL calls types that a statement may call otherwise."""


@frozen
class Column:
    """A column of a table. `kind` None is any type; `filled` is whether it has a default."""

    table: str
    name: str
    kind: str | None
    nullable: bool
    filled: bool = False

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    def difference(self, held: "Column") -> str | None:
        if self.kind is not None and held.kind != self.kind:
            return f"{self} is {held.kind} instead of {self.kind}"
        if held.nullable != self.nullable:
            return f"{self} is {_null(held)} instead of {_null(self)}"
        return None


class Columns:
    """The columns of a database, or those that a database should have."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._all: dict[str, dict[str, Column]] = {}
        for table, name, kind, nullable, filled in rows:
            column = Column(table, name, kind, bool(nullable), bool(filled))
            self._all.setdefault(table, {})[name] = column

    def first_difference(self, held: Self) -> str | None:
        """The first thing that keeps a database with the `held` columns from being used.

        Tables of others are left alone, and so are columns of others that statements may leave out.
        """
        for table, columns in self._all.items():
            found = held._all.get(table)
            if found is None:
                return f"the table {table} is missing"
            for name, column in columns.items():
                if name not in found:
                    return f"the column {column} is missing"
                if difference := column.difference(found[name]):
                    return f"the column {difference}"
            for name, column in found.items():
                if name not in columns and not column.nullable and not column.filled:
                    return f"the column {column} is unknown, and no row can be written without it"
        return None

    def of_any_type(self) -> Self:
        """The same columns, which match columns of any type."""
        result = type(self)(())
        result._all = {
            table: {name: replace(column, kind=None) for name, column in columns.items()}
            for table, columns in self._all.items()
        }
        return result


def held_columns(dialect_name: str) -> "sa.TextualSelect":
    """The statement that reads the columns of a database, as `Columns` takes them."""
    names = ("table", "name", "kind", "nullable", "filled")
    return sa.text(HELD[dialect_name]).columns(*map(sa.column, names))


def read_held_columns() -> Read[Any]:
    """The columns of the database, by position."""
    return Read("held columns", held_columns)


@lru_cache
def declared_columns(dialect_name: str) -> Columns:
    """The columns that the code declares."""
    return Columns(
        (table.name, column.name, _kind(column, dialect_name), column.nullable, False)
        for table in metadata.sorted_tables
        for column in table.columns
    )


def _kind(column: "sa.Column[Any]", dialect_name: str) -> str:
    kind: str = column.type.compile(dialect=DIALECTS[dialect_name]).partition(" COLLATE ")[0]
    if dialect_name == "sqlite":
        return kind
    name, parenthesis, length = kind.partition("(")
    return POSTGRESQL_NAMES.get(name, name.lower()) + parenthesis + length


def _null(column: Column) -> str:
    return "nullable" if column.nullable else "NOT NULL"
