"""Agent offices, products, and the offers of schools."""

from datetime import date
from typing import Any

import strawberry
from strawberry import UNSET

from resolvers.vocabulary import ProductKind
from schema.centres.types import Centre
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, relation
from schema.grammar.node import Node, Sourced
from schema.grammar.sources.methods import method
from schema.products.offers import FROM, SCHOOL, TO, dates_of_offer, dates_of_product


@object_type(description="An office of an agency. Agents see only their own offices.")
class AgentOffice(Node, Sourced):
    code: str = column(description="Code of the office in EC English.")
    name: str = column(description="Name of the office.")
    agency: str = column(
        description="Name of the agency that the office belongs to. An `agentBookingId` "
        "is unique within the agency."
    )
    active: bool = column(description="True if the office may book.")


@object_type(description="A course, lodging, extra or airport transfer that schools can sell.")
class Product(Node, Sourced):
    code: str = column(description="Code of the product in EC English.")
    kind: ProductKind = column(description="Kind of the product.")
    name: str = column(description="Name of the product.")
    min_weeks: int | None = column(
        description="Minimum number of weeks. Null if there is no minimum."
    )
    max_weeks: int | None = column(
        description="Maximum number of weeks. Null if there is no maximum."
    )
    active: bool = column(description="True if the product can be booked.")

    @method(
        "id",
        description="Dates within a range on which the product can begin, sorted, without "
        "duplicates.",
    )
    async def start_dates(
        self, info: Info, from_: FROM, to: TO, centre_id: SCHOOL = UNSET
    ) -> list[date]:
        return await dates_of_product(info, self.row.id, from_, to, centre_id)


@object_type(description="A product that a school offers, with its start dates and places.")
class ProductOffer(OverRow):
    row: strawberry.Private[Any]

    product: Product = relation(
        "product_by_id", key="product_id", description="The product that the school offers."
    )
    centre: Centre = relation(
        "centre_by_id", key="centre_id", description="The school that offers the product."
    )
    capacity: int | None = column(
        description="Number of places on each start date. Null means unlimited."
    )
    offered: bool = column(description="False if the offer was withdrawn.")

    @method("id", description="Dates within a range on which the offer can begin, sorted.")
    async def start_dates(self, info: Info, from_: FROM, to: TO) -> list[date]:
        return await dates_of_offer(info, self.row.id, from_, to)
