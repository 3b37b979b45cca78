"""Changes of tables that have rows, the same on both databases.

    with altering("number_series") as series:
        series.change(big_number("next"))
        series.add_check("next", "next >= 1")

PostgreSQL alters the table. SQLite can alter hardly anything, so the table is made again under
another name, filled, and put in place of the old one, once for each `altering`. Foreign keys must
be off meanwhile, as `migrate` has them: dropping the old table would delete, or forbid, the rows
that refer to it. `migrate` checks all foreign keys after the last step.

Indexes keep their columns: drop the index of a column before the column. New tables and indexes
need none of this: `op.create_table`, `op.drop_table`, `index` and `op.drop_index` work on both.
"""

import abc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations.schemaobj import SchemaObjects

from resolvers.storage.migrations.table_text import TableText


@contextmanager
def altering(table: str) -> Iterator["Alteration"]:
    """Change a table's columns and constraints; what is left of the work is done at the end."""
    on_sqlite = op.get_context().dialect.name == "sqlite"
    alteration = _OnSqlite(table) if on_sqlite else _OnPostgresql(table)
    yield alteration
    alteration.finish()


class Alteration(abc.ABC):
    """The changes of one table. Constraints are named as in `words`, without their prefix."""

    def __init__(self, table: str) -> None:
        self.table = table
        dialect = op.get_context().dialect
        self._ddl: Any = dialect.ddl_compiler(dialect, None)  # type: ignore[arg-type]

    def add_check(self, name: str, rule: str) -> None:
        """Add a CHECK. It fails if a row breaks the rule."""
        self._add(_objects().check_constraint(name, self.table, rule))

    def drop_check(self, name: str) -> None:
        self._drop(_objects().check_constraint(name, self.table, ""))

    def add_unique(self, *columns: str) -> None:
        self._add(_objects().unique_constraint(None, self.table, columns))

    def drop_unique(self, *columns: str) -> None:
        self._drop(_objects().unique_constraint(None, self.table, columns))

    def add_reference(self, other: str, column: str) -> None:
        """Add a foreign key to a row of the same organization."""
        self._add(self._reference(other, column))

    def drop_reference(self, other: str, column: str) -> None:
        self._drop(self._reference(other, column))

    @abc.abstractmethod
    def add(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        """Add a column, with the CHECK of a choice.

        `value` is the SQL expression that gives existing rows their value; without it they have
        NULL.
        """

    @abc.abstractmethod
    def change(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        """Give a column another type, other words to choose from, or another nullability.

        `value` is the SQL expression of the new value for existing rows, such as
        `coalesce(name, '')`; without it they keep what they have.
        """

    @abc.abstractmethod
    def drop(self, column: str) -> None:
        """Drop a column that no constraint and no index names."""

    @abc.abstractmethod
    def finish(self) -> None: ...

    @abc.abstractmethod
    def _add(self, constraint: sa.Constraint) -> None: ...

    @abc.abstractmethod
    def _drop(self, constraint: sa.Constraint) -> None: ...

    def _reference(self, other: str, column: str) -> sa.ForeignKeyConstraint:
        local, remote = ["organization_id", column], ["organization_id", "id"]
        return _objects().foreign_key_constraint(None, self.table, other, local, remote)

    def _checks(self, column: "sa.Column[Any]") -> list[sa.Constraint]:
        """The CHECK of a choice, with its name in this table."""
        made = _objects().table(self.table, column)
        return [c for c in made.constraints if isinstance(c, sa.CheckConstraint)]

    def _text(self, item: Any) -> str:
        """A column or a constraint as it stands in a statement, in single spaces."""
        if isinstance(item, sa.Column):
            item = sa.schema.CreateColumn(item)
        return " ".join(self._ddl.process(item).split())

    def _quoted(self, name: str) -> str:
        quoted: str = self._ddl.preparer.quote(name)
        return quoted

    def _name(self, constraint: sa.Constraint) -> str:
        name: str = self._ddl.preparer.format_constraint(constraint)
        return name


class _OnPostgresql(Alteration):
    def add(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        checks, name = self._checks(column), self._quoted(column.name)
        if value is None:
            self._alter(f"ADD COLUMN {self._text(column)}")
        else:
            self._alter(f"ADD COLUMN {name} {self._type(column)}")
            _run(f"UPDATE {self._quoted(self.table)} SET {name} = {value}")  # noqa: S608
            self._set_null(column)
        for check in checks:
            self._add(check)

    def change(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        checks, name = self._checks(column), self._quoted(column.name)
        for check in checks:
            self._alter(f"DROP CONSTRAINT IF EXISTS {self._name(check)}")
        using = "" if value is None else f" USING {value}"
        self._alter(f"ALTER COLUMN {name} TYPE {self._type(column)}{using}")
        self._set_null(column)
        for check in checks:
            self._add(check)

    def drop(self, column: str) -> None:
        self._alter(f"DROP COLUMN {self._quoted(column)} RESTRICT")

    def finish(self) -> None:
        """Nothing is left: each change was made at once."""

    def _add(self, constraint: sa.Constraint) -> None:
        self._alter(f"ADD {self._text(constraint)}")

    def _drop(self, constraint: sa.Constraint) -> None:
        self._alter(f"DROP CONSTRAINT {self._name(constraint)}")

    def _set_null(self, column: "sa.Column[Any]") -> None:
        action = "DROP" if column.nullable else "SET"
        self._alter(f"ALTER COLUMN {self._quoted(column.name)} {action} NOT NULL")

    def _type(self, column: "sa.Column[Any]") -> str:
        kind: str = column.type.compile(dialect=op.get_context().dialect)
        return kind

    def _alter(self, change: str) -> None:
        _run(f"ALTER TABLE {self._quoted(self.table)} {change}")


class _OnSqlite(Alteration):
    def __init__(self, table: str) -> None:
        super().__init__(table)
        [sql] = _texts("type = 'table' AND name", table)
        self._made = TableText.read(sql)
        self._values = {name: self._quoted(name) for name in self._made.columns}

    def add(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        assert column.name not in self._made.columns
        self._put(column, value)

    def change(self, column: "sa.Column[Any]", *, value: str | None = None) -> None:
        assert column.name in self._made.columns
        self._put(column, value or self._values[column.name])

    def drop(self, column: str) -> None:
        del self._made.columns[column]
        self._values.pop(column, None)

    def finish(self) -> None:
        """Make the table again, with the rows, indexes and triggers that it has.

        The order is the one that SQLite's manual gives: renamed into its place at the end, the new
        table is the one that the other tables refer to, whatever they are called by.
        """
        if op.get_bind().exec_driver_sql("PRAGMA foreign_keys").scalar():
            raise RuntimeError("foreign keys must be off while a table is made again")
        table, new = self._quoted(self.table), self._quoted(f"{self.table}_made_again")
        others = _texts("type IN ('index', 'trigger') AND tbl_name", self.table)
        into = ", ".join(map(self._quoted, self._values))
        values = ", ".join(self._values.values())
        _run(self._made.statement(new))
        _run(f"INSERT INTO {new} ({into}) SELECT {values} FROM {table} ORDER BY rowid")  # noqa: S608
        _run(f"DROP TABLE {table}")
        _run(f"ALTER TABLE {new} RENAME TO {table}")
        for sql in others:
            _run(sql)

    def _put(self, column: "sa.Column[Any]", value: str | None) -> None:
        for check in self._checks(column):
            self._made.constraints[self._name(check)] = self._text(check)
        self._made.columns[column.name] = self._text(column)
        self._values[column.name] = value or "NULL"

    def _add(self, constraint: sa.Constraint) -> None:
        assert self._name(constraint) not in self._made.constraints
        self._made.constraints[self._name(constraint)] = self._text(constraint)

    def _drop(self, constraint: sa.Constraint) -> None:
        del self._made.constraints[self._name(constraint)]


def _objects() -> SchemaObjects:
    return SchemaObjects(op.get_context())


def _run(sql: str) -> None:
    # on the driver: a colon in a rule is no parameter
    op.get_bind().exec_driver_sql(sql)


def _texts(where: str, name: str) -> list[str]:
    """The statements that SQLite keeps of a table, or of what belongs to it."""
    read = f"SELECT sql FROM sqlite_master WHERE {where} = ? AND sql IS NOT NULL"  # noqa: S608
    return list(op.get_bind().exec_driver_sql(read, (name,)).scalars())
