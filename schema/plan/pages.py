"""Connections: a page of rows, with edges, nodes and page info."""

from collections.abc import Hashable, Sequence
from operator import itemgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    get_named_type,
)

from resolvers.selecting import selecting
from resolvers.values import frozen
from schema.grammar.lists import Listing
from schema.grammar.sources.fields import DEFINITION
from schema.grammar.sources.pages import Need, Page, PageField, Write
from schema.plan.places import Compiler
from schema.plan.run import Row, Run
from schema.plan.selection import sub_selections

MOST_PARENTS = 100_000
"""The most parents for which one statement may count, or look for further rows."""


def _trimmed(
    rows: Sequence[Row], parents: Sequence[Hashable], size: int
) -> tuple[list[Row], list[Hashable], set[Hashable]]:
    """Return the rows on pages of that size, their parents, and the parents that have more rows."""
    shown: list[Row] = []
    theirs: list[Hashable] = []
    more: set[Hashable] = set()
    number: dict[Hashable, int] = {}
    for row, parent in zip(rows, parents, strict=True):
        number[parent] = nth = number.get(parent, 0) + 1
        if nth > size:
            more.add(parent)
            continue
        shown.append(row)
        theirs.append(parent)
    return shown, theirs, more


def _grouped(
    keys: Sequence[Hashable], parents: Sequence[Hashable], values: Sequence[object]
) -> dict[Hashable, list[object]]:
    """Return the values of each parent, in their order."""
    theirs: dict[Hashable, list[object]] = {key: [] for key in keys}
    for parent, value in zip(parents, values, strict=True):
        theirs[parent].append(value)
    return theirs


@frozen
class SelectedOfPage:
    """A selected field of a connection, of its page info or of an edge."""

    pages: "Pages"
    nodes: list[FieldNode]
    field: GraphQLField

    @property
    def is_enum(self) -> bool:
        return isinstance(get_named_type(self.field.type), GraphQLEnumType)

    def place(self) -> int:
        """Return the number of the place of the page's elements."""
        return self.pages.place(get_named_type(self.field.type), self.nodes)

    def object(self) -> Write:
        """Return the function that makes the answer of an object over the same page."""
        return self.pages.shown(get_named_type(self.field.type), self.nodes)


class Pages:
    """The selection on a connection."""

    def __init__(
        self, compiler: Compiler, shown: GraphQLOutputType, nodes: Sequence[FieldNode]
    ) -> None:
        self._compiler = compiler
        self._selected: list[tuple[GraphQLNamedType, Sequence[SelectionSetNode]]] = []
        self._needs = Need.NOTHING
        self._write = self.shown(get_named_type(shown), nodes)
        self._places = compiler.places(self._selected)
        self._reads = Need.ROWS in self._needs
        self._counts = Need.TOTAL in self._needs
        self._cursors = Need.CURSORS in self._needs
        self._looks_ahead = Need.SIDES in self._needs
        self._is_followed = Need.LOG in self._needs

    # ------------------------------------------------------------ compile

    def shown(self, kind: Any, nodes: Sequence[FieldNode]) -> Write:
        """Return a function that makes an object over the page. Raises: NotPlanned."""
        fields = self._compiler.selections.fields(kind, sub_selections(nodes))
        parts = [(key, self._field(kind, found)) for key, found in fields.items()]
        return lambda page, n: {key: write(page, n) for key, write in parts}

    def place(self, kind: GraphQLNamedType, nodes: list[FieldNode]) -> int:
        """Add a place of the list's rows, and return its number."""
        self._selected.append((kind, sub_selections(nodes)))
        return len(self._selected) - 1

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Write:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda *_: kind.name
        field = kind.fields[name]
        declared: PageField = field.extensions[DEFINITION]
        self._needs |= declared.source.needs
        return declared.source.compile(SelectedOfPage(self, nodes, field))

    # ------------------------------------------------------------ run

    async def of_root(self, run: Run, listing: Listing) -> object:
        """Return the answer of a list without a parent."""
        rows = await self._read(run, listing, ())
        most, counted = run.context.max_total_count, 0
        if self._counts and listing.count is not None:
            [row] = await run.read(listing.counted(run.viewer, (), most))
            counted = int(row.total)
        size = listing.page.size
        more = len(rows) > size
        if more:
            rows = rows[:size]
        answers = [await place.answer(run, rows) for place in self._places]
        page = Page(
            listing.page,
            rows,
            answers,
            itemgetter(slice(self._width(listing), None)),
            more=more,
            counted=counted,
            most=most,
            changes_cursor=self._changes_cursor(run),
        )
        return self._write(page, 0)

    async def of_parents(
        self, run: Run, listing: Listing, keys: Sequence[Hashable]
    ) -> dict[Hashable, object]:
        """Return the answers by the parents' keys; a parent without rows has an empty page."""
        rows = await self._read(run, listing, keys)
        most, counted = run.context.max_total_count, dict[Hashable, int]()
        if self._counts and listing.count is not None:
            totals = await run.read(listing.counted(run.viewer, keys, most))
            counted = {row.parent_id: int(row.total) for row in totals}
        width, more = self._width(listing), set[Hashable]()
        parents = [row[width - 1] for row in rows]
        if self._looks_ahead:
            rows, parents, more = _trimmed(rows, parents, listing.page.size)
        answers = [await place.answer(run, rows) for place in self._places]
        theirs = [_grouped(keys, parents, each) for each in answers]
        # without cursors, only the number of rows matters
        marks = _grouped(keys, parents, rows) if self._cursors or not theirs else theirs[0]
        found, cursor, place_of = {}, self._changes_cursor(run), itemgetter(slice(width, None))
        for key in keys:
            shown = [each[key] for each in theirs]
            page = Page(
                listing.page,
                marks[key],
                shown,
                place_of,
                more=key in more,
                counted=counted.get(key, 0),
                most=most,
                changes_cursor=cursor,
            )
            found[key] = self._write(page, 0)
        return found

    def parents_at_once(self, run: Run, size: int) -> int:
        """Return the number of parents for which one statement may return pages of that size."""
        return min((place.keys_at_once(run, size) for place in self._places), default=MOST_PARENTS)

    def _changes_cursor(self, run: Run) -> str:
        return run.context.changes_cursor if self._is_followed else ""

    def _width(self, listing: Listing) -> int:
        """Return the position of the cursor's columns: after the places' columns and the parent's
        key.
        """
        return self._compiler.width(self._places) + (listing.key is not None)

    async def _read(self, run: Run, listing: Listing, keys: Sequence[Hashable]) -> Sequence[Row]:
        if listing.rows is None or not self._reads:
            return []
        wanted = self._compiler.wanted(self._places)
        # a SELECT needs a column
        nothing = not (wanted.columns or wanted.joins or listing.key)
        terms = listing.page.ordering.terms if self._cursors or nothing else ()
        also = (*([listing.key] if listing.key else []), *(term.column for term in terms))
        read = listing.rows(run.viewer, keys)
        if not self._looks_ahead:
            assert read.exact is not None, "a list reads pages"
            read = read.exact()
        rows: Sequence[Row] = await run.tuples(selecting(read, wanted, *also))
        if listing.check is not None:
            await listing.check(run.context)
        return rows
