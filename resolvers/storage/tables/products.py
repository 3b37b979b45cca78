"""Agent offices, what schools sell, and when `[004]`."""

from datetime import date
from uuid import UUID

from sqlmodel import Field

from resolvers.storage.columns import choice, folded_text, key, sort_key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
    unique,
)
from resolvers.vocabulary import ProductKind


class AgentOffice(Keyed, table=True):
    """An office of an agency, known by EC's code of it."""

    __tablename__ = "agent_office"
    __table_args__ = (
        of_organization(),
        unique("code"),
        index("uq_agent_office_code_folded", "code_folded", unique=True),
        index("ix_agent_office_sort_key", "sort_key", "id"),
    )

    code: str = text(50)
    name: str = text(200)
    search_text: str = text(500)
    code_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    agency: str = text(200)
    active: bool = True


class Product(Keyed, table=True):
    """What can be booked at schools: a course, lodging, an extra, an airport transfer."""

    __table_args__ = (
        of_organization(),
        unique("code"),
        index("uq_product_code_folded", "code_folded", unique=True),
        index("ix_product_sort_key", "sort_key", "id"),
        check("weeks", "max_weeks >= min_weeks"),
        check("min_weeks", "min_weeks between 1 and 1000"),
        check("max_weeks", "max_weeks between 1 and 1000"),
    )

    code: str = text(50)
    kind: ProductKind = choice(ProductKind)
    name: str = text(200)
    search_text: str = text(500)
    code_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    min_weeks: int | None = None
    max_weeks: int | None = None
    active: bool = True


class ProductOffer(Keyed, table=True):
    """A product at a school. Its row is locked by whoever takes a place on one of its dates.

    `capacity` is for each start date. Withdrawn it stays, with its dates, and is not offered.
    """

    __tablename__ = "product_offer"
    __table_args__ = (
        refers_to("product"),
        refers_to("centre"),
        unique("product_id", "centre_id"),
        index("ix_product_offer_centre", "centre_id"),
        check("capacity", "capacity between 1 and 100000"),
    )

    product_id: UUID = key()
    centre_id: UUID = key()
    capacity: int | None = None
    offered: bool = True


class OfferPlace(TableModel, table=True):
    """A place on a start date of an offer, taken by the revision of a booking that is in force."""

    __tablename__ = "offer_place"
    __table_args__ = (
        refers_to("product_offer", "offer_id"),
        refers_to("booking"),
        index("ix_offer_place_booking", "booking_id"),
    )

    organization_id: UUID = key(primary_key=True)
    offer_id: UUID = key(primary_key=True)
    starts_on: date = Field(primary_key=True)
    booking_id: UUID = key(primary_key=True)


class OfferStartDate(TableModel, table=True):
    """A date on which a product can begin at a school."""

    __tablename__ = "offer_start_date"
    __table_args__ = (refers_to("product_offer", "offer_id"),)

    organization_id: UUID = key(primary_key=True)
    offer_id: UUID = key(primary_key=True)
    starts_on: date = Field(primary_key=True)
