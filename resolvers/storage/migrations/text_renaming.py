"""Gives unique texts that are not in their normal form a normal form of their own.

Migration 0007 kept such a text if another row had the same folded form. Requests are normalized, so
only the row's id still found it.
"""

import logging
from collections.abc import Iterator
from itertools import count
from typing import Any

import sqlalchemy as sa

from resolvers.storage.migrations.text_filling import (
    TABLES,
    Filled,
    Row,
    batches,
    column_values,
    table_of,
)
from resolvers.texts import folded, normalized

UNNAMED = "unnamed"
"""The text of a row whose own text has no visible character."""

RENAMED = "%s: row %s with the text %r was renamed to %r; the row with the same text: %s"
KEPT = (
    "%s: row %s with the text %r is found only by exactly this text: rename it; "
    "the row with the same text in another case: %s"
)

log = logging.getLogger(__name__)


def rename(connection: sa.Connection) -> None:
    """Rename the rows of every table, and log each of them with the row that it collides with.

    A row in its normal form that collides with another one keeps its text, by which requests find
    it. The log names it too.
    """
    for filled in TABLES:
        if filled.unique is not None:
            _rename(connection, filled, filled.unique)


def _rename(connection: sa.Connection, filled: Filled, unique: str) -> None:
    table, form = table_of(filled), f"{unique}_folded"
    for rows in batches(connection, table, filled, also=(form,)):
        for row in rows:
            text = row[unique]
            if normalized(text) == text and row[form] == folded(text):
                continue
            other = _same(connection, table, filled, row, folded(normalized(text)))
            place = f"{filled.table}.{unique}"
            if normalized(text) != text:
                new = _free_text(connection, table, filled, row)
                changed = {**column_values(filled, {**row, unique: new}), unique: new}
                connection.execute(sa.update(table).where(_is_row(table, row)).values(changed))
                log.warning(RENAMED, place, row["id"], text, new, other or "none")
            else:
                log.warning(KEPT, place, row["id"], text, other)


def _is_row(table: sa.TableClause, row: Row) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.organization_id == row["organization_id"],
        table.c.id == row["id"],
    )


def _same(
    connection: sa.Connection, table: sa.TableClause, filled: Filled, row: Row, form: str
) -> Any:
    """The key of the other row in the scope with a folded form, or None."""
    c = table.c
    scope = [c[name].is_not_distinct_from(row[name]) for name in filled.scope]
    found = sa.select(c.id).where(
        c.organization_id == row["organization_id"],
        c[f"{filled.unique}_folded"] == form,
        c.id != row["id"],
        *scope,
    )
    return connection.execute(found).scalar()


def _free_text(connection: sa.Connection, table: sa.TableClause, filled: Filled, row: Row) -> str:
    """The first text in its normal form that no other row in the scope has."""
    assert filled.unique is not None
    return next(
        text
        for text in _texts(normalized(row[filled.unique]) or UNNAMED, _length(connection, filled))
        if _same(connection, table, filled, row, folded(text)) is None
    )


def _texts(text: str, most: int) -> Iterator[str]:
    """The text, then the text with a number."""
    yield normalized(text[:most])
    for number in count(2):
        suffix = f" ({number})"
        yield normalized(text[: most - len(suffix)]) + suffix


def _length(connection: sa.Connection, filled: Filled) -> int:
    """How many characters the unique text of a table may have."""
    columns = sa.inspect(connection).get_columns(filled.table)
    [kind] = [column["type"] for column in columns if column["name"] == filled.unique]
    assert isinstance(kind, sa.String)
    assert kind.length is not None
    return kind.length
