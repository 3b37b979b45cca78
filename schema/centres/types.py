"""Centres and their rooms."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from schema.events.lists import EVENT_FILTER, events_of_centre
from schema.grammar.connections import Connection
from schema.grammar.contacts import Address, address_of
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, relation
from schema.grammar.lists import PageArguments, listed
from schema.grammar.node import Node, Sourced
from schema.grammar.scalars import CountryCode, TimeZone
from schema.grammar.sources.methods import method
from schema.products.offers import PRODUCT_KIND, offered_products, offers_of_school

if TYPE_CHECKING:
    from schema.events.types import Event
    from schema.products.types import Product, ProductOffer
    from schema.tests.types import Subject


@object_type(description="Surpass centre = Shift iQ venue = EC school.")
class Centre(Node, Sourced):
    reference: str = column(description="What it is known by.")
    name: str = column(description="Its name.")
    time_zone: TimeZone = column(description="The zone of its clock.")
    city: str | None = column(description="Where it is; null where unknown.")
    country: CountryCode | None = column(description="Where it is; null where unknown.")
    address: Address | None = column(convert=address_of, description="Null where unknown.")
    is_school: bool = column(description="Whether it teaches.")
    minimum_age: int | None = column(description="How old students are at least; null: any age.")
    rooms: list["Room"] = relation("rooms_of_centre", description="Its rooms, by name.")
    subjects: list[Annotated["Subject", strawberry.lazy("schema.tests.types")]] = relation(
        "subjects_of_centre", description="The subjects that it examines, by name."
    )

    @method("id", description="What it offers as a school, by code.")
    async def products(
        self, info: Info, kind: PRODUCT_KIND = UNSET
    ) -> list[Annotated["Product", strawberry.lazy("schema.products.types")]]:
        return await offered_products(info, self.row.id, kind)

    @method("id", description="How it offers it as a school, by the product's code.")
    async def offers(
        self, info: Info, kind: PRODUCT_KIND = UNSET
    ) -> list[Annotated["ProductOffer", strawberry.lazy("schema.products.types")]]:
        return await offers_of_school(info, self.row.id, kind)

    @listed("id", description="The events at this centre, by start.")
    def events(
        self,
        info: Info,
        page: PageArguments,
        filter: EVENT_FILTER = UNSET,
    ) -> Connection[Annotated["Event", strawberry.lazy("schema.events.types")]]:
        return events_of_centre(info, page, filter=filter)


@object_type(description="A room with seats.")
class Room(Node, Sourced):
    name: str = column(description="Its name; no other room of the centre has it.")
    centre: Centre = relation("centre_by_id", key="centre_id", description="Where it is.")
    capacity: int = column(description="How many seats it has.")
