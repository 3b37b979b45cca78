"""Imports the bodies of commands: each once, known by the hash of its content."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from resolvers.bookings import loading
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import (
    AssignResult,
    BookEnrolment,
    MoveEnrolment,
    RecordPayment,
    SourceRecord,
)
from resolvers.enrolments.moving import move
from resolvers.enrolments.payments import record_payments
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, Ref, look_up
from resolvers.refusals import Invalid, Refused, attempt
from resolvers.sources.numbering import number_for
from resolvers.sources.receipts import is_received, receive
from resolvers.sources.rows import ImportContext
from resolvers.sources.steps import Names, done
from resolvers.sources.surpass_scheduler.bodies import (
    Body,
    BookBody,
    CancelBody,
    MoveBody,
    ResultBody,
)
from resolvers.sources.surpass_scheduler.payment_models import STRIPE
from resolvers.sources.surpass_scheduler.payments_known import require_new_payment
from resolvers.sources.surpass_scheduler.reference_finder import ReferenceFinder
from resolvers.sources.surpass_scheduler.words import (
    CANCELLED_THERE,
    ENROLMENT,
    EVENT,
    ROOM,
    STUDENT,
    known_as,
)
from resolvers.storage.tables import Booking, Candidate, Payment
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.times import instant_of
from resolvers.values import frozen
from resolvers.vocabulary import CancellationReason, PaymentStatus

PAYMENT: Final = "paymentModel"

OF_BOOKING: Final[Names] = {
    "candidate": ("studentId",),
    "event": ("eventId",),
    "module": ("moduleId",),
    "modules": ("moduleId",),
    "room": ("roomId",),
    "centre": ("roomId",),
    "on_demand_time": ("onDemandBookingTime",),
    "payment": (PAYMENT,),
    "amount": (PAYMENT, "cost"),
    "currency": (PAYMENT, "cost"),
    "due_by": (PAYMENT, "paymentDueBy"),
}
OF_RESULT: Final[Names] = {"enrolment": ("enrolmentId",)}
OF_MOVING: Final[Names] = {
    "enrolment": ("moveModel[Enrolment][optimeIndex]",),
    "event": ("moveModel[Enrolment][eventId]",),
    "to_event": ("moveModel[Enrolment][eventId]",),
    "to_room": ("moveModel[Enrolment][roomId]",),
    "centre": ("moveModel[Enrolment][roomId]",),
    "to_on_demand_time": ("moveModel[MoveToOnDemandDate]",),
    "from_event": ("moveModel[MoveFromEventId]",),
    "from_room": ("moveModel[MoveFromRoomId]",),
    "from_on_demand_time": ("moveModel[MoveFromOnDemandDate]",),
}
OF_CANCELLING_ONE: Final[Names] = {
    "booking": ("optimeIndex",),
    "candidates": ("studentId",),
    "message": ("cancellationMessage",),
    "cancelled_at": ("cancellationDate",),
}
OF_CANCELLING_MANY: Final[Names] = {
    "booking": ("enrolmentIds[]",),
    "candidates": ("studentIds[]",),
    "event": ("enrolment[eventId]",),
    "message": ("enrolment[cancellationMessage]",),
    "cancelled_at": ("enrolment[cancellationDate]",),
}
OF_CANCELLED: Final[Names] = {
    "booking": ("enrolmentId",),
    "candidates": ("studentId",),
    "message": ("cancellationMessage",),
    "provider_reference": ("stripeRefundId",),
}
"""Where each body has what the commands call so."""


@frozen
class ImportBody:
    """A body, or one result of a body, into an organization; known by its content's hash."""

    importing: ImportContext
    body: Body
    content: str


def import_bodies(work: UnitOfWork, commands: Sequence[ImportBody]) -> list[Outcome | Refused]:
    """Import each body; a refused one must be undone by the storage (`all_or_nothing`).

    One that was imported before changes nothing, whatever became of it since. Refusals: those of
    the command that it is for, at the body's own members.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportBody) -> Outcome:
    importing, body = command.importing, command.body
    if is_received(work, importing, command.content):
        return Outcome(importing.organization_id, changed=False)
    if isinstance(body, MoveBody) and body.dry_run:
        return _tried(work, importing, body)
    outcome = _carried_out(work, importing, body)
    receive(work, importing, command.content)
    return outcome


def _carried_out(work: UnitOfWork, importing: ImportContext, body: Body) -> Outcome:
    match body:
        case BookBody():
            return _book(work, importing, body)
        case ResultBody():
            return _assign(work, importing, body)
        case MoveBody():
            return _move(work, importing, body)
        case CancelBody():
            return _cancel(work, importing, body)


def _book(work: UnitOfWork, importing: ImportContext, body: BookBody) -> Outcome:
    """Raises: Refused, or a refusal; also for a student who is not known."""
    sight, organization_id = ReferenceFinder(work, importing, OF_BOOKING), importing.organization_id
    student = known_as(STUDENT, body.student)
    look_up(work, Candidate, [(importing.viewer, student)]).one(
        importing.viewer, student, "studentId"
    )
    require_new_payment(work, organization_id, body.payment, PAYMENT)
    room = None if body.room is None else sight.room(body.room)
    module = None if body.module is None else sight.module(body.module)
    modules = () if module is None else (module,)
    event = sight.event_for(body.event, body.on_demand_time, *modules)
    zone = sight.zone_of(None if body.online else room)
    command = BookEnrolment(
        viewer=importing.viewer,
        candidate=student,
        event=ByKey(event.id),
        module=module,
        room=None if room is None else ByKey(room.id),
        online=body.online,
        on_demand_time=body.on_demand_time,
        payment=body.payment.terms(zone, PAYMENT, "paymentDueBy"),
        imported=SourceRecord(
            number=number_for(work, organization_id, None), payment=body.payment.columns()
        ),
    )
    return done(book(work, [command]), OF_BOOKING)


def _assign(work: UnitOfWork, importing: ImportContext, body: ResultBody) -> Outcome:
    command = AssignResult(
        viewer=importing.viewer,
        enrolment=known_as(ENROLMENT, body.enrolment),
        result=body.result,
        imported=SourceRecord(),
    )
    return done(assign_results(work, [command]), OF_RESULT)


def _tried(work: UnitOfWork, importing: ImportContext, body: MoveBody) -> Outcome:
    """Move and undo it: the caller learns why it could not be moved, and nothing is written."""
    with work.trial():
        tried = _move(work, importing, body)
    return Outcome(tried.subject, changed=False)


def _move(work: UnitOfWork, importing: ImportContext, body: MoveBody) -> Outcome:
    """Raises: Refused, or a refusal."""
    sight, number = ReferenceFinder(work, importing, OF_MOVING), body.enrolment
    if body.student is not None:
        _require_owner(work, importing, number, body.student)
    event: Ref | None = None
    if body.event is not None:
        event = ByKey(sight.event_for(body.event, body.on_demand_time).id)
    command = MoveEnrolment(
        viewer=importing.viewer,
        enrolment=known_as(ENROLMENT, number),
        to_event=event,
        to_room=None if body.room is None else ByKey(sight.room(body.room).id),
        to_on_demand_time=body.on_demand_time,
        from_event=None if body.from_event is None else known_as(EVENT, body.from_event),
        from_room=None if body.from_room is None else known_as(ROOM, body.from_room),
        from_on_demand_time=body.from_on_demand_time,
        imported=SourceRecord(),
    )
    return done(move(work, [command]), OF_MOVING)


def _cancel(work: UnitOfWork, importing: ImportContext, body: CancelBody) -> Outcome:
    """Raises: Refused; one of several that cannot be cancelled keeps the others."""
    refs = tuple(known_as(ENROLMENT, number) for number in body.enrolments)
    found = look_up(work, Booking, [(importing.viewer, ref) for ref in refs])
    names = _names_of(body)
    students, message = body.students, body.message
    if body.printed and body.reason is CancellationReason.OTHER and not (message or "").strip():
        message = CANCELLED_THERE
    commands = [
        CancelBooking(
            viewer=importing.viewer,
            booking=ref,
            reason=body.reason,
            message=message,
            cancelled_at=_instant(body, found.first(importing.viewer, ref), names),
            candidates=None
            if students is None
            else tuple(known_as(STUDENT, one) for one in students),
            event=None if body.event is None else known_as(EVENT, body.event),
            together_with=refs if body.several else (),
            position=n if body.several else None,
            imported=True,
            on_behalf=body.on_behalf,
        )
        for n, ref in enumerate(refs)
    ]
    outcome = _together(cancel(work, commands), names)
    if body.refund is None:
        return outcome
    refunded = _refund(work, importing, outcome.subject, body.refund)
    return replace(outcome, changed=outcome.changed or refunded)


def _names_of(body: CancelBody) -> Names:
    if body.printed:
        return OF_CANCELLED
    return OF_CANCELLING_MANY if body.several else OF_CANCELLING_ONE


def _refund(work: UnitOfWork, importing: ImportContext, booking_id: UUID, reference: str) -> bool:
    """Record the refund of a payment that was made. Raises: Refused."""
    owner = [(importing.organization_id, booking_id)]
    paid = [
        payment
        for payment in loading.of_keys(work, Payment, "booking_id", owner)
        if payment.status is PaymentStatus.PAID
    ]
    commands = [
        RecordPayment(
            viewer=importing.viewer,
            reference=payment.reference,
            status=PaymentStatus.REFUNDED,
            provider=STRIPE,
            provider_reference=reference,
        )
        for payment in paid
    ]
    return bool(commands) and done(record_payments(work, commands), OF_CANCELLED).changed


def _together(results: list[Outcome | Refused], names: Names) -> Outcome:
    """The outcome of several cancellations: changed, if any of them changed anything."""
    first = done(results, names)
    changed = any(isinstance(result, Outcome) and result.changed for result in results)
    return Outcome(first.subject, changed=changed)


def _instant(body: CancelBody, booking: Booking | None, names: Names) -> datetime | None:
    """When it was cancelled, by the clock that the booking goes by. Raises: NonexistentTime."""
    if body.cancelled_at is None or booking is None:
        return None
    return instant_of(body.cancelled_at, booking.time_zone, *names["cancelled_at"])


def _require_owner(
    work: UnitOfWork, importing: ImportContext, enrolment: int, student: int
) -> None:
    """Raises: Invalid, NotFoundRefusal."""
    viewer, names = importing.viewer, OF_MOVING["enrolment"]
    booking_ref, student_ref = known_as(ENROLMENT, enrolment), known_as(STUDENT, student)
    at = ("moveModel[Enrolment][studentId]",)
    bookings = look_up(work, Booking, [(viewer, booking_ref)])
    candidates = look_up(work, Candidate, [(viewer, student_ref)])
    booking = bookings.one(viewer, booking_ref, *names)
    candidate = candidates.one(viewer, student_ref, *at)
    if booking.candidate_id != candidate.id:
        raise Invalid(*at, rule="is not the student of the enrolment")
