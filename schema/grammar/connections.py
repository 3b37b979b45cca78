"""Relay connections: pages of a list with keyset cursors, at most 100 at a time."""

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from resolvers.vocabulary import CountPrecision
from schema.grammar.declaring import object_type
from schema.grammar.log_cursors import FOLLOWED
from schema.grammar.sources.pages import Elements, Need, Page, PageSource, PartOfPage, of_page

T = TypeVar("T")

SEARCH = Annotated[
    str | None,
    strawberry.argument(
        description="Only objects whose name or reference contains this text. Case is ignored."
    ),
]


class OverPage:
    """An object over a page; `n` is the number of its edge."""

    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    def shown(self, source: PageSource) -> Any:
        return source.show(self.page, self.n)


@object_type(
    description="Information about one page of a list. Pass `endCursor` as `after` to fetch "
    "the next page."
)
class PageInfo(OverPage):
    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    has_next_page: bool = of_page(
        lambda page, _: page.has_next,
        Need.ROWS | Need.SIDES,
        description="True if there are more elements after this page.",
    )
    has_previous_page: bool = of_page(
        lambda page, _: page.has_previous,
        Need.ROWS | Need.SIDES,
        description="True if there are more elements before this page.",
    )
    start_cursor: str | None = of_page(
        lambda page, _: page.cursor(0) if page.rows else None,
        Need.ROWS | Need.CURSORS,
        description="Cursor of the first element on this page. Null if the page is empty.",
    )
    end_cursor: str | None = of_page(
        lambda page, _: page.cursor(-1) if page.rows else None,
        Need.ROWS | Need.CURSORS,
        description="Cursor of the last element on this page. Null if the page is empty.",
    )


@object_type(description="An element of a list together with its cursor.")
class Edge(OverPage, Generic[T]):
    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    cursor: str = of_page(
        lambda page, n: page.cursor(n),
        Need.ROWS | Need.CURSORS,
        description="Cursor of this element. Pass it as `after` or `before` to continue from here.",
    )
    node: T = of_page(Elements(one=True), description="The element itself.")


@object_type(
    description="A page of a list. Read the elements from `nodes`; use `edges` if you need "
    "the cursor of each element."
)
class Connection(Generic[T]):
    listing: strawberry.Private[Any]
    parent: strawberry.Private[Any]
    context: strawberry.Private[Any]

    edges: list[Edge[T]] = of_page(
        PartOfPage(Edge, each=True), description="The elements on this page with their cursors."
    )
    nodes: list[T] = of_page(Elements(), description="The elements on this page.")
    page_info: PageInfo = of_page(
        PartOfPage(PageInfo, needs=Need.ROWS),
        description="Whether there are more pages, and the cursors to fetch them.",
    )
    total_count: int = of_page(
        lambda page, _: page.total,
        Need.TOTAL,
        description="Number of elements in the whole list, not only on this page. "
        "Counted only if you select it. Counting stops at a limit of the "
        "deployment (10,000 by default); `totalCountPrecision` tells you "
        "whether the number is exact.",
    )
    total_count_precision: CountPrecision = of_page(
        lambda page, _: page.precision,
        Need.TOTAL,
        description="EXACT if `totalCount` is the exact number, AT_LEAST if counting "
        "stopped at the limit.",
    )
    changes_cursor: str = of_page(
        lambda page, _: page.changes_cursor, Need.LOG, description=FOLLOWED
    )

    async def shown(self, source: PageSource) -> Any:
        """Return the value for graphql-core, reading no more of the list than the field needs."""
        return source.show(await self._page(source.needs), 0)

    async def _page(self, needs: Need) -> Page:
        request, rows, most, counted = self.listing.page, [], self.context.max_total_count, 0
        if Need.ROWS in needs:
            rows = await self.context.loaders.listed(self.listing, self.parent)
            if self.listing.check is not None:
                await self.listing.check(self.context)
        if Need.TOTAL in needs:
            counted = await self.context.loaders.counted(self.listing, self.parent, most)
        shown = rows[: request.size]
        return Page(
            request,
            shown,
            [[*map(self.listing.show, shown)]] if Need.ELEMENTS in needs else [],
            request.ordering.values_of,
            more=len(rows) > request.size,
            counted=counted,
            most=most,
            changes_cursor=self.context.changes_cursor if Need.LOG in needs else "",
        )
