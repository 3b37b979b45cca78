"""The words that the steps are written in.

They are the steps' own: what tables are made of today may change, a step that has run may not.
"""

import sqlalchemy as sa
from alembic import op

from resolvers.storage.columns import Document, ExactAmount, Instant, WallTime


def key(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Uuid(), nullable=null)


def text(name: str, length: int, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.String(length), nullable=null)


def sort_key(name: str) -> "sa.Column[object]":
    """A text of 500 characters that is compared by code points."""
    kind = sa.String(500).with_variant(sa.String(500, collation="C"), "postgresql")
    return sa.Column(name, kind, nullable=False)


def flag(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Boolean(), nullable=null)


def number(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Integer(), nullable=null)


def big_number(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.BigInteger(), nullable=null, autoincrement=False)


def fraction(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Float(), nullable=null)


def day(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Date(), nullable=null)


def time_of_day(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.Time(), nullable=null)


def instant(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, Instant(), nullable=null)


def wall_time(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, WallTime(), nullable=null)


def amount(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, ExactAmount(), nullable=null)


def document(name: str, *, null: bool = False) -> "sa.Column[object]":
    return sa.Column(name, Document(), nullable=null)


def choice(name: str, values: tuple[str, ...], *, null: bool = False) -> "sa.Column[object]":
    """One of some words, as text that a CHECK guards."""
    kind = sa.Enum(*values, native_enum=False, create_constraint=True, name=name, length=32)
    return sa.Column(name, kind, nullable=null)


def primary_key(*names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names)


def unique(*names: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*names)


def of_organization() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["organization.id"])


def refers_to(other: str, column: str) -> sa.ForeignKeyConstraint:
    """A foreign key to a row of the same organization."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column], [f"{other}.organization_id", f"{other}.id"]
    )


def check(name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=name)


def index(
    name: str, table: str, *columns: str, where: str | None = None, unique: bool = False
) -> None:
    """Make an index on columns and on expressions; `where` makes it partial.

    All of it in SQL that both databases read.
    """
    condition = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        [sa.text(column) if "(" in column else column for column in columns],
        unique=unique,
        postgresql_where=condition,
        sqlite_where=condition,
    )


def lower_case_statistics(table: str, *columns: str) -> None:
    """Statistics of texts in lower case, which only PostgreSQL keeps."""
    if op.get_bind().dialect.name == "postgresql":
        for column in columns:
            op.execute(f"CREATE STATISTICS st_{table}_{column} ON lower({column}) FROM {table}")


def folded_statistics(table: str, *columns: str) -> None:
    """Statistics of texts in folded form, which only PostgreSQL keeps."""
    if op.get_bind().dialect.name == "postgresql":
        for column in columns:
            form = f"coalesce(folded_texts ->> '{column}', {column})"
            op.execute(f"CREATE STATISTICS st_{table}_{column} ON {form} FROM {table}")


def drop_statistics(table: str, *columns: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column in columns:
            op.execute(f"DROP STATISTICS st_{table}_{column}")
