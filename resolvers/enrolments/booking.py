"""Books seats: a batch, in the order lock, load, check, write, record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from resolvers.bookings.overrides import check_overrides
from resolvers.bookings.payment_rules import (
    check_terms,
    due_by_start,
    must_be_paid_first,
    payment_for,
)
from resolvers.bookings.preloaded import BookingRefs, PreloadedBatch
from resolvers.bookings.seating import SeatRequest, check_seat
from resolvers.bookings.sittings import Sitting, ambiguous_time, sitting_of, when
from resolvers.changes import Cause, record_booking
from resolvers.enrolments import rules
from resolvers.enrolments.attempts import Attempts, schedules_with_results
from resolvers.enrolments.commands import BookEnrolment, SourceRecord
from resolvers.enrolments.facts import enrolment_facts
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.refusals import (
    Refused,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Booking, Candidate, Enrolment, Event, Payment, Room
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import (
    BookingKind,
    BookingStatus,
    ChangeType,
    DeliveryMode,
    Permission,
    WarningCode,
)

NUMBERS = "enrolment"
"""The number series for references of enrolments."""

PAYMENT_REFERENCE = "paymentReference"
"""The outcome's fact with our reference of the payment."""

DUE_AT_START = Warning(
    WarningCode.PAYMENT_DUE_AT_START,
    "The payment is due by the start of the event.",
    ("payment", "due_by"),
)


@dataclass(slots=True)
class PendingEnrolment:
    """A seat that was given in this batch, before it is written."""

    booking: Booking
    enrolment: Enrolment
    payment: Payment
    cause: Cause
    number: int | None
    warnings: list[Warning] = field(default_factory=list)

    def outcome(self, preloaded: PreloadedBatch) -> Outcome:
        return Outcome(
            self.booking.id,
            created=True,
            warnings=tuple(self.warnings),
            facts={PAYMENT_REFERENCE: str(self.payment.reference)},
            row=self.booking,
            related={
                **preloaded.related(self.booking),
                Enrolment: self.enrolment,
                Payment: self.payment,
            },
        )


@requires(Permission.BOOK)
def book(work: UnitOfWork, commands: Sequence[BookEnrolment]) -> list[Outcome | Refused]:
    """Give each candidate a seat; the outcomes are in the order of the commands.

    A refusal leaves no trace of its command and does not touch the others. Refusals:
    PermissionRefusal, NotFoundRefusal, EventNotFound, AmbiguousReference, Invalid, Required,
    OnDemandTimeRequired, OnDemandTimeNotAllowed, OutOfRange; DuplicateBooking, ResitResultRequired,
    AttemptsExhausted, ResitAfterPassDisabled, ResitTooEarly, RegistrationClosed, NotEligible,
    PersonCodeRequired; EventFull, RoomFull; CandidateTimeConflict.
    """
    wanted = [_wanted(command) for command in commands]
    preloaded = PreloadedBatch(
        work, wanted, at_event_times=True, read_candidate_schedules=schedules_with_results
    )
    attempts = Attempts(work, preloaded, preloaded.entries)
    results = [attempt(_book, work, preloaded, attempts, command) for command in commands]
    _write(work, [result for result in results if isinstance(result, PendingEnrolment)])
    return [
        result.outcome(preloaded) if isinstance(result, PendingEnrolment) else result
        for result in results
    ]


def _wanted(command: BookEnrolment) -> BookingRefs:
    past_time = None if command.imported is None else command.on_demand_time
    named = command.candidate, command.event, command.room, command.module
    return BookingRefs(command.viewer, *named, past_time=past_time)


def _book(
    work: UnitOfWork, preloaded: PreloadedBatch, attempts: Attempts, command: BookEnrolment
) -> PendingEnrolment:
    viewer, stage = command.viewer, ValidationErrors()
    imported = command.imported
    overrides = check_overrides(command.viewer, command.overrides, stage)
    candidate = stage.of(preloaded.candidate, viewer, command.candidate, "candidate")
    event = stage.of(preloaded.event, viewer, command.event, Permission.BOOK, "event")
    room = stage.of(preloaded.room, viewer, command.room, event, "room")
    module = stage.of(preloaded.module, viewer, command.module, "module")
    currency = preloaded.settings[viewer.organization_id].currency
    check_terms(command.payment, currency, work.now, stage, past=imported is not None)
    if event is None:
        raise Refused(stage.refusals)
    module_id = None
    if command.module is None or module is not None:
        modules = preloaded.modules_of(event)
        module_id = stage.of(rules.choose_module, event, modules, module, "module")
    if command.room is None or room is not None:
        own = None if event.room_id is None else preloaded.rooms[event.room_id]
        room = stage.of(rules.choose_room, event, room, online=command.online, own=own)
    sitting = stage.of(
        sitting_of,
        event,
        command.on_demand_time,
        time_zone=preloaded.zone(event, room, online=command.online),
        now=work.now,
        may_be_past=imported is not None,
    )
    stage.settle()
    assert candidate is not None
    assert sitting is not None
    draft = _draft(work, preloaded, command, candidate, event, room, module_id, sitting)
    warnings = check_seat(
        preloaded,
        SeatRequest(
            draft.booking,
            candidate,
            event,
            room,
            module_id,
            imported=imported is not None,
        ),
        overrides,
        work.now,
        own_rules=attempts.rules(draft.booking, event),
    )
    if sitting.ambiguous:
        warnings.append(ambiguous_time("on_demand_time"))
    if imported is None and draft.payment.due_by != (
        command.payment.due_by or draft.payment.due_by
    ):
        warnings.append(DUE_AT_START)
    draft.warnings = warnings
    draft.cause = Cause(viewer, command.origin, None, tuple(overrides.used), tuple(warnings))
    preloaded.seats.take(draft.booking)
    preloaded.candidate_schedules.write(draft.booking)
    return draft


def _draft(
    work: UnitOfWork,
    preloaded: PreloadedBatch,
    command: BookEnrolment,
    candidate: Candidate,
    event: Event,
    room: Room | None,
    module_id: UUID | None,
    sitting: Sitting,
) -> PendingEnrolment:
    """The rows of a seat as they will be written if all rules accept them."""
    key, imported = new_key(), command.imported
    settings = preloaded.settings[event.organization_id]
    cause = Cause(command.viewer, command.origin)
    payment = payment_for(key, command.payment, settings, now=work.now)
    if imported is not None:
        payment = changed(payment, **imported.payment)
    payment = due_by_start(payment, sitting.start_at)
    status = _status(payment, imported, work.now)
    test = preloaded.test_of(event)
    booking = new_row(
        Booking,
        organization_id=event.organization_id,
        id=key,
        kind=BookingKind.ENROLMENT,
        reference="",  # assigned when the row is written
        status=status,
        candidate_id=candidate.id,
        centre_id=event.venue_id if room is None else room.centre_id,
        room_id=None if room is None else room.id,
        event_id=event.id,
        test_id=event.test_id,
        subject_id=None if test is None else test.subject_id,
        lapses_at=payment.due_by if status is BookingStatus.PENDING else None,
        created_at=work.now,
        updated_at=work.now,
        **cause.as_columns("created_by"),
        **when(sitting),
        **({} if imported is None else imported.cancellation),
    )
    earlier = rules.attempts(preloaded.candidate_schedules.of(candidate.id), event)
    number = None if imported is None else imported.attempt_number
    enrolment = new_row(
        Enrolment,
        organization_id=event.organization_id,
        id=key,
        module_id=module_id,
        on_demand=event.on_demand,
        delivery=DeliveryMode.ONLINE if command.online else DeliveryMode.IN_PERSON,
        attempt_number=number or 1 + len(earlier),
        previous_attempt_id=earlier[-1].id if earlier else None,
        result=None if imported is None else imported.result,
        **({} if imported is None else imported.details),
    )
    return PendingEnrolment(
        booking, enrolment, payment, cause, None if imported is None else imported.number
    )


def _status(payment: Payment, imported: SourceRecord | None, now: datetime) -> BookingStatus:
    """PENDING if the candidate must pay first, else CONFIRMED; an import has its own status.

    An imported seat does not expire here, even if its payment is overdue.
    """
    unpaid = must_be_paid_first(payment)
    if imported is not None:
        if imported.status is not BookingStatus.CONFIRMED:
            return imported.status
        unpaid = unpaid and (payment.due_by is None or payment.due_by >= now)
    return BookingStatus.PENDING if unpaid else BookingStatus.CONFIRMED


def _write(work: UnitOfWork, booked: list[PendingEnrolment]) -> None:
    unnumbered: dict[UUID, list[PendingEnrolment]] = {}
    for one in booked:
        if one.number is None:
            unnumbered.setdefault(one.booking.organization_id, []).append(one)
    for organization_id, ones in unnumbered.items():
        numbers = work.numbers(organization_id, NUMBERS, len(ones))
        for one, number in zip(ones, numbers, strict=True):
            one.number = number
    for one in booked:
        one.booking = changed(one.booking, reference=f"ENR-{one.number}")
    work.insert(Booking, [one.booking for one in booked])
    work.insert(Enrolment, [one.enrolment for one in booked])
    work.insert(Payment, [one.payment for one in booked])
    for one in booked:
        record_booking(
            work,
            ChangeType.CREATED,
            one.cause,
            before=None,
            after=one.booking,
            facts_before=None,
            facts_after=enrolment_facts(one.booking, one.enrolment, one.payment),
        )
