"""A join whose left side is read first."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import FromClause, Join


class _InOrder(Join):
    inherit_cache = False


@compiles(_InOrder)
def _join(element: _InOrder, compiler: Any, **options: Any) -> str:
    text: str = compiler.visit_join(element, **options)
    return text


@compiles(_InOrder, "sqlite")
def _cross_join(element: _InOrder, compiler: Any, **options: Any) -> str:
    """SQLite knows nothing of a list that it is given, and would read the whole table first."""
    return _join(element, compiler, **options).replace(" JOIN ", " CROSS JOIN ", 1)


def join_in_order(left: FromClause, right: FromClause, on: sa.ColumnElement[bool]) -> Join:
    """An inner join that reads `left` first, whatever the database guesses."""
    return _InOrder(left, right, on)
