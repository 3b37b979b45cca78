"""Connections: a page of rows, answered as edges, nodes and what is said of the page."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    SelectionSetNode,
    get_named_type,
)

from resolvers.selecting import selecting
from resolvers.storage.paging import PageRequest
from schema.connections import total_of
from schema.lists import Listing
from schema.plan.places import Compiler
from schema.plan.run import Row, Run
from schema.plan.selection import Fields, NotPlanned, sub_selections

PAGE_INFO: dict[str, Callable[["_Part"], object]] = {
    "hasNextPage": lambda part: part.has_next,
    "hasPreviousPage": lambda part: part.has_previous,
    "startCursor": lambda part: part.cursor(0) if part.rows else None,
    "endCursor": lambda part: part.cursor(-1) if part.rows else None,
}


UNREAD = frozenset({"totalCount", "totalCountPrecision", "changesCursor"})
"""What a connection can show without any of its rows."""

MOST_PARENTS = 100_000
"""For so many parents one statement may count, or say whether there is more."""


class _Part:
    """One parent's page: its rows in order (or as many marks), and each place's answers of them."""

    __slots__ = (
        "_request",
        "_width",
        "answers",
        "changes_cursor",
        "has_next",
        "has_previous",
        "precision",
        "rows",
        "total",
    )

    def __init__(
        self,
        request: PageRequest,
        rows: Sequence[Any],
        answers: list[list[object]],
        width: int,
        *,
        more: bool,
        counted: int,
        most: int,
        changes_cursor: str,
    ) -> None:
        self.has_next: bool
        self.has_previous: bool
        self.rows: Sequence[Any]
        if request.backward:
            rows, answers = rows[::-1], [each[::-1] for each in answers]
            self.has_next, self.has_previous = request.before is not None, more
        else:
            self.has_next, self.has_previous = more, request.after is not None
        self.rows, self.answers = rows, answers
        self.total, self.precision = total_of(counted, most)
        self._request, self._width = request, width
        self.changes_cursor = changes_cursor

    def cursor(self, index: int) -> str:
        return self._request.ordering.cursor_of(self.rows[index][self._width :])


def _trimmed(
    rows: Sequence[Row], parents: Sequence[Hashable], size: int
) -> tuple[list[Row], list[Hashable], set[Hashable]]:
    """The rows that pages of that size show, their parents, and the parents that have more."""
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
    """The values of each parent, in their order."""
    theirs: dict[Hashable, list[object]] = {key: [] for key in keys}
    for parent, value in zip(parents, values, strict=True):
        theirs[parent].append(value)
    return theirs


Write = Callable[[_Part], object]


class Pages:
    """What is selected of a connection."""

    def __init__(
        self, compiler: Compiler, shown: GraphQLOutputType, nodes: Sequence[FieldNode]
    ) -> None:
        self._compiler = compiler
        self._selected: list[tuple[GraphQLNamedType, Sequence[SelectionSetNode]]] = []
        self._counts = self._cursors = self._reads = self._looks_ahead = False
        self._is_followed = False
        kind = get_named_type(shown)
        assert isinstance(kind, GraphQLObjectType)
        fields = compiler.selections.fields(kind, sub_selections(nodes))
        self._write = self._written(kind, fields, self._field)
        self._places = compiler.places(self._selected)

    # ------------------------------------------------------------ compiling

    def _written(
        self, kind: GraphQLObjectType, fields: Fields, write: Callable[..., Write]
    ) -> Write:
        parts = [(key, write(kind, found)) for key, found in fields.items()]
        return lambda part: {key: made(part) for key, made in parts}

    def _field(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Write:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _: kind.name
        field = kind.fields[name]
        inner: Any = get_named_type(field.type)
        self._reads = self._reads or name not in UNREAD
        match name:
            case "nodes":
                return self._nodes(inner, nodes)
            case "edges":
                return self._edges(inner, nodes)
            case "pageInfo":
                fields = self._compiler.selections.fields(inner, sub_selections(nodes))
                return self._written(inner, fields, self._page_info)
            case "totalCount":
                self._counts = True
                return lambda part: part.total
            case "totalCountPrecision":
                self._counts = True
                return lambda part: part.precision.value
            case "changesCursor":
                self._is_followed = True
                return lambda part: part.changes_cursor
        raise NotPlanned(f"{kind.name}.{name}")

    def _nodes(self, kind: GraphQLNamedType, nodes: list[FieldNode]) -> Write:
        number = self._place(kind, nodes)
        return lambda part: part.answers[number]

    def _edges(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Write:
        writes: list[tuple[str, Callable[[_Part, int], object]]] = []
        fields = self._compiler.selections.fields(kind, sub_selections(nodes))
        for key, found in fields.items():
            writes.append((key, self._edge(kind, found)))
        return lambda part: [
            {key: write(part, n) for key, write in writes} for n in range(len(part.rows))
        ]

    def _edge(
        self, kind: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Callable[[_Part, int], object]:
        match nodes[0].name.value:
            case "__typename":
                return lambda *_: kind.name
            case "cursor":
                self._cursors = True
                return lambda part, n: part.cursor(n)
            case "node":
                number = self._place(get_named_type(kind.fields["node"].type), nodes)
                return lambda part, n: part.answers[number][n]
        raise NotPlanned(f"{kind.name}.{nodes[0].name.value}")

    def _page_info(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> Write:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _: kind.name
        self._cursors = self._cursors or name in {"startCursor", "endCursor"}
        self._looks_ahead = self._looks_ahead or name in {"hasNextPage", "hasPreviousPage"}
        return PAGE_INFO[name]

    def _place(self, kind: GraphQLNamedType, nodes: list[FieldNode]) -> int:
        self._selected.append((kind, sub_selections(nodes)))
        return len(self._selected) - 1

    # ------------------------------------------------------------ running

    async def of_root(self, run: Run, listing: Listing) -> object:
        """The answer for a list that has no parent."""
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
        width = self._width(listing)
        part = _Part(
            listing.page,
            rows,
            answers,
            width,
            more=more,
            counted=counted,
            most=most,
            changes_cursor=self._changes_cursor(run),
        )
        return self._write(part)

    async def of_parents(
        self, run: Run, listing: Listing, keys: Sequence[Hashable]
    ) -> dict[Hashable, object]:
        """The answers by the keys of the parents; one that has nothing has an empty page."""
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
        # of rows whose cursors nobody asks for it is enough to know how many there are
        marks = _grouped(keys, parents, rows) if self._cursors or not theirs else theirs[0]
        found, cursor = {}, self._changes_cursor(run)
        for key in keys:
            shown = [each[key] for each in theirs]
            part = _Part(
                listing.page,
                marks[key],
                shown,
                width,
                more=key in more,
                counted=counted.get(key, 0),
                most=most,
                changes_cursor=cursor,
            )
            found[key] = self._write(part)
        return found

    def parents_at_once(self, run: Run, size: int) -> int:
        """For how many parents one statement may return pages of that size."""
        return min((place.keys_at_once(run, size) for place in self._places), default=MOST_PARENTS)

    def _changes_cursor(self, run: Run) -> str:
        return run.context.changes_cursor if self._is_followed else ""

    def _width(self, listing: Listing) -> int:
        """Where the columns of the cursor begin: after the places' columns and the parent's key."""
        return self._compiler.width(self._places) + (listing.key is not None)

    async def _read(self, run: Run, listing: Listing, keys: Sequence[Hashable]) -> Sequence[Row]:
        if listing.rows is None or not self._reads:
            return []
        wanted = self._compiler.wanted(self._places)
        # no SELECT is without columns
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
