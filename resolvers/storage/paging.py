"""Keyset pages.

A cursor holds the values of the sort order's columns, so paging while rows are inserted neither
loses nor repeats one.

Nulls sort after every value when ascending and before when descending, on both databases: a value
stands for them (`resolvers.storage.nulls`), so that a place in a list is one comparison of rows,
which an index answers however deep the place is.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic
from uuid import UUID

import orjson
import sqlalchemy as sa

from resolvers.checks import can_be_kept
from resolvers.refusals import Invalid, OutOfRange
from resolvers.storage.nulls import BIGGEST, STAND_INS, nulls_last
from resolvers.storage.read import Row
from resolvers.values import frozen
from resolvers.vocabulary import SortDirection

DEFAULT_SIZE = 20
MOST = 100
MAX_TOTAL_COUNT = 10_000
"""The number up to which a list is counted, unless a setting says otherwise."""


@frozen
class Term:
    """One column of a sort order, by the name that it has in the row."""

    column: str
    kind: type
    descending: bool = False
    nullable: bool = False


@frozen
class Ordering:
    """A total order: the last term must be unique. `name` goes into its cursors."""

    name: str
    terms: tuple[Term, ...]

    def cursor(self, row: Any) -> str:
        """The opaque place of a row in this order."""
        return self.cursor_of(self.values_of(row))

    def values_of(self, row: Any) -> list[Any]:
        """The values of a row that make its cursor."""
        return [getattr(row, term.column) for term in self.terms]

    def cursor_of(self, values: Iterable[Any]) -> str:
        """The opaque place of a row with these values of the order's columns."""
        place = orjson.dumps([self.name, *map(_plain, values)])
        return urlsafe_b64encode(place).rstrip(b"=").decode()

    def place(self, cursor: str, *path: str) -> tuple[Any, ...]:
        """The values in a cursor. Raises: Invalid."""
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            name, *values = orjson.loads(urlsafe_b64decode(padded))
            if name == self.name and len(values) == len(self.terms):
                return tuple(_typed(v, t) for v, t in zip(values, self.terms, strict=True))
        except (ValueError, TypeError, AttributeError, OverflowError):
            pass
        raise Invalid(*path, rule="is not a cursor of this list in this order")


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(value: Any, term: Term) -> Any:
    if value is None and term.nullable:
        return None
    if term.kind is UUID:
        return UUID(value)
    if term.kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError(value)
        return instant.astimezone(UTC)
    if type(value) is not term.kind:
        raise TypeError(value)
    if isinstance(value, int) and not -BIGGEST <= value <= BIGGEST:
        raise ValueError(value)
    if isinstance(value, str) and not can_be_kept(value):
        raise ValueError(value)
    return value


@frozen
class PageRequest:
    """Which part of a list.

    At most `size` rows after and before these places, from the end if backward. Unless it is
    `exact`, a row more is read, which tells whether there is more.
    """

    ordering: Ordering
    size: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    exact: bool = False

    @property
    def shape(self) -> tuple[Any, ...]:
        return (
            self.ordering,
            self.size,
            self.backward,
            self.exact,
            self.after is not None,
            self.before is not None,
        )

    @property
    def values(self) -> dict[str, Any]:
        bound = {}
        kinds = [term.kind for term in self.ordering.terms]
        for side, place in (("after", self.after), ("before", self.before)):
            for n, value in enumerate(place or ()):
                bound[f"{side}_{n}"] = STAND_INS[kinds[n]] if value is None else value
        return bound

    def exactly(self) -> "PageRequest":
        """The same page without the row that tells of more."""
        return PageRequest(self.ordering, self.size, self.backward, self.after, self.before, True)

    def rows(self, fetched: Sequence[Row]) -> "PageRows[Row]":
        """What was fetched, in the list's order and without the row that only tells of more."""
        rows = list(fetched[: self.size])
        if self.backward:
            rows.reverse()
        has_next, has_previous = self.sides(more=len(fetched) > self.size)
        return PageRows(rows, has_next, has_previous)

    def sides(self, *, more: bool) -> tuple[bool, bool]:
        """Whether the list has a next and a previous page, given `more` in the page's direction."""
        if self.backward:
            return self.before is not None, more
        return more, self.after is not None


@frozen
class PageRows(Generic[Row]):
    rows: list[Row]
    has_next: bool
    has_previous: bool


SortTerms = Mapping[Any, tuple[str, type, bool]]
"""For each sort field its column, the column's type, and whether it may be null."""


@lru_cache(maxsize=1024)
def _ordering(name: str, terms: tuple[Term, ...]) -> Ordering:
    return Ordering(name, (*terms, Term("id", UUID, terms[-1].descending)))


def ordering_of(
    name: str, columns: SortTerms, sort: Sequence[tuple[StrEnum, SortDirection]]
) -> Ordering:
    """The total order that sort fields make: of a field given twice the first counts.

    The key breaks ties, in the direction of the last field.
    """
    first: dict[StrEnum, SortDirection] = {}
    for field, direction in sort:
        first.setdefault(field, direction)
    terms = []
    for field, direction in first.items():
        column, kind, nullable = columns[field]
        terms.append(Term(column, kind, direction is SortDirection.DESC, nullable))
    fields = " ".join(f"{field}-{direction}" for field, direction in first.items())
    return _ordering(f"{name} {fields}", tuple(terms))


def page_request(
    ordering: Ordering,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> PageRequest:
    """The page that a Relay connection's arguments ask for.

    Raises: Invalid (both `first` and `last`, a bad cursor), OutOfRange (over 100, negative).
    """
    if first is not None and last is not None:
        raise Invalid("last", rule="cannot be given together with 'first'")
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= MOST:
            raise OutOfRange(name, rule=f"must be from 0 to {MOST}")
    size = first if first is not None else last if last is not None else DEFAULT_SIZE
    return PageRequest(
        ordering,
        size,
        backward=last is not None,
        after=None if after is None else ordering.place(after, "after"),
        before=None if before is None else ordering.place(before, "before"),
    )


def paged(statement: sa.Select[Any], page: PageRequest, by: Any) -> sa.Select[Any]:
    """The statement for a page.

    The size is a literal: with a parameter PostgreSQL plans at every call.
    """
    terms = page.ordering.terms
    if page.after is not None:
        statement = statement.where(_beyond(terms, by, "after", forward=True))
    if page.before is not None:
        statement = statement.where(_beyond(terms, by, "before", forward=False))
    limit: sa.ColumnClause[Any] = sa.literal_column(str(page.size + (not page.exact)))
    return in_order(statement, page, by).limit(limit)


def in_order(statement: sa.Select[Any], page: PageRequest, by: Any) -> sa.Select[Any]:
    """The statement in the page's order; a backward page is read from its end."""
    orders = []
    for term in page.ordering.terms:
        column, descending = _sorted_by(term, by), term.descending != page.backward
        orders.append(column.desc() if descending else column.asc())
    return statement.order_by(*orders)


def _sorted_by(term: Term, by: Any) -> sa.ColumnElement[Any]:
    column: sa.ColumnElement[Any] = by[term.column]
    return nulls_last(column) if term.nullable else column


def _beyond(terms: Sequence[Term], by: Any, side: str, *, forward: bool) -> sa.ColumnElement[bool]:
    """True for the rows strictly after (or before) a place."""
    columns = [_sorted_by(term, by) for term in terms]
    place = [_place_value(f"{side}_{n}", term, by) for n, term in enumerate(terms)]
    upward = [forward != term.descending for term in terms]
    here, there = sa.tuple_(*columns), sa.tuple_(*place)
    if len(set(upward)) > 1:
        beyond = _beyond_in_turn(columns, place, upward)
    else:
        beyond = here > there if upward[0] else here < there
        if not terms[0].nullable:
            return beyond
    # Says nothing new, but is where an index begins: none does at alternatives, and SQLite's none
    # at rows that begin with an expression.
    return sa.and_(columns[0] >= place[0] if upward[0] else columns[0] <= place[0], beyond)


def _beyond_in_turn(
    columns: Sequence[sa.ColumnElement[Any]],
    place: Sequence[sa.ColumnElement[Any]],
    upward: Sequence[bool],
) -> sa.ColumnElement[bool]:
    """The same where directions differ: column by column, the earlier ones being equal."""
    alternatives = []
    equal: list[sa.ColumnElement[bool]] = []
    for column, value, up in zip(columns, place, upward, strict=True):
        alternatives.append(sa.and_(*equal, column > value if up else column < value))
        equal.append(column == value)
    return sa.or_(*alternatives)


def _place_value(name: str, term: Term, by: Any) -> sa.BindParameter[Any]:
    """A value of a cursor; a whole number of any size, since a cursor may be made up."""
    kind = sa.BigInteger() if term.kind is int else by[term.column].type
    return sa.bindparam(name, type_=kind)
