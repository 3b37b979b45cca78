"""The mutations of enrolments, and their payloads."""

from uuid import UUID

import strawberry

from resolvers.enrolments.booking import PAYMENT_REFERENCE, book
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from schema.bookings.outcomes import BatchPayload, result_of_batch
from schema.bookings.types import Booking, Payment, return_url_of
from schema.enrolments.inputs import (
    AssignResultsInput,
    BookEnrolmentInput,
    MoveEnrolmentInput,
    RecordPaymentInput,
)
from schema.enrolments.types import Enrolment
from schema.grammar.commands import Answer, submit, submit_all
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.node import show_booking
from schema.grammar.payloads import (
    CommandPayload,
    booking_row,
    booking_rows,
    payload_type,
    result_of,
    written_booking,
)


@payload_type(description="Result of bookEnrolment.")
class BookEnrolmentPayload(CommandPayload):
    enrolment: Enrolment | None = attribute(
        description="The new enrolment. Null if there are errors."
    )
    return_url: str | None = attribute(
        description="Path to which the payment provider sends the payer back: "
        "`Payment/Confirmation/{payment reference}`. Null if there are "
        "errors."
    )


@payload_type(description="Result of moveEnrolment.")
class MoveEnrolmentPayload(CommandPayload):
    enrolment: Enrolment | None = attribute(
        description="The moved enrolment. Null if there are errors."
    )


@payload_type(description="Result of assignResults.")
class AssignResultsPayload(BatchPayload):
    updated: list[Enrolment] = attribute(description="The enrolments that have their new result.")
    errors: list[UserError] = attribute(
        description="One entry for each result that was not assigned. Empty on success."
    )


@payload_type(description="Result of recordPayment.")
class RecordPaymentPayload(CommandPayload):
    payment: Payment | None = attribute(
        description="The payment with its new status. Null if there are errors."
    )
    booking: Booking | None = attribute(
        description="The booking that was paid for. Null if there are errors."
    )


async def _enrolment(info: Info, answer: Answer) -> Enrolment | None:
    row = await written_booking(info, answer)
    return None if row is None else Enrolment(row=row)


async def _return_url(info: Info, answer: Answer) -> str | None:
    if answer.subject is None:
        return None
    if (reference := answer.fact(PAYMENT_REFERENCE)) is not None:
        return return_url_of(reference)
    # an outcome stored under an idempotency key by an earlier version lacks this fact
    payment = await info.context.loaders.load("payment_of_booking", answer.subject)
    return None if payment is None else return_url_of(payment.reference)


@object_type
class EnrolmentMutations:
    @strawberry.mutation(
        description="Books a seat at an event for a candidate, also for a resit. Needs BOOK."
    )
    async def book_enrolment(
        self,
        info: Info,
        input: BookEnrolmentInput,
    ) -> BookEnrolmentPayload | None:
        answer = await submit(info, book, input)
        return BookEnrolmentPayload(
            enrolment=await _enrolment(info, answer),
            return_url=await _return_url(info, answer),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Moves an enrolment to another time, room, centre or event. Needs MOVE."
    )
    async def move_enrolment(
        self,
        info: Info,
        input: MoveEnrolmentInput,
    ) -> MoveEnrolmentPayload | None:
        answer = await submit(info, move, input)
        return MoveEnrolmentPayload(
            enrolment=await _enrolment(info, answer),
            **result_of(answer),
        )

    @strawberry.mutation(
        description="Assigns or corrects the results of enrolments. A candidate can book "
        "a resit once the previous attempt has a result. Needs "
        "ASSIGN_RESULT."
    )
    async def assign_results(
        self,
        info: Info,
        input: AssignResultsInput,
    ) -> AssignResultsPayload | None:
        answers = await submit_all(info, assign_results, input)
        return AssignResultsPayload(
            updated=[Enrolment(row=row) for row in await booking_rows(info, answers)],
            **await result_of_batch(info, answers),
        )

    @strawberry.mutation(
        description="Records the status of a payment. Recording the same status again "
        "changes nothing. Needs RECORD_PAYMENT."
    )
    async def record_payment(
        self,
        info: Info,
        input: RecordPaymentInput,
    ) -> RecordPaymentPayload | None:
        answer = await submit(info, record_payments, input)
        booking = answer.fact("booking")
        loaders = info.context.loaders
        payment = None
        if answer.subject is not None:
            payment = await loaders.load("payment_by_id", answer.subject)
        row = await booking_row(info, None if booking is None else UUID(booking))
        return RecordPaymentPayload(
            payment=None if payment is None else Payment(row=payment),
            booking=None if row is None else show_booking(row),
            **result_of(answer),
        )
