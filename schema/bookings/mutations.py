"""The mutations of bookings, and their payloads."""

from collections.abc import Sequence
from typing import Any
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
from schema.bookings.outcomes import BatchPayload, result_of_batch
from schema.bookings.types import Accommodation, Booking, Money
from schema.grammar.commands import Answer, submit, submit_all
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.node import show_booking
from schema.grammar.payloads import (
    CommandPayload,
    booking_rows,
    payload_type,
    result_of,
    written_booking,
)


@payload_type(description="Result of cancelBooking.")
class CancelBookingPayload(CommandPayload):
    booking: Booking | None = attribute(
        description="The cancelled booking. Null if there are errors."
    )


@object_type(description="A cancelled booking, with its cost and payment.")
class CancelledBooking:
    booking: Booking = attribute(description="The booking that was cancelled.")
    on_behalf: bool = attribute(
        description="True if another person cancelled on behalf of the candidate."
    )
    cost: Money | None = attribute(
        description="Amount that the booking cost. Null if it was free of charge."
    )
    payment_reference: UUID | None = attribute(
        description="Our reference of the booking's payment. Null for kinds of booking "
        "without a payment."
    )


@payload_type(description="Result of cancelBookings.")
class CancelBookingsPayload(BatchPayload):
    cancelled: list[CancelledBooking] = attribute(
        description="The bookings that are cancelled now, including those that were "
        "cancelled before."
    )
    errors: list[UserError] = attribute(
        description="One entry for each booking that was not cancelled; `path` ends with its "
        "index in `bookingIds`. With BEST_EFFORT the others are cancelled."
    )


@payload_type(description="Result of granting or revoking an exam accommodation.")
class AccommodationPayload(CommandPayload):
    booking: Booking | None = attribute(
        description="The booking with its current accommodations. Null if there are errors."
    )
    accommodation: Accommodation | None = attribute(
        description="The accommodation that was granted. Null if one was revoked, or if "
        "there are errors."
    )


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
        **result_of(answer),
    )


@object_type
class BookingMutations:
    @strawberry.mutation(
        description="Cancels a booking of any kind. Cancelling a cancelled booking "
        "changes nothing. Use the reason ABSENT after the start if the "
        "candidate did not attend. Needs CANCEL."
    )
    async def cancel_booking(
        self,
        info: Info,
        input: CancelBookingInput,
    ) -> CancelBookingPayload | None:
        answer = await submit(info, cancel, input)
        return CancelBookingPayload(
            booking=await _booking(info, answer),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Cancels several bookings of any kind in one transaction. Needs CANCEL."
    )
    async def cancel_bookings(
        self,
        info: Info,
        input: CancelBookingsInput,
    ) -> CancelBookingsPayload | None:
        answers = await submit_all(info, cancel, input)
        return CancelBookingsPayload(
            cancelled=await _cancelled(info, answers),
            **await result_of_batch(info, answers),
        )

    @strawberry.mutation(
        description="Grants an exam accommodation to a booking, or replaces the one of "
        "the same type. Needs GRANT_ACCOMMODATION."
    )
    async def grant_accommodation(
        self,
        info: Info,
        input: GrantAccommodationInput,
    ) -> AccommodationPayload | None:
        answer = await submit(info, grant, input)
        return await _accommodation_payload(info, answer)

    @strawberry.mutation(
        description="Revokes an exam accommodation of a booking. Needs GRANT_ACCOMMODATION."
    )
    async def revoke_accommodation(
        self,
        info: Info,
        input: RevokeAccommodationInput,
    ) -> AccommodationPayload | None:
        answer = await submit(info, revoke, input)
        return await _accommodation_payload(info, answer)
