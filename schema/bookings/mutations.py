"""The mutations of bookings, and their payloads."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from resolvers.every_kind.accommodations import grant, revoke
from resolvers.every_kind.cancelling import cancel
from schema.bookings.inputs import (
    CancelBookingInput,
    CancelBookingsInput,
    GrantAccommodationInput,
    RevokeAccommodationInput,
)
from schema.bookings.types import Accommodation, Booking, Money
from schema.grammar.commands import Answer, errors_of, submit, submit_all
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.node import show_booking
from schema.grammar.payloads import booking_rows, written_booking
from schema.grammar.warnings import Warning


@object_type(description="The booking as it is now, or why it was not cancelled.")
class CancelBookingPayload:
    booking: Booking | None = attribute(description="The booking; null with errors.")
    changed: bool = attribute(description="False when it was cancelled already.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[UserError] = attribute(description="Why it was not done.")


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
    errors: list[UserError] = attribute(description="Why it was not done.")


@object_type(description="The booking with its accommodation, or why it has it not.")
class AccommodationPayload:
    booking: Booking | None = attribute(description="The booking; null with errors.")
    accommodation: Accommodation | None = attribute(
        description="What was granted; null with errors, and when one was revoked."
    )
    changed: bool = attribute(description="False when it was just so already.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[UserError] = attribute(description="Why it was not done.")


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
        answer = await submit(info, cancel, input)
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
        answers = await submit_all(info, cancel, input)
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
        answer = await submit(info, grant, input)
        return await _accommodation_payload(info, answer)

    @strawberry.mutation(description="Revoke an exam accommodation. Needs GRANT_ACCOMMODATION.")
    async def revoke_accommodation(
        self,
        info: Info,
        input: Annotated[
            RevokeAccommodationInput, strawberry.argument(description="What of whom.")
        ],
    ) -> AccommodationPayload | None:
        answer = await submit(info, revoke, input)
        return await _accommodation_payload(info, answer)
