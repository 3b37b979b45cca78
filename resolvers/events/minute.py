"""A minute after an instant, in each database's own words."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from resolvers.storage.columns import Instant


class _AMinuteAfter(sa.ColumnElement[Any]):
    inherit_cache = False
    type = Instant()

    def __init__(self, instant: sa.ColumnElement[Any]) -> None:
        self.instant = instant


@compiles(_AMinuteAfter, "postgresql")
def _postgresql(element: _AMinuteAfter, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.instant, **options)} + INTERVAL '1 minute')"


@compiles(_AMinuteAfter, "sqlite")
def _sqlite(element: _AMinuteAfter, compiler: Any, **options: Any) -> str:
    # SQLite rounds to milliseconds, so what follows the seconds is kept out of its reach
    instant = compiler.process(element.instant, **options)
    return (
        f"(strftime('%Y-%m-%dT%H:%M:%S', substr({instant}, 1, 19), '+1 minute')"
        f" || substr({instant}, 20))"
    )


def a_minute_after(instant: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The instant a minute later, exact to the microsecond."""
    return _AMinuteAfter(instant)
