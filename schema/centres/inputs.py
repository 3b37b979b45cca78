"""Inputs of the mutations of centres."""

import strawberry

from resolvers.centres.commands import UpsertCentre, UpsertRoom
from resolvers.viewer import Viewer
from schema.grammar.contacts import AddressInput, given_address
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
from schema.grammar.references import ExternalIdInput, RefInput, refs_of
from schema.grammar.scalars import CountryCode, TimeZone


@input_type(description="The centre to create or update. An omitted or null field keeps its value.")
class UpsertCentreInput:
    reference: str = attribute(
        description="Your unique reference for the centre. If one with it exists, it is "
        "updated; otherwise it is created."
    )
    name: str = attribute(description="Name of the centre.")
    time_zone: TimeZone = attribute(
        description="Time zone of the centre. Cannot change while the centre has future "
        "events or bookings."
    )
    city: str | None = described("Town or city of the centre.")
    country: CountryCode | None = described("Country of the centre.")
    is_school: bool = attribute(
        default=False, description="True if the centre is a school that teaches courses."
    )
    address: AddressInput | None = described(
        "Postal address of the centre. Replaces the stored one as a whole."
    )
    minimum_age: int | None = described("Minimum age of students at the school, in years.")
    subject_ids: list[strawberry.ID] | None = described(
        "Global ids of the subjects that the centre offers. Replaces the stored list."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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


@input_type(description="The room to create or update, identified by its centre and name.")
class UpsertRoomInput:
    centre: RefInput = attribute(description="The centre that has the room.")
    name: str = attribute(description="Name of the room, unique within the centre.")
    capacity: int = attribute(description="Number of seats in the room.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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
