"""The offers of schools, as centres and products show them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry

from resolvers.products import reads
from resolvers.references import ByKey
from resolvers.refusals import Invalid
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind
from schema.grammar.context import Info
from schema.grammar.inputs import given
from schema.grammar.node import shown_as
from schema.grammar.references import optional_id
from schema.grammar.relations import Many

PRODUCT_KIND = Annotated[
    ProductKind | None,
    strawberry.argument(description="Only products of this kind. By default, all kinds."),
]
FROM = Annotated[date, strawberry.argument(name="from", description="First date of the range.")]
TO = Annotated[date, strawberry.argument(description="Last date of the range.")]
SCHOOL = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Only dates at this school. By default, all schools."),
]


async def offered_products(info: Info, centre_id: UUID, kind: ProductKind | None) -> list[Any]:
    """Return the products that a school offers, by code."""
    rows = await info.context.loaders.load("products_of_school", centre_id)
    show = shown_as("Product")
    return [show(row) for row in rows if given(kind) in {None, row.kind}]


async def offers_of_school(info: Info, centre_id: UUID, kind: ProductKind | None) -> list[Any]:
    """Return the offers of a school, by product code."""
    rows = await info.context.loaders.load("offers_of_school", centre_id)
    show = shown_as("ProductOffer")
    return [show(row) for row in rows if given(kind) in {None, row.product_kind}]


async def dates_of_offer(info: Info, offer_id: UUID, first: date, last: date) -> list[date]:
    """Return the start dates of an offer in a range."""

    def read(viewer: Viewer, keys: Sequence[UUID]) -> Any:
        return reads.dates_of_offers(viewer, keys, first, last)

    shape = ("dates of offers", first, last)
    rows = await info.context.loaders.load_shaped(shape, Many(read, key="offer_id"), offer_id)
    return [row.starts_on for row in rows]


async def dates_of_product(
    info: Info, product_id: UUID, first: date, last: date, centre_id: str | None
) -> list[date]:
    """Return the start dates of a product in a range, at one school or at all schools.

    Raises: Invalid (the school's id).
    """
    ref = optional_id(centre_id, "Centre")
    if ref is not None and not isinstance(ref, ByKey):
        raise Invalid("centreId", rule="is not the global id of a Centre")
    school = None if ref is None else ref.key

    def read(viewer: Viewer, keys: Sequence[UUID]) -> Any:
        return reads.dates_of_products(viewer, keys, first, last, school)

    shape = ("dates of products", first, last, school)
    rows = await info.context.loaders.load_shaped(shape, Many(read), product_id)
    return [row.starts_on for row in rows]
