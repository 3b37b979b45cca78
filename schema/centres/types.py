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


@object_type(
    description="A place where candidates take tests or attend courses: a centre in Surpass, "
    "a venue in Shift iQ, a school in EC English."
)
class Centre(Node, Sourced):
    reference: str = column(description="Unique reference of the centre.")
    name: str = column(description="Name of the centre.")
    time_zone: TimeZone = column(
        description="Time zone of the centre. All local times of its events and bookings are "
        "in this zone."
    )
    city: str | None = column(description="Town or city of the centre.")
    country: CountryCode | None = column(description="Country of the centre.")
    address: Address | None = column(
        convert=address_of, description="Postal address of the centre."
    )
    is_school: bool = column(description="True if the centre is a school that teaches courses.")
    minimum_age: int | None = column(
        description="Minimum age of students at the school, in years. Null if there is none."
    )
    rooms: list["Room"] = relation(
        "rooms_of_centre", description="Rooms of the centre, sorted by name."
    )
    subjects: list[Annotated["Subject", strawberry.lazy("schema.tests.types")]] = relation(
        "subjects_of_centre", description="Subjects that the centre offers, sorted by name."
    )

    @method("id", description="Products that the school sells to agencies, sorted by code.")
    async def products(
        self, info: Info, kind: PRODUCT_KIND = UNSET
    ) -> list[Annotated["Product", strawberry.lazy("schema.products.types")]]:
        return await offered_products(info, self.row.id, kind)

    @method("id", description="Prices and dates of the school's products, sorted by product code.")
    async def offers(
        self, info: Info, kind: PRODUCT_KIND = UNSET
    ) -> list[Annotated["ProductOffer", strawberry.lazy("schema.products.types")]]:
        return await offers_of_school(info, self.row.id, kind)

    @listed("id", description="Events at the centre, sorted by start.")
    def events(
        self,
        info: Info,
        page: PageArguments,
        filter: EVENT_FILTER = UNSET,
    ) -> Connection[Annotated["Event", strawberry.lazy("schema.events.types")]]:
        return events_of_centre(info, page, filter=filter)


@object_type(description="A room of a centre, with a number of seats.")
class Room(Node, Sourced):
    name: str = column(description="Name of the room, unique within the centre.")
    centre: Centre = relation(
        "centre_by_id", key="centre_id", description="Centre that has the room."
    )
    capacity: int = column(
        description="Number of seats in the room. All bookings in the room at one time share them."
    )
