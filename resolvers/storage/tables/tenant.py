"""What the tables of an organization have in common."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel
from sqlmodel.main import SQLModelMetaclass

from resolvers.storage.columns import key

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class TableMeta(SQLModelMetaclass):
    """Makes the table of a model and neither maps the model nor builds a validator for it.

    Rows are named tuples (`resolvers.storage.rows`), so both would go unused, and for 49 tables
    they take 0.1 s of CPU at each start.
    """

    def __init__(
        cls,  # noqa: N805 - of a metaclass
        name: str,
        bases: tuple[type, ...],
        attributes: dict[str, Any],
        **options: Any,
    ) -> None:
        type.__init__(cls, name, bases, attributes)
        if options.get("table"):
            cls.__table__ = _table(cls)


def _table(model: Any) -> sa.Table:
    columns = {name: getattr(model, name) for name in model.model_fields}
    for name, column in columns.items():
        column.key = column.name = name
    return sa.Table(
        model.__dict__.get("__tablename__", model.__name__.lower()),
        SQLModel.metadata,
        *columns.values(),
        *model.__dict__.get("__table_args__", ()),
    )


class TableModel(SQLModel, metaclass=TableMeta):
    """What the models of all tables inherit."""

    model_config = {"defer_build": True}


class Keyed(TableModel):
    """A row of one organization with a key of its own."""

    organization_id: UUID = key(primary_key=True)
    id: UUID = key(primary_key=True)


def of_organization() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["organization_id"], ["organization.id"])


def refers_to(other: str, column: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key inside the organization, by `<other>_id` unless the column is named."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column or f"{other}_id"], [f"{other}.organization_id", f"{other}.id"]
    )


def unique(*names: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("organization_id", *names)


def index(name: str, *names: str, where: str | None = None, unique: bool = False) -> sa.Index:
    """An index inside an organization, on columns and on expressions.

    `where` makes it partial; all of it in SQL that both databases read.
    """
    condition = None if where is None else sa.text(where)
    return sa.Index(
        name,
        "organization_id",
        *(sa.text(name) if "(" in name else name for name in names),
        unique=unique,
        postgresql_where=condition,
        sqlite_where=condition,
    )


def check(name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=name)


STATISTICS = "statistics"
"""Where a table's `info` has the statements that make statistics, for PostgreSQL."""


def folded_statistics(model: type[SQLModel], *names: str) -> None:
    """Let PostgreSQL know which values texts have in folded form, as filters compare them.

    Without them it takes every text for rare, sorts what it believes to be a handful of rows, and
    reads the whole table for it. SQLite keeps no such statistics.
    """
    table: sa.Table = model.__table__  # type: ignore[attr-defined]
    table.info[STATISTICS] = [
        f"CREATE STATISTICS st_{table.name}_{name}"
        f" ON coalesce(folded_texts ->> '{name}', {name}) FROM {table.name}"
        for name in names
    ]
