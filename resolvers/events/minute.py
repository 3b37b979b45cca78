"""A minute after or before an instant, in the SQL of each database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from resolvers.storage.columns import Instant


class _MinuteStart(sa.ColumnElement[Any]):
    inherit_cache = False
    type = Instant()
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it; not changed
        ("instant", InternalTraversal.dp_clauseelement),
        ("sign", InternalTraversal.dp_string),
    ]

    def __init__(self, instant: sa.ColumnElement[Any], sign: str) -> None:
        self.instant, self.sign = instant, sign


@compiles(_MinuteStart, "postgresql")
def _postgresql(element: _MinuteStart, compiler: Any, **options: Any) -> str:
    instant = compiler.process(element.instant, **options)
    return f"({instant} {element.sign} INTERVAL '1 minute')"


@compiles(_MinuteStart, "sqlite")
def _sqlite(element: _MinuteStart, compiler: Any, **options: Any) -> str:
    # SQLite rounds to milliseconds, so the fraction of the second is added as text
    instant = compiler.process(element.instant, **options)
    return (
        f"(strftime('%Y-%m-%dT%H:%M:%S', substr({instant}, 1, 19), '{element.sign}1 minute')"
        f" || substr({instant}, 20))"
    )


def a_minute_after(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the instant a minute later, exact to the microsecond."""
    return _MinuteStart(instant, "+")


def a_minute_before(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the instant a minute earlier, exact to the microsecond."""
    return _MinuteStart(instant, "-")
