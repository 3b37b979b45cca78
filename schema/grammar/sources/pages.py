"""Pages: the fields of a connection, for both graphql-core and plans.

As in other sources, `show` returns a value and `compile` returns a function that a plan calls. Both
use the same `Page`. A page's objects are a connection, its page info and its edges; `n` is the
edge's index in the page, and 0 for the others.
"""

from collections.abc import Callable, Sequence
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Any, Protocol

from resolvers.storage.paging import PageRequest
from resolvers.values import frozen
from resolvers.vocabulary import CountPrecision
from schema.grammar.sources.fields import LateField, PlannedField

if TYPE_CHECKING:
    from schema.plan.pages import SelectedOfPage


class Need(Flag):
    """The parts of a list that a value needs."""

    NOTHING = 0
    ROWS = auto()
    ELEMENTS = auto()
    CURSORS = auto()
    SIDES = auto()
    TOTAL = auto()
    LOG = auto()


class Page:
    """One page of a list, with the parts that were needed.

    `rows` are in read order. `elements` are the objects of the rows: a plan has one sequence for
    each place that selects them, graphql-core has a single one. `place_of` returns the values of a
    row that make its cursor. `more` says whether there are more rows in the page's direction.
    `counted` is the length of the list, counted up to `most` + 1.
    """

    __slots__ = (
        "_place_of",
        "_request",
        "changes_cursor",
        "elements",
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
        elements: Sequence[Sequence[Any]],
        place_of: Callable[[Any], Sequence[Any]],
        *,
        more: bool,
        counted: int,
        most: int,
        changes_cursor: str,
    ) -> None:
        self._request, self._place_of = request, place_of
        if request.backward:
            rows, elements = rows[::-1], [each[::-1] for each in elements]
        self.rows, self.elements = rows, elements
        self.has_next, self.has_previous = request.sides(more=more)
        self.precision = CountPrecision.AT_LEAST if counted > most else CountPrecision.EXACT
        self.total = min(counted, most)
        self.changes_cursor = changes_cursor

    def cursor(self, n: int) -> str:
        """Return the cursor of a row."""
        return self._request.ordering.cursor_of(self._place_of(self.rows[n]))


Write = Callable[[Page, int], Any]
"""Makes the answer of a field of a page, or of the edge with this number."""


class PageSource(Protocol):
    """The source of a field of a page."""

    @property
    def needs(self) -> Need: ...

    def show(self, page: Page, n: int) -> Any:
        """Return the value for graphql-core."""

    def compile(self, at: "SelectedOfPage") -> Write:
        """Return the function that makes the field's answer. Raises: NotPlanned."""


@frozen
class OfPage:
    """A scalar or an enum, computed from the page and the number of the edge."""

    by: Write
    needs: Need

    def show(self, page: Page, n: int) -> Any:
        return self.by(page, n)

    def compile(self, at: "SelectedOfPage") -> Write:
        return _value_of(self.by) if at.is_enum else self.by


def _value_of(by: Write) -> Write:
    def write(page: Page, n: int) -> Any:
        member: Enum = by(page, n)
        return member.value

    return write


@frozen
class Elements:
    """The elements of the page; with `one`, the element of the edge."""

    one: bool = False
    needs: Need = Need.ROWS | Need.ELEMENTS

    def show(self, page: Page, n: int) -> Any:
        return page.elements[0][n] if self.one else page.elements[0]

    def compile(self, at: "SelectedOfPage") -> Write:
        place = at.place()
        if self.one:
            return lambda page, n: page.elements[place][n]
        return lambda page, _: page.elements[place]


@frozen
class PartOfPage:
    """An object over the same page; with `each`, one for each edge."""

    kind: Any
    each: bool = False
    needs: Need = Need.ROWS | Need.ELEMENTS

    def show(self, page: Page, n: int) -> Any:
        if self.each:
            return [self.kind(page=page, n=n) for n in range(len(page.rows))]
        return self.kind(page=page, n=n)

    def compile(self, at: "SelectedOfPage") -> Write:
        write = at.object()
        if self.each:
            return lambda page, _: [write(page, n) for n in range(len(page.rows))]
        return write


class PageField(LateField, PlannedField):
    """A field of a connection, of its page info or of an edge."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.init = self.repr = self.compare = False

    @property
    def is_basic_field(self) -> bool:
        return False

    @property
    def source(self) -> PageSource:
        source: PageSource = self.metadata["source"]
        return source

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        return source.shown(self.source)


def of_page(source: PageSource | Write, needs: Need = Need.ROWS, *, description: str) -> Any:
    """Declare a field by a source of pages, or by a function of the page and the edge's number."""
    made: Any = OfPage(source, needs) if callable(source) else source
    return PageField(description=description, metadata={"source": made})
