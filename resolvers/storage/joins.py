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
    # in the order in which they are written, which is that of their parameters
    left, right = (
        compiler.process(part, **{**options, "asfrom": True})
        for part in (element.left, element.right)
    )
    on = compiler.process(element.onclause, **{**options, "asfrom": False})
    return f"{left} CROSS JOIN {right} ON {on}"


def join_in_order(left: FromClause, right: FromClause, on: sa.ColumnElement[bool]) -> Join:
    """An inner join that reads `left` first, whatever the database guesses."""
    return _InOrder(left, right, on)
