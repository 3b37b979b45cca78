"""Reads of agent offices, products and offers.

All viewers of the organization may see products and offers, but not agent offices.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.reading import ORGANIZATION, count_of, of_organization, page_of, rows_by
from resolvers.searching import searching
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    AgentOffice,
    OfferStartDate,
    Product,
    ProductOffer,
    columns,
    table,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind

AGENT_OFFICES_BY_NAME = Ordering("agent offices", (Term("sort_key", str), Term("id", UUID)))
PRODUCTS_BY_NAME = Ordering("products", (Term("sort_key", str), Term("id", UUID)))


def agent_offices_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[AgentOffice]:
    return rows_by(AgentOffice, "id", viewer, keys, offices_visible_to(viewer))


def agent_offices_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[AgentOffice]:
    """A page of the offices whose name, code or agency contains the text.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(AgentOffice, viewer, page, _offices(viewer, search))


def agent_offices_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(AgentOffice, viewer, _offices(viewer, search))


def products_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Product]:
    return rows_by(Product, "id", viewer, keys, UNRESTRICTED)


def products_page(
    viewer: Viewer, page: PageRequest, search: str | None, kind: ProductKind | None = None
) -> Read[Product]:
    """A page of the products whose name or code contains the text.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(Product, viewer, page, _products(search, kind))


def products_count(
    viewer: Viewer, search: str | None, kind: ProductKind | None = None
) -> Read[Any]:
    return count_of(Product, viewer, _products(search, kind))


def offers_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[ProductOffer]:
    """Offers by id, including withdrawn ones."""
    return rows_by(ProductOffer, "id", viewer, keys, UNRESTRICTED)


def offers_of_schools(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """The offers of schools by product code, each with its `product_kind`."""
    return _offered_at(
        viewer,
        keys,
        "offers",
        lambda o, p: sa.select(table(ProductOffer), p.kind.label("product_kind")),
    )


def products_of_schools(viewer: Viewer, keys: Sequence[UUID]) -> Read[Product]:
    """The products that schools offer, by code, with the school's key as `parent_id`."""
    return _offered_at(
        viewer,
        keys,
        "products",
        lambda o, p: sa.select(table(Product), o.centre_id.label("parent_id")),
    )


def dates_of_offers(
    viewer: Viewer, keys: Sequence[UUID], first: date, last: date
) -> Read[OfferStartDate]:
    """The start dates of offers in an inclusive range."""

    def build(_: str) -> sa.Select[Any]:
        d = columns(OfferStartDate)
        return (
            sa.select(table(OfferStartDate))
            .where(
                of_organization(OfferStartDate),
                one_of(d.offer_id, "keys"),
                d.starts_on.between(_day("first"), _day("last")),
            )
            .order_by(d.starts_on)
        )

    values = {"keys": list(keys), "first": first, "last": last}
    return Read("dates of offers", build, {ORGANIZATION: viewer.organization_id, **values})


def dates_of_products(
    viewer: Viewer, keys: Sequence[UUID], first: date, last: date, school: UUID | None = None
) -> Read[Any]:
    """The start dates of products in an inclusive range, at one school or at any.

    Each date once, as `starts_on`, with the product's key as `parent_id`.
    """

    def build(_: str) -> sa.Select[Any]:
        o, d = columns(ProductOffer), columns(OfferStartDate)
        same = sa.and_(d.organization_id == o.organization_id, d.offer_id == o.id)
        at = sa.true() if school is None else o.centre_id == sa.bindparam("school", type_=sa.Uuid())
        return (
            sa.select(o.product_id.label("parent_id"), d.starts_on)
            .select_from(sa.join(table(ProductOffer), table(OfferStartDate), same))
            .where(
                of_organization(ProductOffer),
                one_of(o.product_id, "keys"),
                o.offered,
                d.starts_on.between(_day("first"), _day("last")),
                at,
            )
            .distinct()
            .order_by(d.starts_on)
        )

    values = {"keys": list(keys), "first": first, "last": last}
    return Read(
        ("dates of products", school is None),
        build,
        {
            ORGANIZATION: viewer.organization_id,
            **values,
            **({} if school is None else {"school": school}),
        },
    )


def _day(name: str) -> sa.BindParameter[date]:
    return sa.bindparam(name, type_=sa.Date())


def _offered_at(
    viewer: Viewer, keys: Sequence[UUID], what: str, select: Callable[[Any, Any], sa.Select[Any]]
) -> Read[Any]:
    """The selected columns of the schools' offers and products, by product code."""

    def build(_: str) -> sa.Select[Any]:
        o, p = columns(ProductOffer), columns(Product)
        same = sa.and_(p.organization_id == o.organization_id, p.id == o.product_id)
        return (
            select(o, p)
            .select_from(sa.join(table(ProductOffer), table(Product), same))
            .where(of_organization(ProductOffer), one_of(o.centre_id, "keys"), o.offered)
            .order_by(p.code)
        )

    values = {ORGANIZATION: viewer.organization_id, "keys": list(keys)}
    return Read(("offered at", what), build, values, by_key=True)


def offices_visible_to(viewer: Viewer) -> Narrowing:
    """An office is visible to its own agents, and to viewers of the whole organization."""
    scope = viewer.scope
    if scope.everything:
        return UNRESTRICTED
    if scope.agent_offices is None:
        return Narrowing("nothing", sa.false)
    return Narrowing(
        "own agent offices",
        lambda: one_of(columns(AgentOffice).id, "own"),
        {"own": sorted(scope.agent_offices)},
    )


def _offices(viewer: Viewer, search: str | None) -> Narrowing:
    return offices_visible_to(viewer) & searching(
        search, within=(columns(AgentOffice).search_text,)
    )


def _products(search: str | None, kind: ProductKind | None) -> Narrowing:
    found = searching(search, within=(columns(Product).search_text,))
    if kind is None:
        return found
    of_kind = sa.literal_column(f"'{kind}'", sa.String())
    return found & Narrowing(kind, lambda: columns(Product).kind == of_kind)
