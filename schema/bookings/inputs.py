"""Inputs of the mutations of bookings."""

from datetime import datetime
from typing import Any

import strawberry

from resolvers import checks
from resolvers.every_kind.accommodations import GrantAccommodation, RevokeAccommodation
from resolvers.every_kind.cancelling import CancelBooking
from resolvers.refusals import ValidationErrors
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccommodationScope, BatchMode, CancellationReason
from schema.bookings.queries import booking_types
from schema.grammar.declaring import CommandNames, input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import IDEMPOTENCY_KEY, ORIGIN, OriginInput, given, origin_of
from schema.grammar.references import optional_id, ref_of, refs_of

MESSAGE = "Required when the reason is OTHER; at most 500 characters."
CANCELLED_AT = "When it was cancelled, not in the future; now unless given."


@input_type(
    description="A booking to cancel, and why.",
    command=CommandNames({"candidates": "candidate_id"}),
)
class CancelBookingInput:
    booking_id: strawberry.ID = attribute(description="The booking's global id.")
    candidate_id: strawberry.ID | None = described("Whose booking it must be.")
    reason: CancellationReason = attribute(description="Why.")
    message: str | None = described(MESSAGE)
    cancelled_at: datetime | None = described(CANCELLED_AT)
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> CancelBooking:
        candidate = optional_id(self.candidate_id, "Candidate")
        return CancelBooking(
            viewer=viewer,
            booking=ref_of(self.booking_id, *booking_types()),
            reason=self.reason,
            message=given(self.message),
            cancelled_at=given(self.cancelled_at),
            candidates=None if candidate is None else (candidate,),
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(
    description="Bookings to cancel together, and why.",
    command=CommandNames(each="booking_ids"),
)
class CancelBookingsInput:
    booking_ids: list[strawberry.ID] = attribute(
        description="1 to 1,000 global ids; one given twice counts once."
    )
    candidate_ids: list[strawberry.ID] | None = described(
        "Every booking must be one of these candidates', and each of them must have one."
    )
    event_id: strawberry.ID | None = described("Every booking must be at this event.")
    reason: CancellationReason = attribute(description="Why.")
    message: str | None = described(MESSAGE)
    cancelled_at: datetime | None = described(CANCELLED_AT)
    mode: BatchMode = attribute(
        default=BatchMode.ALL_OR_NOTHING, description="What becomes of the rest if one is refused."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_commands(self, viewer: Viewer) -> list[CancelBooking]:
        """Return a command for each booking. Raises: Refused (OutOfRange)."""
        stage = ValidationErrors()
        size: dict[str, Any] = {"least": 1, "most": checks.BATCH}
        ids = list(dict.fromkeys(self.booking_ids))
        candidate_ids = given(self.candidate_ids)
        different = None if candidate_ids is None else set(candidate_ids)
        stage.of(checks.size, ids, "booking_ids", **size)
        stage.of(checks.size, different, "candidates", **size)
        stage.settle()
        positions = {id: n for n, id in reversed(list(enumerate(self.booking_ids)))}
        together = tuple(ref_of(id, *booking_types()) for id in ids)
        candidates = refs_of(self.candidate_ids, "Candidate")
        return [
            CancelBooking(
                viewer=viewer,
                booking=ref,
                reason=self.reason,
                message=given(self.message),
                cancelled_at=given(self.cancelled_at),
                candidates=candidates,
                event=optional_id(self.event_id, "Event"),
                together_with=together if n == 0 else (),
                position=positions[id],
                origin=origin_of(self.origin),
            )
            for n, (id, ref) in enumerate(zip(ids, together, strict=True))
        ]


@input_type(description="An exam accommodation.")
class AccommodationInput:
    type: str | None = described("What it is, 1 to 50 characters; one of each type on a booking.")
    name: str | None = described("A short description, at most 200 characters.")
    time_extension_minutes: int | None = described(
        "Extra minutes, 0 to 999; win over the percentage."
    )
    extra_time_percentage: int | None = described("Extra time in percent, 0 to 999.")
    extra_breaks_per_section: int | None = described("Extra breaks in each section, 0 to 99.")
    reason: str | None = described("Why, at most 500 characters.")
    scope: AccommodationScope = attribute(
        default=AccommodationScope.TEST_TIME, description="What it lengthens."
    )

    def to_terms(self) -> dict[str, Any]:
        """Return the terms under the field names of the commands."""
        return {
            "type": given(self.type),
            "name": given(self.name),
            "time_extension_minutes": given(self.time_extension_minutes),
            "extra_time_percentage": given(self.extra_time_percentage),
            "extra_breaks_per_section": given(self.extra_breaks_per_section),
            "reason": given(self.reason),
            "scope": self.scope,
        }


@input_type(
    description="An accommodation for a booking of any kind.",
    command=CommandNames(inlines=["accommodation"]),
)
class GrantAccommodationInput:
    booking_id: strawberry.ID = attribute(description="The booking's global id.")
    accommodation: AccommodationInput = attribute(
        description="What is granted; replaces the one of the same type."
    )
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> GrantAccommodation:
        return GrantAccommodation(
            viewer=viewer,
            booking=ref_of(self.booking_id, *booking_types()),
            **self.accommodation.to_terms(),
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="An accommodation to revoke.")
class RevokeAccommodationInput:
    booking_id: strawberry.ID = attribute(description="The booking's global id.")
    type: str = attribute(description="Which of its accommodations.")
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RevokeAccommodation:
        return RevokeAccommodation(
            viewer=viewer,
            booking=ref_of(self.booking_id, *booking_types()),
            type=self.type,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )
