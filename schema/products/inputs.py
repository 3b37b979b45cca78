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
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, RefInput


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
