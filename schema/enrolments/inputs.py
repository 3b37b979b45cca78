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
    command=CommandNames({"online": "delivery_mode", "on_demand_time": "on_demand_booking_time"}),
)
class BookEnrolmentInput:
    candidate: RefInput = attribute(description="Who sits.")
    event: RefInput = attribute(description="At which event.")
    module: RefInput | None = described(
        "In which of the event's modules; required where there are several to be eligible for."
    )
    room: RefInput | None = described("In which room at the centre; the event's own unless given.")
    delivery_mode: DeliveryMode = attribute(
        default=DeliveryMode.IN_PERSON, description="In person, or online without a room."
    )
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
            online=self.delivery_mode is DeliveryMode.ONLINE,
            on_demand_time=given(self.on_demand_booking_time),
            payment=PaymentTerms() if payment is None else payment.to_terms(),
            overrides=given_tuple(self.overrides),
            origin=origin_of(self.origin),
        )


@input_type(
    description="Where an enrolment goes; at least one of the `to…` fields.",
    command=CommandNames({"reason": "message"}),
)
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
    message: str | None = described("Why; at most 500 characters, recorded.")
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
