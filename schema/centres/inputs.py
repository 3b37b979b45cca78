"""Inputs of the mutations of centres."""

import strawberry

from resolvers.centres.commands import UpsertCentre, UpsertRoom
from resolvers.viewer import Viewer
from schema.grammar.contacts import AddressInput, given_address
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
from schema.grammar.references import ExternalIdInput, RefInput, refs_of
from schema.grammar.scalars import CountryCode, TimeZone


@input_type(
    description="A centre, known by the reference. What is left out or null stays as it is."
)
class UpsertCentreInput:
    reference: str = attribute(description="What it is known by.")
    name: str = attribute(description="Its name.")
    time_zone: TimeZone = attribute(
        description="The zone of its clock; fixed while it has events or bookings to come."
    )
    city: str | None = described("Where it is.")
    country: CountryCode | None = described("Where it is.")
    is_school: bool = attribute(default=False, description="Whether it teaches.")
    address: AddressInput | None = described("Its address; replaces the one before.")
    minimum_age: int | None = described("How old students are at least.")
    subject_ids: list[strawberry.ID] | None = described(
        "The subjects that it examines; a list replaces."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertCentre:
        return UpsertCentre(
            viewer=viewer,
            **values_given(self, "address", "subject_ids", "external_ids", "origin"),
            address=given_address(self.address),
            subject_ids=refs_of(self.subject_ids, "Subject"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A room, known by its centre and its name.")
class UpsertRoomInput:
    centre: RefInput = attribute(description="Where it is.")
    name: str = attribute(description="Its name.")
    capacity: int = attribute(description="How many seats it has.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertRoom:
        return UpsertRoom(
            viewer=viewer,
            centre=self.centre.to_ref("Centre"),
            name=self.name,
            capacity=self.capacity,
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )
