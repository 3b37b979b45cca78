"""Inputs of the mutations of enrolments."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from resolvers import checks
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.commands import AssignResult, BookEnrolment, MoveEnrolment, RecordPayment
from resolvers.refusals import Invalid
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    BatchMode,
    DeliveryMode,
    EnrolmentResult,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
    RuleOverride,
)
from schema.grammar.declaring import CommandNames, input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    IDEMPOTENCY_KEY,
    ORIGIN,
    OVERRIDES,
    OriginInput,
    given,
    given_tuple,
    origin_of,
)
from schema.grammar.references import RefInput, optional_id, optional_ref, ref_of
from schema.grammar.scalars import CurrencyCode, LocalDateTime


@input_type(description="An amount of money to charge.")
class MoneyInput:
    amount: Decimal = attribute(description='Exact amount, 0 or more, e.g. "129.50".')
    currency: CurrencyCode = attribute(description="Currency of the amount.")


@input_type(
    description="Cost of a booking, who pays, and by when.",
    command=CommandNames({"amount": "cost.amount", "currency": "cost.currency"}),
)
class PaymentInput:
    method: PaymentMethod | None = described("How the booking is paid for.")
    responsibility: PaymentResponsibility | None = described(
        "Who pays. Defaults to the candidate if there is a cost, otherwise to the organization."
    )
    cost: MoneyInput | None = described("Amount to pay. Without it, the booking is free of charge.")
    due_by: datetime | None = described(
        "Time by which the candidate must pay. Defaults to now plus `paymentDueHours` of "
        "the settings. A time after the start is limited to the start, with the warning "
        "PAYMENT_DUE_AT_START."
    )
    purchase_order: str | None = described(
        "Number of the payer's purchase order, 1 to 50 characters."
    )

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
    description="The seat to book: who takes which test, where and when.",
    command=CommandNames({"online": "delivery_mode", "on_demand_time": "on_demand_booking_time"}),
)
class BookEnrolmentInput:
    candidate: RefInput = attribute(description="The candidate who takes the test.")
    event: RefInput = attribute(description="The event to book a seat at.")
    module: RefInput | None = described(
        "The module of the event to book. Required if the candidate is eligible for several."
    )
    room: RefInput | None = described("A room at the centre. Defaults to the room of the event.")
    delivery_mode: DeliveryMode = attribute(
        default=DeliveryMode.IN_PERSON, description="In person, or online without a room."
    )
    on_demand_booking_time: LocalDateTime | None = described(
        "Start of the booking at an on-demand event, in the centre's local time (for "
        "online enrolments, the organization's)."
    )
    payment: PaymentInput | None = described(
        "Cost of the enrolment. Without it, the enrolment is free of charge."
    )
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
            online=self.delivery_mode is DeliveryMode.ONLINE,
            on_demand_time=given(self.on_demand_booking_time),
            payment=PaymentTerms() if payment is None else payment.to_terms(),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@input_type(
    description="The new event, room or time of an enrolment. Give at least one of the "
    "`to…` fields.",
    command=CommandNames({"reason": "message"}),
)
class MoveEnrolmentInput:
    enrolment_id: strawberry.ID = attribute(description="Global id of the enrolment to move.")
    to_event: RefInput | None = described("The event to move to.")
    to_room: RefInput | None = described("The new room.")
    to_on_demand_time: LocalDateTime | None = described("The new time, at an on-demand event.")
    from_event_id: strawberry.ID | None = described(
        "Optional check: the enrolment must still be at this event; otherwise STALE_BOOKING."
    )
    from_room_id: strawberry.ID | None = described(
        "Optional check: the enrolment must still be in this room; otherwise STALE_BOOKING."
    )
    from_on_demand_time: LocalDateTime | None = described(
        "Optional check: the enrolment must still have this time; otherwise STALE_BOOKING."
    )
    overrides: list[RuleOverride] | None = described(OVERRIDES)
    expected_version: int | None = described(
        "The `version` that you read. If the enrolment has changed since then, nothing is "
        "written and the error is STALE_BOOKING."
    )
    message: str | None = described(
        "Why the enrolment is moved, at most 500 characters. Stored in the history."
    )
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
            reason=given(self.message),
            origin=origin_of(self.origin),
        )


@input_type(description="The result of one enrolment.")
class AssignResultInput:
    enrolment_id: strawberry.ID = attribute(description="Global id of the enrolment.")
    result: EnrolmentResult = attribute(description="Result to assign.")


@input_type(
    description="Results to assign or correct.",
    command=CommandNames(each="results"),
)
class AssignResultsInput:
    results: list[AssignResultInput] = attribute(
        description="The results, 1 to 1,000. Repeated enrolments count once."
    )
    mode: BatchMode = attribute(
        default=BatchMode.ALL_OR_NOTHING,
        description="Whether the other results are assigned if one of them cannot be.",
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_commands(self, viewer: Viewer) -> list[AssignResult]:
        """Return a command for each enrolment. Raises: OutOfRange, Invalid (two results for one
        enrolment).
        """
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


@input_type(
    description="The new status of a payment. Call it from the webhook of your payment provider.",
    command=CommandNames({"reference": "payment_reference"}),
)
class RecordPaymentInput:
    payment_reference: UUID = attribute(
        description="Our reference of the payment, as `Payment.reference` returns it."
    )
    status: PaymentStatus = attribute(description="New status of the payment.")
    method: PaymentMethod | None = described("How the payment was made.")
    provider: str | None = described("Name of the payment provider, 1 to 50 characters.")
    provider_reference: str | None = described(
        "The provider's reference of the payment, or of the refund if `status` is "
        "REFUNDED; 1 to 200 characters."
    )
    duplicate_reference: str | None = described(
        "The provider's reference of a duplicate payment that was refunded, with the "
        "status REFUNDED. The first payment keeps its status."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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
