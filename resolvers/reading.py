"""The common shapes of reads: rows by key, rows of a parent, rows linked to a parent, pages.

All of them are restricted to the viewer's organization. Rows come in any order; each contains its
key.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.storage.columns import KeyList, one_of
from resolvers.storage.joins import join_in_order
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.paging import PageRequest, in_order, paged
from resolvers.storage.read import Read
from resolvers.storage.tables import columns, table
from resolvers.values import frozen
from resolvers.viewer import Viewer

Model = TypeVar("Model", bound=SQLModel)
Source = Callable[[], sa.FromClause]
"""The source of a read other than the table: a join with one row for each of its rows."""

ORGANIZATION = "organization_id"


@frozen
class LeadingRows:
    """Rows of another table from which a list starts if they are few.

    `found` narrows them, and `column` is the list's column with their key. `rest` is the condition
    on the list's rows that have one of the keys.
    """

    model: type[SQLModel]
    column: str
    found: Narrowing
    rest: Narrowing

    @property
    def shape(self) -> Hashable:
        return (self.model, self.column, self.found.shape, self.rest.shape, FEW)

    @property
    def values(self) -> Mapping[str, Any]:
        return {**self.found.values, **self.rest.values}

    def few(self) -> sa.CTE:
        """Select the keys as `id`; at most one more than `FEW`."""
        keys = sa.select(columns(self.model).id).where(
            of_organization(self.model), self.found.narrow()
        )
        return keys.limit(sa.literal_column(str(FEW + 1))).cte("few")


FEW = 1_000
"""Up to this many rows of another table, a list starts from them, not from its own order."""


@frozen
class Tie:
    """The condition that selects a parent's rows.

    `condition` makes the condition on the column of the parent's key. `shape` identifies it, and
    `values` are its bound values.
    """

    shape: Hashable
    condition: Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
    values: Mapping[str, Any] = field(default_factory=dict)


def _by_column(model: type[SQLModel], column: str) -> Tie:
    """Select the rows whose column has the parent's key."""
    return Tie(column, lambda key: columns(model)[column] == key)


def of_organization(model: type[SQLModel]) -> sa.ColumnElement[bool]:
    c = columns(model)
    return c.organization_id == sa.bindparam(ORGANIZATION, type_=c.organization_id.type)


def rows_by(
    model: type[Model],
    column: str,
    viewer: Viewer,
    keys: Sequence[Any],
    narrowing: Narrowing,
    *,
    order: str | None = None,
) -> Read[Model]:
    """Return the rows whose `column` is one of the keys: by primary key, or the children of
    parents.

    A single key is compared with `=`: PostgreSQL plans a statement with a list anew at every call,
    because its estimate for this list is cheaper than the generic plan.
    """
    alone = len(keys) == 1

    def build(_: str) -> sa.Select[Any]:
        c = columns(model)
        key = sa.bindparam("key", type_=c[column].type)
        asked = c[column] == key if alone else one_of(c[column], "keys")
        statement = sa.select(table(model)).where(of_organization(model), asked, narrowing.narrow())
        return statement if order is None else statement.order_by(c[order])

    return Read(
        ("rows by", model, column, order, alone),
        build,
        {
            ORGANIZATION: viewer.organization_id,
            **({"key": keys[0]} if alone else {"keys": list(keys)}),
        },
        by_key=True,
        narrowing=narrowing,
        rows_of=(model, column),
    )


def rows_linked(
    model: type[Model],
    link: type[SQLModel],
    viewer: Viewer,
    keys: Sequence[UUID],
    narrowing: Narrowing,
    *,
    parent: str,
    child: str,
    order: str,
) -> Read[Model]:
    """Return the rows that a link table links to parents, each with its parent's key as
    `parent_id`.
    """

    def build(_: str) -> sa.Select[Any]:
        c, x = columns(model), columns(link)
        return (
            sa.select(table(model), x[parent].label("parent_id"))
            .join(table(link), sa.and_(x.organization_id == c.organization_id, x[child] == c.id))
            .where(of_organization(link), one_of(x[parent], "keys"), narrowing.narrow())
            .order_by(c[order], c.id)
        )

    return Read(
        ("rows linked", model, link, parent, order),
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys)},
        by_key=True,
        narrowing=narrowing,
    )


def page_of(
    model: type[Model],
    viewer: Viewer,
    page: PageRequest,
    narrowing: Narrowing,
    *,
    source: Source | None = None,
    beginning: LeadingRows | None = None,
) -> Read[Model]:
    """Return one page of a table's rows.

    Of a source, only the keys are read and sorted; the rows, and the rows joined to them, are read
    for the page only.
    """

    def build(_: str) -> sa.Select[Any]:
        c = columns(model)
        if beginning is not None:
            keys = [
                sa.select(paged(rows, page, c).subquery())
                for rows in _either_way(model, beginning, narrowing, c.id)
            ]
            return _rows_of(model, sa.union_all(*keys).subquery("found"), page)
        if source is not None:
            rows = sa.select(c.id).select_from(source())
            rows = rows.where(of_organization(model), narrowing.narrow())
            return _rows_of(model, paged(rows, page, c).subquery("found"), page)
        statement = sa.select(table(model)).where(of_organization(model))
        # the cursor first: of two conditions on a column, SQLite starts its index scan at the first
        return paged(statement, page, c).where(narrowing.narrow())

    return Read(
        ("page of", model, page.shape, source, _shape(beginning)),
        build,
        {ORGANIZATION: viewer.organization_id, **page.values, **_values(beginning)},
        narrowing=narrowing,
        exact=lambda: page_of(
            model, viewer, page.exactly(), narrowing, source=source, beginning=beginning
        ),
    )


def _rows_of(model: type[SQLModel], found: sa.FromClause, page: PageRequest) -> sa.Select[Any]:
    """Return the rows of a page whose keys were found."""
    same = table(model).alias("same")
    rows = join_in_order(found, same, same.c.id == found.c.id)
    own = same.c.organization_id == sa.bindparam(ORGANIZATION, type_=sa.Uuid)
    return in_order(sa.select(same).select_from(rows).where(own), page, same.c)


def _either_way(
    model: type[SQLModel],
    beginning: LeadingRows,
    narrowing: Narrowing,
    selected: sa.ColumnElement[Any],
) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Return the rows from the few keys that a list starts from, and all its rows if these are not
    few.

    One of the two has no rows, and the database notices this before it reads any. The database
    cannot know how rare a text is in a single statement: it reuses the plan for every text.
    """
    c, few = columns(model), beginning.few()
    number = sa.select(sa.func.count()).select_from(few).scalar_subquery()
    joined = join_in_order(few, table(model), c[beginning.column] == few.c.id)
    rows = sa.select(selected).where(of_organization(model))
    most: sa.ColumnClause[int] = sa.literal_column(str(FEW))
    return (
        rows.select_from(joined).where(number <= most, beginning.rest.narrow()),
        rows.where(number > most, narrowing.narrow()),
    )


def _shape(beginning: LeadingRows | None) -> Hashable:
    return None if beginning is None else beginning.shape


def _values(beginning: LeadingRows | None) -> Mapping[str, Any]:
    return {} if beginning is None else beginning.values


def count_of(
    model: type[SQLModel],
    viewer: Viewer,
    narrowing: Narrowing,
    *,
    source: Source | None = None,
    beginning: LeadingRows | None = None,
    most: int | None = None,
) -> Read[Any]:
    """Count the rows that `page_of` pages through, as the column `total`; at most `most`."""

    def build(_: str) -> sa.Select[Any]:
        if beginning is not None:
            either = sa.union_all(
                *_either_way(model, beginning, narrowing, sa.literal_column("1").label("one"))
            )
            return _counted(sa.select(either.subquery("either")), most)
        rows: sa.Select[Any] = (
            sa.select(sa.literal_column("1"))
            .select_from(table(model) if source is None else source())
            .where(of_organization(model), narrowing.narrow())
        )
        return _counted(rows, most)

    return Read(
        ("count of", model, source, _shape(beginning), most),
        build,
        {ORGANIZATION: viewer.organization_id, **_values(beginning)},
        narrowing=narrowing,
        up_to=lambda most: count_of(
            model, viewer, narrowing, source=source, beginning=beginning, most=most
        ),
    )


def _counted(rows: sa.Select[Any], most: int | None) -> sa.Select[Any]:
    """Select the number of rows, as `total`. The database stops at `most` of them.

    The limit is a literal, as the size of a page is.
    """
    if most is not None:
        rows = rows.limit(sa.literal_column(str(most)))
    return sa.select(sa.func.count().label("total")).select_from(rows.subquery("counted"))


def first_of_each(
    model: type[Model],
    parent: str,
    viewer: Viewer,
    keys: Sequence[UUID],
    page: PageRequest,
    narrowing: Narrowing,
) -> Read[Model]:
    """Return the page's first rows of each parent, in one statement.

    `parent` is the column with the parent's key.
    """

    def build(dialect: str) -> sa.Select[Any]:
        statement, _ = _of_each(model, _by_column(model, parent), page, narrowing, dialect)
        return statement

    return Read(
        ("first of each", model, parent, page.shape),
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys), **page.values},
        narrowing=narrowing,
        exact=lambda: first_of_each(model, parent, viewer, keys, page.exactly(), narrowing),
    )


def first_tied_to_each(
    model: type[Model],
    tie: Tie,
    viewer: Viewer,
    keys: Sequence[UUID],
    page: PageRequest,
    narrowing: Narrowing,
) -> Read[Model]:
    """As `first_of_each`, for parents sharing rows; a row has its parent's key as `parent_id`."""

    def build(dialect: str) -> sa.Select[Any]:
        statement, key = _of_each(model, tie, page, narrowing, dialect)
        return statement.add_columns(key.label("parent_id"))

    return Read(
        ("first tied to each", model, tie.shape, page.shape),
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys), **page.values, **tie.values},
        narrowing=narrowing,
        exact=lambda: first_tied_to_each(model, tie, viewer, keys, page.exactly(), narrowing),
    )


def _of_each(
    model: type[SQLModel], tie: Tie, page: PageRequest, narrowing: Narrowing, dialect: str
) -> tuple[sa.Select[Any], sa.ColumnElement[Any]]:
    """Return the statement for the page's rows of each parent, and the column of its key.

    PostgreSQL joins LATERAL, SQLite uses a correlated LIMIT: neither reads more rows of a parent
    than it needs.
    """
    c, (given, key) = columns(model), _given_keys(dialect)
    if dialect == "postgresql":
        of_parent = sa.select(table(model)).where(of_organization(model), tie.condition(key))
        rows = paged(of_parent, page, c).where(narrowing.narrow()).lateral("rows")
        chosen = sa.select(rows).select_from(sa.join(given, rows, sa.true()))
        return in_order(chosen, page, rows.c), key
    same = table(model).alias("same")
    ids = sa.select(c.id).where(of_organization(model), tie.condition(key))
    chosen = paged(ids, page, c).where(narrowing.narrow()).correlate(given)
    statement = (
        sa.select(same)
        .select_from(join_in_order(given, same, same.c.id.in_(chosen)))
        .where(same.c.organization_id == sa.bindparam(ORGANIZATION, type_=sa.Uuid))
    )
    return in_order(statement, page, same.c), key


def _given_keys(dialect: str) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """Return the keys of the parents as rows, and their column."""
    if dialect == "postgresql":
        keys = sa.cast(sa.bindparam("keys"), sa.ARRAY(sa.Uuid))
        parents = sa.func.unnest(keys).table_valued("key", name="parents").render_derived()
        return parents, parents.c.key
    values = sa.bindparam("keys", type_=KeyList(sa.Uuid()))
    listed = sa.func.json_each(values).table_valued("value", name="parents")
    return listed, sa.type_coerce(listed.c.value, sa.Uuid)


def count_of_each(
    model: type[SQLModel],
    parent: str,
    viewer: Viewer,
    keys: Sequence[UUID],
    narrowing: Narrowing,
    *,
    most: int | None = None,
) -> Read[Any]:
    """Count the rows of each parent, up to `most`: rows of `parent_id` and `total`."""
    tie = _by_column(model, parent)
    return count_tied_to_each(model, tie, viewer, keys, narrowing, most=most)


def count_tied_to_each(
    model: type[SQLModel],
    tie: Tie,
    viewer: Viewer,
    keys: Sequence[UUID],
    narrowing: Narrowing,
    *,
    most: int | None = None,
) -> Read[Any]:
    """Count the rows linked to each parent, up to `most`: rows of `parent_id` and `total`."""

    def build(dialect: str) -> sa.Select[Any]:
        given, key = _given_keys(dialect)
        rows: sa.Select[Any] = (
            sa.select(sa.literal_column("1"))
            .select_from(table(model))
            .where(of_organization(model), tie.condition(key), narrowing.narrow())
            .correlate(given)
        )
        total = _counted(rows, most).scalar_subquery()
        return sa.select(key.label("parent_id"), total.label("total")).select_from(given)

    return Read(
        ("count tied to each", model, tie.shape, most),
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys), **tie.values},
        narrowing=narrowing,
        up_to=lambda most: count_tied_to_each(model, tie, viewer, keys, narrowing, most=most),
    )
