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

MESSAGE = "Explanation of the reason, at most 500 characters. Required if `reason` is OTHER."
CANCELLED_AT = "Time of the cancellation, not in the future. Defaults to now."


@input_type(
    description="The booking to cancel, and the reason.",
    command=CommandNames({"candidates": "candidate_id"}),
)
class CancelBookingInput:
    booking_id: strawberry.ID = attribute(description="Global id of the booking to cancel.")
    candidate_id: strawberry.ID | None = described(
        "Optional check: the booking must belong to this candidate."
    )
    reason: CancellationReason = attribute(
        description="Reason for the cancellation. ABSENT is allowed only after the start."
    )
    message: str | None = described(MESSAGE)
    cancelled_at: datetime | None = described(CANCELLED_AT)
    expected_version: int | None = described(
        "The `version` that you read. If the booking has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
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
    description="Bookings to cancel in one transaction, and the reason.",
    command=CommandNames(each="booking_ids"),
)
class CancelBookingsInput:
    booking_ids: list[strawberry.ID] = attribute(
        description="Global ids of the bookings, 1 to 1,000. Repeated ids count once."
    )
    candidate_ids: list[strawberry.ID] | None = described(
        "Optional check: each booking must belong to one of these candidates, and each "
        "candidate must have at least one of the bookings."
    )
    event_id: strawberry.ID | None = described(
        "Optional check: each booking must be at this event."
    )
    reason: CancellationReason = attribute(description="Reason for all of the cancellations.")
    message: str | None = described(MESSAGE)
    cancelled_at: datetime | None = described(CANCELLED_AT)
    mode: BatchMode = attribute(
        default=BatchMode.ALL_OR_NOTHING,
        description="Whether the other bookings are cancelled if one of them cannot be.",
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


@input_type(description="An exam accommodation to grant, such as extra time.")
class AccommodationInput:
    type: str | None = described(
        'Type of the accommodation, 1 to 50 characters, e.g. "EXTRA_TIME". A booking has at '
        "most one of each type."
    )
    name: str | None = described("Short description of the accommodation, at most 200 characters.")
    time_extension_minutes: int | None = described(
        "Extra time in minutes, 0 to 999. Takes precedence over the percentage."
    )
    extra_time_percentage: int | None = described(
        "Extra time in percent of the duration, 0 to 999."
    )
    extra_breaks_per_section: int | None = described(
        "Extra breaks in each section of the test, 0 to 99."
    )
    reason: str | None = described("Why the accommodation is granted, at most 500 characters.")
    scope: AccommodationScope = attribute(
        default=AccommodationScope.TEST_TIME, description="What the accommodation extends."
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
    description="An exam accommodation for a booking of any kind.",
    command=CommandNames(inlines=["accommodation"]),
)
class GrantAccommodationInput:
    booking_id: strawberry.ID = attribute(
        description="Global id of the booking that receives the accommodation."
    )
    accommodation: AccommodationInput = attribute(
        description="The accommodation to grant. Replaces one of the same type."
    )
    expected_version: int | None = described(
        "The `version` that you read. If the booking has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> GrantAccommodation:
        return GrantAccommodation(
            viewer=viewer,
            booking=ref_of(self.booking_id, *booking_types()),
            **self.accommodation.to_terms(),
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )


@input_type(description="The exam accommodation to revoke.")
class RevokeAccommodationInput:
    booking_id: strawberry.ID = attribute(
        description="Global id of the booking that has the accommodation."
    )
    type: str = attribute(description="Type of the accommodation to revoke.")
    expected_version: int | None = described(
        "The `version` that you read. If the booking has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RevokeAccommodation:
        return RevokeAccommodation(
            viewer=viewer,
            booking=ref_of(self.booking_id, *booking_types()),
            type=self.type,
            expected_version=given(self.expected_version),
            origin=origin_of(self.origin),
        )
