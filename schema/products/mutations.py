"""The mutations of products, and their payloads."""

import strawberry

from resolvers.products.commands import upsert_agent_offices, upsert_products
from resolvers.products.offers import offer_products
from schema.grammar.commands import submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.payloads import CommandPayload, payload_type, result_of, written
from schema.grammar.upserts import upsert
from schema.products.inputs import OfferProductInput, UpsertAgentOfficeInput, UpsertProductInput
from schema.products.types import AgentOffice, Product, ProductOffer


@payload_type(description="Result of offerProduct.")
class OfferProductPayload(CommandPayload):
    offer: ProductOffer | None = attribute(
        description="The offer with its new values. Null if there are errors."
    )


@object_type
class ProductMutations:
    upsert_agent_office = upsert(
        AgentOffice,
        UpsertAgentOfficeInput,
        upsert_agent_offices,
        description="Creates an agent office, or updates the one with the same code. "
        "Needs MANAGE_PRODUCTS.",
    )

    upsert_product = upsert(
        Product,
        UpsertProductInput,
        upsert_products,
        description="Creates a product, or updates the one with the same code. Needs "
        "MANAGE_PRODUCTS.",
    )

    @strawberry.mutation(
        description="Sets which product a school offers, on which dates and with how "
        "many places. Needs MANAGE_PRODUCTS."
    )
    async def offer_product(
        self, info: Info, input: OfferProductInput
    ) -> OfferProductPayload | None:
        answer = await submit(info, offer_products, input)
        return OfferProductPayload(
            offer=await written(info, "ProductOffer", answer),
            **result_of(answer),
        )
