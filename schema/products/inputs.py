"""Inputs of the mutations of products."""

from datetime import date

from resolvers.products.commands import UpsertAgentOffice, UpsertProduct
from resolvers.products.offers import OfferProduct
from resolvers.viewer import Viewer
from resolvers.vocabulary import ProductKind
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    EXTERNAL_IDS,
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, RefInput


@input_type(description="The agent office to create or update, identified by its code.")
class UpsertAgentOfficeInput:
    code: str = attribute(
        description="Code of the office in EC English. If an office with it exists, it is "
        "updated; otherwise it is created."
    )
    name: str = attribute(description="Name of the office.")
    agency: str = attribute(description="Name of the agency that the office belongs to.")
    active: bool | None = described(
        "True if the office may book. Omitted or null keeps the value; a new office is active."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertAgentOffice:
        return UpsertAgentOffice(
            viewer=viewer,
            **values_given(self, "external_ids", "origin"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(
    description="The product to create or update, identified by its code. An omitted or null "
    "field keeps its value."
)
class UpsertProductInput:
    code: str = attribute(
        description="Code of the product in EC English. If a product with it exists, it is "
        "updated; otherwise it is created."
    )
    kind: ProductKind = attribute(description="Kind of the product.")
    name: str = attribute(description="Name of the product.")
    min_weeks: int | None = described("Minimum number of weeks, 1 to 1,000.")
    max_weeks: int | None = described("Maximum number of weeks, 1 to 1,000.")
    active: bool | None = described(
        "True if the product can be booked. Omitted or null keeps the value; a new "
        "product is active."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertProduct:
        return UpsertProduct(
            viewer=viewer,
            **values_given(self, "external_ids", "origin"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(
    description="A product that a school offers, with its start dates and places. Start "
    "dates are added to the stored ones; only courses need them."
)
class OfferProductInput:
    product: RefInput = attribute(description="The product that the school offers.")
    centre: RefInput = attribute(description="The school that offers the product.")
    start_dates: list[date] | None = described("Start dates to add. An offer has at most 500.")
    remove_start_dates: list[date] | None = described("Start dates to remove.")
    capacity: int | None = described("Number of places on each start date, 1 to 100,000.")
    offered: bool | None = described(
        "False withdraws the offer. Omitted or null keeps the value; a new offer is active."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> OfferProduct:
        return OfferProduct(
            viewer=viewer,
            **values_given(self, "product", "centre", "origin"),
            product=self.product.to_ref("Product"),
            centre=self.centre.to_ref("Centre"),
            origin=origin_of(self.origin),
        )
