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


@object_type(description="An office of an agency; an agent sees its own only.")
class AgentOffice(Node, Sourced):
    code: str = column(description="EC's code of it.")
    name: str = column(description="Its name.")
    agency: str = column(
        description="The agency that the office belongs to: an agentBookingId is unique inside it."
    )
    active: bool = column(description="Whether it may book.")


@object_type(description="What schools can sell.")
class Product(Node, Sourced):
    code: str = column(description="EC's code of it.")
    kind: ProductKind = column(description="What it is.")
    name: str = column(description="Its name.")
    min_weeks: int | None = column(description="For how many weeks at least; null: no such limit.")
    max_weeks: int | None = column(description="For how many weeks at most; null: no such limit.")
    active: bool = column(description="Whether it can be booked.")

    @method("id", description="When it can begin: dates in a range, sorted, each once.")
    async def start_dates(
        self, info: Info, from_: FROM, to: TO, centre_id: SCHOOL = UNSET
    ) -> list[date]:
        return await dates_of_product(info, self.row.id, from_, to, centre_id)


@object_type(description="What a school offers; capacity is for each start date, null = unlimited.")
class ProductOffer(OverRow):
    row: strawberry.Private[Any]

    product: Product = relation("product_by_id", key="product_id", description="What is offered.")
    centre: Centre = relation("centre_by_id", key="centre_id", description="The school.")
    capacity: int | None = column(description="Places on each start date; null: unlimited.")
    offered: bool = column(description="False once it is withdrawn.")

    @method("id", description="When it can begin: dates in a range, sorted.")
    async def start_dates(self, info: Info, from_: FROM, to: TO) -> list[date]:
        return await dates_of_offer(info, self.row.id, from_, to)
