"""The queries of products."""

from strawberry import UNSET

from resolvers.products.reads import (
    AGENT_OFFICES_BY_NAME,
    PRODUCTS_BY_NAME,
    agent_offices_count,
    agent_offices_page,
    products_count,
    products_page,
)
from schema.grammar.connections import SEARCH, Connection
from schema.grammar.declaring import object_type
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listed, listing, searchable
from schema.products.offers import PRODUCT_KIND
from schema.products.types import AgentOffice, Product


@object_type
class ProductQueries:
    @listed(description="Products that schools can sell, sorted by name.")
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
        description="Offices of the agencies, sorted by name. Agents see their own "
        "offices, users of the whole organization see all, and other users "
        "see none.",
    )
