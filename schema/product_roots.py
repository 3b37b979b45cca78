"""What can be asked about, and done to, agent offices, products and offers."""

from datetime import date

import strawberry
from strawberry import UNSET

from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.products.reads import (
    AGENT_OFFICES_BY_NAME,
    PRODUCTS_BY_NAME,
    agent_offices_count,
    agent_offices_page,
    products_count,
    products_page,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind
from schema.commands import ask
from schema.connections import SEARCH, Connection
from schema.context import Info
from schema.declaring import input_type, object_type
from schema.errors import BookingError
from schema.fields import attribute, described
from schema.inputs import (
    EXTERNAL_IDS,
    ORIGIN,
    Input,
    OriginInput,
    external_ids_of_input,
    given,
    origin_of,
    values_given,
)
from schema.lists import PageArguments, listed, listing, searchable
from schema.offers import PRODUCT_KIND
from schema.payloads import ERRORS, written
from schema.products import AgentOffice, Product, ProductOffer
from schema.references import ExternalIdInput, RefInput
from schema.upserts import upsert


@input_type(description="An office of an agency, known by the code.")
class UpsertAgentOfficeInput:
    code: str = attribute(description="EC's code of it.")
    name: str = attribute(description="Its name.")
    agency: str = attribute(description="The agency that it belongs to.")
    active: bool | None = described(
        "Whether it may book. Omitted or null: unchanged; a new office is active."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertAgentOffice:
        return UpsertAgentOffice(
            viewer=viewer,
            **values_given(self, "external_ids", "origin"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A product, known by the code. What is left out or null stays as it is.")
class UpsertProductInput:
    code: str = attribute(description="EC's code of it.")
    kind: ProductKind = attribute(description="What it is.")
    name: str = attribute(description="Its name.")
    min_weeks: int | None = described("For how many weeks at least, from 1 to 1,000.")
    max_weeks: int | None = described("For how many weeks at most, from 1 to 1,000.")
    active: bool | None = described(
        "Whether it can be booked. Omitted or null: unchanged; a new product is active."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertProduct:
        return UpsertProduct(
            viewer=viewer,
            **values_given(self, "external_ids", "origin"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(
    description="Says that a school offers a product; startDates are added, and only a course "
    "needs them."
)
class OfferProductInput:
    product: RefInput = attribute(description="What is offered.")
    centre: RefInput = attribute(description="The school.")
    start_dates: list[date] | None = described("Dates on which it can begin; at most 500 in all.")
    remove_start_dates: list[date] | None = described("Dates on which it no longer can.")
    capacity: int | None = described("Places on each start date, from 1 to 100,000.")
    offered: bool | None = described(
        "False withdraws it. Omitted or null: unchanged; a new offer is offered."
    )
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> OfferProduct:
        return OfferProduct(
            viewer=viewer,
            **values_given(self, "product", "centre", "origin"),
            product=self.product.to_ref("Product"),
            centre=self.centre.to_ref("Centre"),
            origin=origin_of(self.origin),
        )


@object_type(description="What became of an offer.")
class OfferProductPayload:
    offer: ProductOffer | None = attribute(description="As it is now; null when refused.")
    changed: bool = attribute(description="False where it was like that already.")
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type
class ProductQueries:
    @listed(description="What schools can sell, by name.")
    def products(
        self,
        page: PageArguments,
        kind: PRODUCT_KIND = UNSET,
        search: SEARCH = UNSET,
    ) -> Connection[Product] | None:
        request = page.request(PRODUCTS_BY_NAME)
        text, of_kind = given(search), given(kind)
        return listing(
            request,
            ("products", text, of_kind),
            Product.of,
            lambda viewer, _: products_page(viewer, request, text, of_kind),
            lambda viewer, _: products_count(viewer, text, of_kind),
        )

    agent_offices = searchable(
        AGENT_OFFICES_BY_NAME,
        AgentOffice,
        agent_offices_page,
        agent_offices_count,
        description="The offices of the agencies, sorted by name. Agents see their own offices, "
        "viewers of the whole organization see all, and other viewers see none.",
    )


@object_type
class ProductMutations:
    upsert_agent_office = upsert(
        AgentOffice,
        UpsertAgentOfficeInput,
        upsert_agent_offices,
        description="Make or update an agent office. Needs MANAGE_PRODUCTS.",
    )

    upsert_product = upsert(
        Product,
        UpsertProductInput,
        upsert_products,
        description="Make or update a product. Needs MANAGE_PRODUCTS.",
    )

    @strawberry.mutation(
        description="Say what a school offers, when and for how many. Needs MANAGE_PRODUCTS."
    )
    async def offer_product(
        self, info: Info, input: Input[OfferProductInput]
    ) -> OfferProductPayload | None:
        answer = await ask(info, offer_products, input)
        return OfferProductPayload(
            offer=await written(info, "ProductOffer", answer),
            changed=answer.changed,
            errors=answer.errors,
        )
