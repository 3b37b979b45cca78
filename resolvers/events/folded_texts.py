"""The texts of an event in their folded form, which filters compare."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from resolvers.storage.tables import Event, columns


class _FoldedText(sa.ColumnElement[str]):
    """The folded form of a text: the text itself unless `folded_texts` has another."""

    inherit_cache = False
    type = sa.String()
    _traverse_internals = [  # noqa: RUF012 - as SQLAlchemy declares it; not changed
        ("forms", InternalTraversal.dp_clauseelement),
        ("text", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, forms: sa.ColumnElement[Any], text: sa.ColumnElement[Any]) -> None:
        self.forms, self.text = forms, text


@compiles(_FoldedText, "postgresql")
def _postgresql(element: _FoldedText, compiler: Any, **options: Any) -> str:
    # the expression of the statistics
    forms, text = (compiler.process(part, **options) for part in (element.forms, element.text))
    return f"coalesce({forms} ->> '{element.text.key}', {text})"


@compiles(_FoldedText, "sqlite")
def _sqlite(element: _FoldedText, compiler: Any, **options: Any) -> str:
    forms, text = (compiler.process(part, **options) for part in (element.forms, element.text))
    return f"coalesce(json_extract({forms}, '$.{element.text.key}'), {text})"


def folded_text(name: str) -> sa.ColumnElement[str]:
    """Return a text of the event in its folded form."""
    c = columns(Event)
    return _FoldedText(c.folded_texts, c[name])
