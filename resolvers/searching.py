"""The texts that a search compares, and the condition of a search."""

from typing import Any

import sqlalchemy as sa

from resolvers import checks
from resolvers.storage.filters import escaped
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.texts import folded

MOST_SEARCHED = checks.TEXT

BETWEEN = "\n"
"""Separates the texts of `search_text`, so that a search does not match across two of them."""


def search_text(*texts: str) -> str:
    """Return the text that a search compares: case-folded here, since the databases fold
    differently.

    Folding can lengthen a text; characters beyond the column's length are not found.
    """
    return BETWEEN.join(_folded(text) for text in texts)[:500]


def _folded(text: str) -> str:
    return folded(text.replace(BETWEEN, " "))


def containing(text: str) -> str:
    """Return the LIKE pattern for columns made by `search_text` that contain the text."""
    return f"%{escaped(_folded(text))}%"


def containing_in_first(text: str) -> str:
    """As `containing`, but only in the first of several texts."""
    return f"{containing(text)}{BETWEEN}%"


def searching(
    search: str | None,
    *,
    within: tuple[sa.ColumnElement[Any], ...],
) -> Narrowing:
    """Select rows in which one of the columns contains the text, in any case; no text selects every
    row.

    The columns are in folded form. Raises: WrongLength, Invalid.
    """
    checks.text(search, "search", most=MOST_SEARCHED)
    if not search:
        return UNRESTRICTED

    def narrow() -> sa.ColumnElement[bool]:
        pattern = sa.bindparam("search_folded", type_=sa.String())
        return sa.or_(*(column.like(pattern, escape="\\") for column in within))

    return Narrowing(
        ("search", tuple(c.key for c in within)),
        narrow,
        {"search_folded": containing(search)},
    )
