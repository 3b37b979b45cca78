"""Booking, moving, results and payments of enrolments."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers import checks
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.booking import PAYMENT_REFERENCE, book
from resolvers.enrolments.commands import AssignResult, BookEnrolment, MoveEnrolment, RecordPayment
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.refusals import Invalid
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    BatchMode,
    EnrolmentResult,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
    RuleOverride,
)
from schema.bookings import Booking, Payment, return_url_of
from schema.commands import Answer, ask, ask_all, errors_of
from schema.context import Info
from schema.declaring import CommandNames, input_type, object_type
from schema.enrolments import Enrolment
from schema.errors import BookingError
from schema.fields import attribute, described
from schema.inputs import (
    IDEMPOTENCY_KEY,
    ORIGIN,
    OVERRIDES,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.node import show_booking
from schema.payloads import booking_row, booking_rows, written_booking
from schema.references import RefInput, optional_id, optional_ref, ref_of
from schema.scalars import CurrencyCode, LocalDateTime
from schema.warnings import Warning


@input_type(description="An amount of money.")
class MoneyInput:
    amount: Decimal = attribute(description="The exact amount, not negative.")
    currency: CurrencyCode = attribute(description="Its currency.")


@input_type(
    description="What a booking costs, who pays, and until when.",
    command=CommandNames({"amount": "cost.amount", "currency": "cost.currency"}),
)
class PaymentInput:
    method: PaymentMethod | None = described("How it is paid.")
    responsibility: PaymentResponsibility | None = described(
        "Who pays; the candidate where there is a cost, else the organization."
    )
    cost: MoneyInput | None = described("The cost; nothing is to be paid without one.")
    due_by: datetime | None = described(
        "Until when the candidate has to pay; paymentDueHours from now unless given. A deadline "
        "after the start is limited to the start, with the warning PAYMENT_DUE_AT_START."
    )
    purchase_order: str | None = described("The payer's purchase order, 1 to 50 characters.")

    def to_terms(self) -> PaymentTerms:
        cost = given(self.cost)
        return PaymentTerms(
            method=given(self.method),
            responsibility=given(self.responsibility),
            amount=None if cost is None else cost.amount,
            currency=None if cost is None else cost.currency,
            due_by=given(self.due_by),
            purchase_order=given(self.purchase_order),
        )


@input_type(
    description="A seat for a candidate.",
    command=CommandNames({"online": "is_online", "on_demand_time": "on_demand_booking_time"}),
)
class BookEnrolmentInput:
    candidate: RefInput = attribute(description="Who sits.")
    event: RefInput = attribute(description="At which event.")
    module: RefInput | None = described(
        "In which of the event's modules; required where there are several to be eligible for."
    )
    room: RefInput | None = described("In which room at the venue; the event's own unless given.")
    is_online: bool = attribute(default=False, description="Online, without a room.")
    on_demand_booking_time: LocalDateTime | None = described(
        "The start, at an event on demand; on the centre's clock, online the organization's."
    )
    payment: PaymentInput | None = described("What it costs; nothing unless given.")
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> BookEnrolment:
        payment = given(self.payment)
        return BookEnrolment(
            viewer=viewer,
            candidate=self.candidate.to_ref("Candidate"),
            event=self.event.to_ref("Event"),
            module=optional_ref(self.module, "Module"),
            room=optional_ref(self.room, "Room"),
            online=self.is_online,
            on_demand_time=given(self.on_demand_booking_time),
            payment=PaymentTerms() if payment is None else payment.to_terms(),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@object_type(description="The seat that was booked, or why it was not.")
class BookEnrolmentPayload:
    enrolment: Enrolment | None = attribute(description="The booking; null with errors.")
    return_url: str | None = attribute(
        description="Payment/Confirmation/{payment reference}; null with errors."
    )
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


@input_type(description="Where an enrolment goes; at least one of the `to…` fields.")
class MoveEnrolmentInput:
    enrolment_id: strawberry.ID = attribute(description="The enrolment's global id.")
    to_event: RefInput | None = described("Another event.")
    to_room: RefInput | None = described("Another room.")
    to_on_demand_time: LocalDateTime | None = described("Another time, at an event on demand.")
    from_event_id: strawberry.ID | None = described(
        "The event that it must be at still; else STALE_BOOKING."
    )
    from_room_id: strawberry.ID | None = described(
        "The room that it must be in still; else STALE_BOOKING."
    )
    from_on_demand_time: LocalDateTime | None = described(
        "The time that it must have still; else STALE_BOOKING."
    )
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    expected_version: int | None = described("The version that it must have; else STALE_BOOKING.")
    reason: str | None = described("Why; at most 500 characters, recorded.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> MoveEnrolment:
        return MoveEnrolment(
            viewer=viewer,
            enrolment=ref_of(self.enrolment_id, "Enrolment"),
            to_event=optional_ref(self.to_event, "Event"),
            to_room=optional_ref(self.to_room, "Room"),
            to_on_demand_time=given(self.to_on_demand_time),
            from_event=optional_id(self.from_event_id, "Event"),
            from_room=optional_id(self.from_room_id, "Room"),
            from_on_demand_time=given(self.from_on_demand_time),
            overrides=given_tuple(self.overrides),
            expected_version=given(self.expected_version),
            reason=given(self.reason),
            origin=origin_of(self.origin),
        )


@object_type(description="The enrolment where it is now, or why it did not move.")
class MoveEnrolmentPayload:
    enrolment: Enrolment | None = attribute(description="The booking; null with errors.")
    changed: bool = attribute(description="False when it was there already.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


@input_type(description="The result of one enrolment.")
class AssignResultInput:
    enrolment_id: strawberry.ID = attribute(description="The enrolment's global id.")
    result: EnrolmentResult = attribute(description="Its result.")


@input_type(
    description="Results to assign or to correct.",
    command=CommandNames(each="results"),
)
class AssignResultsInput:
    results: list[AssignResultInput] = attribute(
        description="1 to 1,000 of them; an enrolment named twice counts once."
    )
    mode: BatchMode = attribute(
        default=BatchMode.ALL_OR_NOTHING, description="What becomes of the rest if one is refused."
    )
    origin: OriginInput | None = described(ORIGIN)

    def to_commands(self, viewer: Viewer) -> list[AssignResult]:
        """One for each enrolment. Raises: OutOfRange, Invalid (two results for one enrolment)."""
        different = {one.enrolment_id for one in self.results}
        checks.size(different, "results", least=1, most=checks.BATCH)
        chosen: dict[str, EnrolmentResult] = {}
        commands = []
        for position, one in enumerate(self.results):
            if chosen.setdefault(one.enrolment_id, one.result) is not one.result:
                path = (str(position), "result")
                raise Invalid(*path, rule="is not the current result of the enrolment")
            commands.append(
                AssignResult(
                    viewer=viewer,
                    enrolment=ref_of(one.enrolment_id, "Enrolment"),
                    result=one.result,
                    position=position,
                    origin=origin_of(self.origin),
                )
            )
        return list({repr(c.enrolment): c for c in reversed(commands)}.values())[::-1]


@object_type(description="The enrolments with their results, or why they have none.")
class AssignResultsPayload:
    updated: list[Enrolment] = attribute(description="Those that have their result now.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


@input_type(
    description="What became of a payment; what a provider's webhook calls.",
    command=CommandNames({"reference": "payment_reference"}),
)
class RecordPaymentInput:
    payment_reference: UUID = attribute(description="Our reference of the payment.")
    status: PaymentStatus = attribute(description="Its status now.")
    method: PaymentMethod | None = described("How it was paid.")
    provider: str | None = described("Who handles it, 1 to 50 characters.")
    provider_reference: str | None = described(
        "The provider's number of the payment, of the refund for REFUNDED; 1 to 200 characters."
    )
    duplicate_reference: str | None = described(
        "With REFUNDED: the provider's number of the duplicate payment that was refunded. The "
        "payment itself keeps its status."
    )
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RecordPayment:
        return RecordPayment(
            viewer=viewer,
            reference=self.payment_reference,
            status=self.status,
            method=given(self.method),
            provider=given(self.provider),
            provider_reference=given(self.provider_reference),
            duplicate_reference=given(self.duplicate_reference),
            origin=origin_of(self.origin),
        )


@object_type(description="The payment as it is now, or why it was not recorded.")
class RecordPaymentPayload:
    payment: Payment | None = attribute(description="The payment; null with errors.")
    booking: Booking | None = attribute(description="Its booking; null with errors.")
    changed: bool = attribute(
        description="False if the payment already had this status and no duplicate was added."
    )
    warnings: list[Warning] = attribute(description="Done, but worth knowing.")
    errors: list[BookingError] = attribute(description="Why it was not done.")


async def _enrolment(info: Info, answer: Answer) -> Enrolment | None:
    row = await written_booking(info, answer)
    return None if row is None else Enrolment(row=row)


async def _return_url(info: Info, answer: Answer) -> str | None:
    if answer.subject is None:
        return None
    if (reference := answer.fact(PAYMENT_REFERENCE)) is not None:
        return return_url_of(reference)
    # an idempotency key may keep an outcome of an earlier version, which lacks the fact
    payment = await info.context.loaders.load("payment_of_booking", answer.subject)
    return None if payment is None else return_url_of(payment.reference)


@object_type
class EnrolmentMutations:
    @strawberry.mutation(description="Book one seat for a candidate; also a resit. Needs BOOK.")
    async def book_enrolment(
        self,
        info: Info,
        input: Annotated[
            BookEnrolmentInput, strawberry.argument(description="Who, where and when.")
        ],
    ) -> BookEnrolmentPayload | None:
        answer = await ask(info, book, input)
        return BookEnrolmentPayload(
            enrolment=await _enrolment(info, answer),
            return_url=await _return_url(info, answer),
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Move an enrolment to another time, room, centre or event. Needs MOVE."
    )
    async def move_enrolment(
        self,
        info: Info,
        input: Annotated[MoveEnrolmentInput, strawberry.argument(description="What goes where.")],
    ) -> MoveEnrolmentPayload | None:
        answer = await ask(info, move, input)
        return MoveEnrolmentPayload(
            enrolment=await _enrolment(info, answer),
            changed=answer.changed,
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )

    @strawberry.mutation(
        description="Assign results, so that a resit can be booked. Needs ASSIGN_RESULT."
    )
    async def assign_results(
        self,
        info: Info,
        input: Annotated[AssignResultsInput, strawberry.argument(description="Which results.")],
    ) -> AssignResultsPayload | None:
        answers = await ask_all(info, assign_results, input)
        return AssignResultsPayload(
            updated=[Enrolment(row=row) for row in await booking_rows(info, answers)],
            errors=errors_of(answers),
        )

    @strawberry.mutation(
        description="Record what became of a payment; the same status again changes nothing. Needs "
        "RECORD_PAYMENT."
    )
    async def record_payment(
        self,
        info: Info,
        input: Annotated[RecordPaymentInput, strawberry.argument(description="Which payment.")],
    ) -> RecordPaymentPayload | None:
        answer = await ask(info, record_payments, input)
        booking = answer.fact("booking")
        loaders = info.context.loaders
        payment = None
        if answer.subject is not None:
            payment = await loaders.load("payment_by_id", answer.subject)
        row = await booking_row(info, None if booking is None else UUID(booking))
        return RecordPaymentPayload(
            payment=None if payment is None else Payment(row=payment),
            booking=None if row is None else show_booking(row),
            changed=answer.changed,
            warnings=answer.warnings,
            errors=answer.errors,
        )
