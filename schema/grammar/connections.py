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
        description="Only those whose name or reference contains this, in any case."
    ),
]


class OverPage:
    """An object over a page; `n` is the number of its edge."""

    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    def shown(self, source: PageSource) -> Any:
        return source.show(self.page, self.n)


@object_type(description="Where a page stands in its list.")
class PageInfo(OverPage):
    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    has_next_page: bool = of_page(
        lambda page, _: page.has_next,
        Need.ROWS | Need.SIDES,
        description="Whether there is more after this page.",
    )
    has_previous_page: bool = of_page(
        lambda page, _: page.has_previous,
        Need.ROWS | Need.SIDES,
        description="Whether there is more before this page.",
    )
    start_cursor: str | None = of_page(
        lambda page, _: page.cursor(0) if page.rows else None,
        Need.ROWS | Need.CURSORS,
        description="The cursor of the page's first element; null for an empty page.",
    )
    end_cursor: str | None = of_page(
        lambda page, _: page.cursor(-1) if page.rows else None,
        Need.ROWS | Need.CURSORS,
        description="The cursor of the page's last element; null for an empty page.",
    )


@object_type(description="An element of a list, with its place.")
class Edge(OverPage, Generic[T]):
    page: strawberry.Private[Page]
    n: strawberry.Private[int]

    cursor: str = of_page(
        lambda page, n: page.cursor(n),
        Need.ROWS | Need.CURSORS,
        description="The element's place in the list.",
    )
    node: T = of_page(Elements(one=True), description="The element.")


@object_type(description="A page of a list.")
class Connection(Generic[T]):
    listing: strawberry.Private[Any]
    parent: strawberry.Private[Any]
    context: strawberry.Private[Any]

    edges: list[Edge[T]] = of_page(
        PartOfPage(Edge, each=True), description="The page's elements with their cursors."
    )
    nodes: list[T] = of_page(Elements(), description="The page's elements.")
    page_info: PageInfo = of_page(
        PartOfPage(PageInfo, needs=Need.ROWS), description="Where the page stands in the list."
    )
    total_count: int = of_page(
        lambda page, _: page.total,
        Need.TOTAL,
        description="The number of elements of the whole list, counted only if it is selected. The "
        "count stops at a limit of the deployment, 10,000 by default; totalCountPrecision says "
        "whether it did.",
    )
    total_count_precision: CountPrecision = of_page(
        lambda page, _: page.precision,
        Need.TOTAL,
        description="Whether totalCount is the exact number.",
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
