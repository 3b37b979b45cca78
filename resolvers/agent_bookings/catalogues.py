"""The reference data for the codes of a batch, read with a fixed number of statements."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from resolvers.agent_bookings.agencies import unknown_office_key
from resolvers.agent_bookings.places import Places
from resolvers.agent_bookings.stage_two import LISTS, Catalogue, OfferAvailability
from resolvers.agent_bookings.submission import Content
from resolvers.bookings import loading
from resolvers.storage.tables import (
    AgentBooking,
    AgentOffice,
    Centre,
    OfferStartDate,
    Product,
    ProductOffer,
)
from resolvers.storage.unit_of_work import UnitOfWork

Coded = dict[tuple[UUID, str], Any]
"""Rows by organization and code."""


class Catalogues:
    """The reference data of a batch. The offers that it names are locked, in key order."""

    def __init__(self, work: UnitOfWork, details: Sequence[AgentBooking]) -> None:
        self._offices = _coded(work, AgentOffice, "code", details, _office_codes)
        self._schools = _coded(work, Centre, "reference", details, _school_codes)
        self._products = _coded(work, Product, "code", details, _product_codes)
        self.offers = self._locked(work)
        self._by_pair = {(o.product_id, o.centre_id): o for o in self.offers if o.offered}
        keys = [(offer.organization_id, offer.id) for offer in self.offers]
        self._starts: dict[UUID, set[date]] = {}
        for row in loading.of_keys(work, OfferStartDate, "offer_id", keys):
            self._starts.setdefault(row.offer_id, set()).add(row.starts_on)

    def of(self, detail: AgentBooking, places: Places) -> Catalogue:
        """The reference data of one booking."""
        organization_id, content = detail.organization_id, detail.content
        school = self._schools.get((organization_id, content["schoolCode"]))
        products = {
            code: product
            for code in _product_codes(content)
            if (product := self._products.get((organization_id, code))) is not None
        }
        offers = {
            code: OfferAvailability(
                offer,
                frozenset(self._starts.get(offer.id, ())),
                partial(places.free, offer, booking_id=detail.id),
            )
            for code, product in products.items()
            if school is not None and (offer := self._by_pair.get((product.id, school.id)))
        }
        return Catalogue(self._office(detail), school, products, offers)

    def _office(self, detail: AgentBooking) -> AgentOffice | None:
        """The office, unless it was unknown to the agent who named it.

        An office that was unknown may exist now, if its booking was not made by an agent.
        """
        code = detail.content["agentOfficeCode"]
        if detail.agent_office_id is None and detail.agency_key != unknown_office_key(code):
            return None
        office: AgentOffice | None = self._offices.get((detail.organization_id, code))
        return office

    def _locked(self, work: UnitOfWork) -> list[ProductOffer]:
        """The offers of these schools and products, locked, so places are taken one after
        another."""
        products = {(row.organization_id, row.id) for row in self._products.values()}
        schools = {row.id for row in self._schools.values()}
        found = loading.of_keys(work, ProductOffer, "product_id", products)
        keys = [(row.organization_id, row.id) for row in found if row.centre_id in schools]
        return list(loading.lock(work, ProductOffer, keys).values())


def _coded(
    work: UnitOfWork,
    model: type[Any],
    column: str,
    details: Sequence[AgentBooking],
    codes: Callable[[Content], Iterable[str]],
) -> Coded:
    named = {(d.organization_id, code) for d in details for code in codes(d.content)}
    rows = loading.of_keys(work, model, column, named)
    return {(row.organization_id, getattr(row, column)): row for row in rows}


def _office_codes(content: Content) -> list[str]:
    return [content["agentOfficeCode"]]


def _school_codes(content: Content) -> list[str]:
    return [content["schoolCode"]]


def _product_codes(content: Content) -> list[str]:
    return [requested["code"] for name in LISTS.values() for requested in content[name]]
