"""The enrolments of the demo, day by day: booked, paid, moved, cancelled and completed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast
from uuid import UUID

from demo.plan import BookingOutcome, Plan, PlannedBooking, Sitting
from demo.storage import carry_out
from resolvers.bookings.payment_rules import PaymentTerms
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import AssignResult, BookEnrolment, MoveEnrolment, RecordPayment
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.events.commands import CreateEvent
from resolvers.events.creating import create_events
from resolvers.every_kind.accommodations import GrantAccommodation, grant
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.every_kind.expiry import ExpireDue, expire_due
from resolvers.external_ids import ExternalIds
from resolvers.outcomes import Outcome
from resolvers.references import NAMES, ByExternalId, ByKey, ByReference
from resolvers.refusals import Refused
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.batches import Run
from resolvers.storage.tables import Event
from resolvers.times import wall_time_of
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    AccommodationScope,
    CancellationReason,
    EnrolmentResult,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
    SourceSystem,
)

MESSAGES: Final = ("Has moved abroad", "Was given a place at another centre", "Visa was refused")
CLOSED: Final = "The building is closed for repairs"
TIME_TO_PAY: Final = timedelta(days=2)
MOVES: Final = 8
ACCOMMODATED: Final = 15
"""One booking in this many has an accommodation."""

ACCOMMODATIONS: Final[Sequence[dict[str, Any]]] = (
    {"type": "extra-test-time", "extra_time_percentage": 25, "reason": "Dyslexia"},
    {
        "type": "rest-breaks",
        "time_extension_minutes": 15,
        "scope": AccommodationScope.BREAK_TIME,
        "reason": "Type 1 diabetes",
    },
    {"type": "reader", "scope": AccommodationScope.OTHER, "reason": "Visual impairment"},
)
RESULTS: Final = {
    BookingOutcome.PASSED: EnrolmentResult.PASS,
    BookingOutcome.FAILED: EnrolmentResult.FAIL,
}


class DemoEnrolments:
    """Carries out the plan day by day."""

    def __init__(self, storage: Storage, viewer: Viewer, plan: Plan) -> None:
        self._storage, self._viewer, self._plan = storage, viewer, plan
        self._bookings: dict[int, UUID] = {}

    async def make_events(self) -> None:
        """Create all events on the first day."""
        commands = [(self._event(s), event_ref(s)) for s in self._plan.sittings]
        await self._do(create_known_events, commands)

    async def run_day(self, day: int) -> None:
        """Carry out one day of the plan. On the last day, today, some bookings move."""
        await self._do(cast(Run, expire_due), [ExpireDue()])
        await self._book([c for c in self._plan.claims if c.day == day])
        await self._end([c for c in self._plan.claims if c.ends_on == day])
        if day == -1:
            await self._cancel_events()
        if day == 0:
            await self._move()

    async def _book(self, claims: Sequence[PlannedBooking]) -> None:
        outcomes = await self._do(book, [self._booking(claim) for claim in claims])
        for claim, outcome in zip(claims, outcomes, strict=True):
            self._bookings[claim.number] = outcome.subject
        await self._do(grant, [self._accommodation(c) for c in claims if accommodated(c)])
        paid = [c for c in claims if paid_by_candidate(c) and c.fate not in UNPAID]
        failed = [self._payment(c, PaymentStatus.FAILED) for c in paid if c.number % 11 == 0]
        retried = [self._payment(c, PaymentStatus.PENDING) for c in paid if c.number % 11 == 0]
        await self._do(record_payments, failed)
        await self._do(record_payments, retried)
        waived = PaymentStatus.WAIVED
        await self._do(
            record_payments,
            [self._payment(c, waived if c.number % 17 == 0 else PaymentStatus.PAID) for c in paid],
        )

    async def _end(self, claims: Sequence[PlannedBooking]) -> None:
        await self._do(cancel, [self._cancellation(c) for c in claims if c.fate not in RESULTS])
        await self._do(
            assign_results,
            [
                AssignResult(viewer=self._viewer, enrolment=self._ref(c), result=RESULTS[c.fate])
                for c in claims
                if c.fate in RESULTS
            ],
        )
        refunded = [
            c
            for c in claims
            if c.fate is BookingOutcome.CANCELLED and paid_by_candidate(c) and c.number % 17 != 0
        ]
        await self._do(
            record_payments, [self._payment(c, PaymentStatus.REFUNDED) for c in refunded]
        )

    async def _cancel_events(self) -> None:
        commands = [
            CancelEvent(viewer=self._viewer, event=event_ref(sitting), reason=CLOSED)
            for sitting in self._plan.sittings
            if sitting.cancelled
        ]
        await self._do(cancel_events, commands)

    async def _move(self) -> None:
        """Move some on-demand bookings by an hour."""
        today = self._storage.clock() + timedelta(days=1)
        ahead = [
            c
            for c in self._plan.claims
            if c.sitting.start_at is None and c.fate is BookingOutcome.BOOKED and c.start_at > today
        ]
        commands = [
            MoveEnrolment(
                viewer=self._viewer,
                enrolment=self._ref(claim),
                to_on_demand_time=_own_time(claim) + timedelta(hours=1),
                reason="The candidate asked for a later time",
            )
            for claim in ahead[:MOVES]
        ]
        await self._do(move, commands)

    async def _do(self, run: Run, commands: Sequence[Any]) -> list[Outcome]:
        return await carry_out(self._storage, run, commands)

    def _ref(self, claim: PlannedBooking) -> ByKey:
        return ByKey(self._bookings[claim.number])

    def _event(self, sitting: Sitting) -> CreateEvent:
        values: dict[str, Any] = {
            "title": sitting.title,
            "test": ByReference(sitting.paper.reference),
            "capacity_maximum": sitting.capacity,
            "capacity_minimum": 4,
            "invigilator_minimum": 1,
            "start_at": sitting.start_at,
            "on_demand": sitting.start_at is None,
            "exam_type": sitting.paper.name,
        }
        if sitting.place is not None:
            values["centre"] = ByReference(sitting.place.reference)
            values["room"] = ByReference(sitting.room or "")
        return CreateEvent(self._viewer, values)

    def _booking(self, claim: PlannedBooking) -> BookEnrolment:
        on_demand = claim.sitting.start_at is None
        return BookEnrolment(
            viewer=self._viewer,
            candidate=ByReference(candidate_reference(claim.candidate)),
            event=event_ref(claim.sitting),
            online=claim.sitting.place is None,
            on_demand_time=_own_time(claim) if on_demand else None,
            payment=self._terms(claim),
        )

    def _terms(self, claim: PlannedBooking) -> PaymentTerms:
        """Candidates pay by card; organizations get an invoice."""
        by_candidate = paid_by_candidate(claim)
        waits = claim.fate is BookingOutcome.PENDING_PAYMENT
        return PaymentTerms(
            method=PaymentMethod.CARD if by_candidate else PaymentMethod.INVOICE,
            responsibility=PaymentResponsibility.CANDIDATE
            if by_candidate
            else PaymentResponsibility.ORGANIZATION,
            amount=Decimal(claim.sitting.paper.cost),
            due_by=self._storage.clock() + TIME_TO_PAY if waits else None,
            purchase_order=None if by_candidate else f"PO-{7000 + claim.number}",
            reference=claim.payment,
        )

    def _payment(self, claim: PlannedBooking, status: PaymentStatus) -> RecordPayment:
        waived = status is PaymentStatus.WAIVED
        refunded = status is PaymentStatus.REFUNDED
        return RecordPayment(
            viewer=self._viewer,
            reference=claim.payment,
            status=status,
            provider=None if waived else "demo-pay",
            provider_reference=None
            if waived
            else f"{'refund' if refunded else 'charge'}-{claim.number:04}",
        )

    def _accommodation(self, claim: PlannedBooking) -> GrantAccommodation:
        terms = ACCOMMODATIONS[claim.number // ACCOMMODATED % len(ACCOMMODATIONS)]
        return GrantAccommodation(viewer=self._viewer, booking=self._ref(claim), **terms)

    def _cancellation(self, claim: PlannedBooking) -> CancelBooking:
        reason = claim.reason or CancellationReason.ABSENT
        other = reason is CancellationReason.OTHER
        return CancelBooking(
            viewer=self._viewer,
            booking=self._ref(claim),
            reason=reason,
            message=MESSAGES[claim.number % len(MESSAGES)] if other else None,
        )


UNPAID: Final = frozenset({BookingOutcome.PENDING_PAYMENT, BookingOutcome.EXPIRED})


def paid_by_candidate(claim: PlannedBooking) -> bool:
    """Two in three candidates pay for themselves, and so do those with a pending payment."""
    return claim.fate in UNPAID or claim.number % 3 > 0


def accommodated(claim: PlannedBooking) -> bool:
    return claim.number % ACCOMMODATED == 0


def candidate_reference(candidate: int) -> str:
    return f"demo-candidate-{candidate + 1}"


def event_ref(sitting: Sitting) -> ByExternalId:
    return ByExternalId(SourceSystem.GATEWAY, "event", sitting.reference)


def create_known_events(
    work: UnitOfWork, commands: Sequence[tuple[CreateEvent, ByExternalId]]
) -> list[Outcome | Refused]:
    """Create events with external ids.

    Refusals: as `create_events`. The ids must be new.
    """
    outcomes = create_events(work, [command for command, _ in commands])
    ids = ExternalIds()
    for (command, known), outcome in zip(commands, outcomes, strict=True):
        if isinstance(outcome, Outcome):
            owner = (command.viewer.organization_id, outcome.subject)
            ids.claim(NAMES[Event][0], owner, [known])
    ids.save(work)
    return outcomes


def _own_time(claim: PlannedBooking) -> datetime:
    return wall_time_of(claim.start_at, claim.sitting.time_zone)
