"""The mutations of products, and their payloads."""

import strawberry

from resolvers.products.commands import upsert_agent_offices, upsert_products
from resolvers.products.offers import offer_products
from schema.grammar.commands import submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.inputs import Input
from schema.grammar.payloads import ERRORS, written
from schema.grammar.upserts import upsert
from schema.products.inputs import OfferProductInput, UpsertAgentOfficeInput, UpsertProductInput
from schema.products.types import AgentOffice, Product, ProductOffer


@object_type(description="What became of an offer.")
class OfferProductPayload:
    offer: ProductOffer | None = attribute(description="As it is now; null when refused.")
    changed: bool = attribute(description="False where it was like that already.")
    errors: list[UserError] = attribute(description=ERRORS)


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
        answer = await submit(info, offer_products, input)
        return OfferProductPayload(
            offer=await written(info, "ProductOffer", answer),
            changed=answer.changed,
            errors=answer.errors,
        )
