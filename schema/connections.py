"""Relay connections: pages of a list with keyset cursors, at most 100 at a time."""

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from resolvers.storage.paging import PageRows
from resolvers.vocabulary import CountPrecision
from schema.declaring import object_type
from schema.fields import attribute
from schema.log_cursors import FOLLOWED

T = TypeVar("T")

SEARCH = Annotated[
    str | None,
    strawberry.argument(
        description="Only those whose name or reference contains this, in any case."
    ),
]


@object_type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = attribute(description="Whether there is more after this page.")
    has_previous_page: bool = attribute(description="Whether there is more before this page.")
    start_cursor: str | None = attribute(
        description="The cursor of the page's first element; null for an empty page."
    )
    end_cursor: str | None = attribute(
        description="The cursor of the page's last element; null for an empty page."
    )


@object_type(description="An element of a list, with its place.")
class Edge(Generic[T]):
    cursor: str = attribute(description="The element's place in the list.")
    node: T = attribute(description="The element.")


@object_type(description="A page of a list.")
class Connection(Generic[T]):
    listing: strawberry.Private[Any]
    parent: strawberry.Private[Any]
    context: strawberry.Private[Any]

    async def _page(self) -> PageRows[Any]:
        rows = await self.context.loaders.listed(self.listing, self.parent)
        if self.listing.check is not None:
            await self.listing.check(self.context)
        page: PageRows[Any] = self.listing.page.rows(rows)
        return page

    @strawberry.field(description="The page's elements with their cursors.")
    async def edges(self) -> list[Edge[T]]:
        ordering, show = self.listing.page.ordering, self.listing.show
        page = await self._page()
        return [Edge(cursor=ordering.cursor(row), node=show(row)) for row in page.rows]

    @strawberry.field(description="The page's elements.")
    async def nodes(self) -> list[T]:
        page = await self._page()
        return [self.listing.show(row) for row in page.rows]

    @strawberry.field(description="Where the page stands in the list.")
    async def page_info(self) -> PageInfo:
        page, ordering = await self._page(), self.listing.page.ordering
        return PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=ordering.cursor(page.rows[0]) if page.rows else None,
            end_cursor=ordering.cursor(page.rows[-1]) if page.rows else None,
        )

    async def _total(self) -> tuple[int, CountPrecision]:
        most: int = self.context.max_total_count
        return total_of(await self.context.loaders.counted(self.listing, self.parent, most), most)

    @strawberry.field(
        description="The number of elements of the whole list, counted only if it is selected. The "
        "count stops at a limit of the deployment, 10,000 by default; totalCountPrecision says "
        "whether it did."
    )
    async def total_count(self) -> int:
        count, _ = await self._total()
        return count

    @strawberry.field(description="Whether totalCount is the exact number.")
    async def total_count_precision(self) -> CountPrecision:
        _, precision = await self._total()
        return precision

    @strawberry.field(description=FOLLOWED)
    def changes_cursor(self) -> str:
        cursor: str = self.context.changes_cursor
        return cursor


def total_of(counted: int, most: int) -> tuple[int, CountPrecision]:
    """The total of a list that was counted up to one more than `most`, and its precision."""
    if counted > most:
        return most, CountPrecision.AT_LEAST
    return counted, CountPrecision.EXACT
