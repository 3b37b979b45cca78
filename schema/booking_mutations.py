"""What can be done with bookings of every kind: cancelling, and accommodations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from resolvers import checks
from resolvers.every_kind.accommodations import (
    GrantAccommodation,
    RevokeAccommodation,
    grant,
    revoke,
)
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.refusals import Complaints
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccommodationScope, BatchMode, CancellationReason
from schema.bookings import Accommodation, Booking, Money, booking_types
from schema.commands import Answer, ask, ask_all, errors_of
from schema.context import Info
from schema.declaring import CommandNames, input_type, object_type
from schema.errors import BookingError
from schema.fields import attribute, described
from schema.inputs import IDEMPOTENCY_KEY, ORIGIN, OriginInput, given, origin_of
from schema.node import show_booking
from schema.payloads import booking_rows, written_booking
from schema.references import optional_id, ref_of, refs_of
from schema.warnings import Warning

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


@object_type(description="The booking as it is now, or why it was not cancelled.")
class CancelBookingPayload:
    booking: Booking | None = attribute(description="The booking; null with errors.")
    changed: bool = attribute(description="False when it was cancelled already.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


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
        """One for each booking. Raises: Refused (OutOfRange)."""
        stage = Complaints()
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


@object_type(description="A booking that is cancelled now.")
class CancelledBooking:
    booking: Booking = attribute(description="The booking.")
    on_behalf: bool = attribute(description="Whether somebody else cancelled it for the candidate.")
    cost: Money | None = attribute(description="What it cost; null without a cost.")
    payment_reference: UUID | None = attribute(
        description="Our reference of its payment; null for kinds that have none."
    )


@object_type(description="What was cancelled, and what was not.")
class CancelBookingsPayload:
    cancelled: list[CancelledBooking] = attribute(
        description="Those that are cancelled now, also by an earlier request."
    )
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


@input_type(
    description="An exam accommodation.",
    command=CommandNames({"time_extension_minutes": "time_extension"}),
)
class AccommodationInput:
    type: str | None = described("What it is, 1 to 50 characters; one of each type on a booking.")
    name: str | None = described("A short description, at most 200 characters.")
    time_extension: int | None = described("Extra minutes, 0 to 999; win over the percentage.")
    extra_time_percentage: int | None = described("Extra time in percent, 0 to 999.")
    extra_breaks_per_section: int | None = described("Extra breaks in each section, 0 to 99.")
    reason: str | None = described("Why, at most 500 characters.")
    scope: AccommodationScope = attribute(
        default=AccommodationScope.TEST_TIME, description="What it lengthens."
    )

    def to_terms(self) -> dict[str, Any]:
        """The terms by the names that the commands have for them."""
        return {
            "type": given(self.type),
            "name": given(self.name),
            "time_extension_minutes": given(self.time_extension),
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


@object_type(description="The booking with its accommodation, or why it has it not.")
class AccommodationPayload:
    booking: Booking | None = attribute(description="The booking; null with errors.")
    accommodation: Accommodation | None = attribute(
        description="What was granted; null with errors, and when one was revoked."
    )
    changed: bool = attribute(description="False when it was just so already.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


async def _booking(info: Info, answer: Answer) -> Any:
    row = await written_booking(info, answer)
    return None if row is None else show_booking(row)


async def _cancelled(info: Info, answers: Sequence[Answer]) -> list[CancelledBooking]:
    rows = await booking_rows(info, answers)
    keys = [row.id for row in rows]
    payments = await info.context.loaders.load_many("payment_of_booking", keys)
    return [
        CancelledBooking(
            booking=show_booking(row),
            on_behalf=row.cancelled_on_behalf,
            cost=None if payment is None or payment.cost_amount is None else Money.of(payment),
            payment_reference=None if payment is None else payment.reference,
        )
        for row, payment in zip(rows, payments, strict=True)
    ]


async def _accommodation_payload(info: Info, answer: Answer) -> AccommodationPayload:
    key, row = answer.fact("accommodation"), None
    if key is not None:
        row = await info.context.loaders.load("accommodation_by_id", UUID(key))
    return AccommodationPayload(
        booking=await _booking(info, answer),
        accommodation=None if row is None else Accommodation(row=row),
        changed=answer.changed,
        warnings=answer.warnings,
        errors=answer.errors,
    )


@object_type
class BookingMutations:
    @strawberry.mutation(
        description="Cancel a booking of any kind; again changes nothing. After the start the "
        "reason ABSENT says that the candidate did not come. Needs CANCEL."
    )
    async def cancel_booking(
        self,
        info: Info,
        input: Annotated[CancelBookingInput, strawberry.argument(description="Which, and why.")],
    ) -> CancelBookingPayload | None:
        answer = await ask(info, cancel, input)
        return CancelBookingPayload(
            booking=await _booking(info, answer),
            changed=answer.changed,
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(description="Cancel several bookings, of any kind. Needs CANCEL.")
    async def cancel_bookings(
        self,
        info: Info,
        input: Annotated[CancelBookingsInput, strawberry.argument(description="Which, and why.")],
    ) -> CancelBookingsPayload | None:
        answers = await ask_all(info, cancel, input)
        return CancelBookingsPayload(
            cancelled=await _cancelled(info, answers),
            replayed=any(answer.replayed for answer in answers),
            errors=errors_of(answers),
        )

    @strawberry.mutation(
        description="Grant an exam accommodation, or replace the one of the same type. Needs "
        "GRANT_ACCOMMODATION."
    )
    async def grant_accommodation(
        self,
        info: Info,
        input: Annotated[GrantAccommodationInput, strawberry.argument(description="What to whom.")],
    ) -> AccommodationPayload | None:
        answer = await ask(info, grant, input)
        return await _accommodation_payload(info, answer)

    @strawberry.mutation(description="Revoke an exam accommodation. Needs GRANT_ACCOMMODATION.")
    async def revoke_accommodation(
        self,
        info: Info,
        input: Annotated[
            RevokeAccommodationInput, strawberry.argument(description="What of whom.")
        ],
    ) -> AccommodationPayload | None:
        answer = await ask(info, revoke, input)
        return await _accommodation_payload(info, answer)
