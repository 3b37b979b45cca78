"""Nulls as a value that comes after every other.

What is compared with a null is unknown, so a list with nulls in its order could not be paged by
comparing rows, and no index would answer for its deep pages. With a value in their place it is: an
index on `nulls_last_in("start_at")` serves the order, the place of a cursor, and conditions on the
column, if all of them say it in these words.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.storage.columns import LAST, Instant, instant_text

BIGGEST = 2**63 - 1

STAND_INS: dict[type, Any] = {datetime: LAST, int: BIGGEST}
"""What stands for a null of each kind; no row has such a value."""

LAST_INSTANT, LAST_NUMBER = f"'{instant_text(LAST)}'", str(BIGGEST)
"""The same in SQL that both databases read."""


def stand_in(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What stands for a null of a column; a literal, since an index knows no parameters."""
    text = LAST_INSTANT if isinstance(column.type, Instant) else LAST_NUMBER
    return sa.literal_column(text, column.type)


def nulls_last(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column with its nulls after every value."""
    return sa.func.coalesce(column, stand_in(column))


def nulls_last_in(name: str, kind: type) -> str:
    """The same of a column by its name, for an index."""
    return f"coalesce({name}, {LAST_INSTANT if kind is datetime else LAST_NUMBER})"
