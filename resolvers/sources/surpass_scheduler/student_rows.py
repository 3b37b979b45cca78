"""Imports a student: the candidate, and the booking if there is one, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from resolvers.bookings import loading
from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import AssignResult, BookEnrolment, SourceRecord
from resolvers.enrolments.results import assign_results
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.outcomes import Outcome
from resolvers.references import NAMES, ByKey, ByReference, look_up
from resolvers.refusals import AlreadyExists, Invalid, Refused, Required, attempt
from resolvers.sources.claims import external_ids_of
from resolvers.sources.numbering import number_for
from resolvers.sources.rows import ImportContext
from resolvers.sources.steps import Names, done
from resolvers.sources.surpass_scheduler.payments_known import require_new_payment
from resolvers.sources.surpass_scheduler.reference_finder import ReferenceFinder
from resolvers.sources.surpass_scheduler.students import EnrolmentDetails, Student
from resolvers.sources.surpass_scheduler.words import (
    CANCELLED_THERE,
    ENROLMENT,
    ON_DEMAND_BOOKING,
    STUDENT,
    known_as,
)
from resolvers.storage.tables import Booking, Candidate, Event, Room
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.times import instant_of
from resolvers.values import frozen
from resolvers.vocabulary import BookingStatus, CancellationReason

DETAILS: Final = "enrolmentDetails"
PAYMENT: Final = (DETAILS, "paymentModel")

MEMBERS: Final[Names] = {
    "reference": ("id",),
    "first_names": ("forename",),
    "last_name": ("surname",),
    "image_url": ("image",),
    "external_ids": ("optimeIndex",),
    "department_ids": ("departmentIds",),
    "name": ("departmentIds",),
    "event": ("eventId",),
    "room": ("roomId",),
    "centre": ("roomId",),
    "on_demand_time": ("bookedDate",),
    "start_at": ("bookedDate",),
    "payment": PAYMENT,
    "amount": (*PAYMENT, "cost"),
    "currency": (*PAYMENT, "cost"),
    "due_by": (*PAYMENT, "paymentDueBy"),
}
"""Where a student has what the commands call so."""


@frozen
class ImportStudent:
    """A student of the students' query, into an organization."""

    importing: ImportContext
    student: Student


def import_students(work: UnitOfWork, commands: Sequence[ImportStudent]) -> list[Outcome | Refused]:
    """Import each student; a refused one must be undone by the storage (`all_or_nothing`).

    The candidate is known by the source's number, else by the reference, and is made or brought up
    to date. A booking is made once. One that is known only goes forward: from booked to its result
    or to cancelled; whatever else became of it since comes as a body.
    Refusals: those of the commands that it takes; AlreadyExists, Invalid and Required where the row
    contradicts what is known.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportStudent) -> Outcome:
    importing, student = command.importing, command.student
    first_sight = ReferenceFinder(work, importing, MEMBERS)
    candidate = _candidate(work, importing, first_sight, student)
    if student.enrolment is None:
        return candidate
    row = _StudentBooking(work, importing, first_sight, candidate.subject, student.enrolment)
    enrolment = row.carry_out()
    changed = enrolment.changed or candidate.changed
    return Outcome(enrolment.subject, created=enrolment.created, changed=changed)


def _candidate(
    work: UnitOfWork, importing: ImportContext, first_sight: ReferenceFinder, student: Student
) -> Outcome:
    """Raises: Refused."""
    organization_id, number = importing.organization_id, known_as(STUDENT, student.number)
    refs = (number, ByReference(student.reference))
    lookup = look_up(work, Candidate, [(importing.viewer, ref) for ref in refs])
    known, named = (lookup.first(importing.viewer, ref) for ref in refs)
    if known is not None and (named is None or known.id != named.id):
        raise AlreadyExists("optimeIndex", conflicting=[known.id])
    departments = student.departments
    command = UpsertCandidate(
        viewer=importing.viewer,
        reference=student.reference,
        first_names=student.forename,
        last_name=student.surname,
        image_url=student.image,
        department_ids=None
        if departments is None
        else tuple(first_sight.department(one) for one in departments),
        external_ids=(*external_ids_of(work, organization_id, named), number),
    )
    return done(upsert_candidates(work, [command]), MEMBERS)


class _StudentBooking:
    """One booking of a candidate's, on its way in."""

    def __init__(
        self,
        work: UnitOfWork,
        importing: ImportContext,
        first_sight: ReferenceFinder,
        candidate_id: UUID,
        details: EnrolmentDetails,
    ) -> None:
        self._work, self._importing, self._first_sight = work, importing, first_sight
        self._candidate_id, self._details = candidate_id, details
        self._organization_id = importing.organization_id

    def carry_out(self) -> Outcome:
        """Raises: Refused, or a refusal."""
        number = known_as(ENROLMENT, self._details.number)
        viewer = self._importing.viewer
        booking = look_up(self._work, Booking, [(viewer, number)]).first(viewer, number)
        if booking is not None:
            if booking.candidate_id != self._candidate_id:
                rule = "is another student's enrolment"
                raise Invalid(DETAILS, "optimeIndex", rule=rule)
            return self._forward(booking)
        room = self._room()
        event = self._event(room)
        booking = self._unnumbered(event)
        if booking is None:
            return self._book(event, room)
        self._claim(booking.id)
        return Outcome(self._forward(booking).subject)

    def _room(self) -> Room | None:
        number = self._details.room
        return None if number is None else self._first_sight.room(number)

    def _event(self, room: Room | None) -> Event:
        """Raises: Invalid, where the row and the event differ about the time; NonexistentTime."""
        details, sight = self._details, self._first_sight
        if details.on_demand_booking is not None:
            event = sight.event_on_demand(details.event)
            if not event.on_demand:
                rule = "must be null, since the event has its own time"
                raise Invalid(DETAILS, "onDemandBookingId", rule=rule)
            return event
        start_at = instant_of(details.booked_date, sight.zone_of(room), "bookedDate")
        event = sight.event_at(details.event, start_at, room)
        if event.on_demand:
            raise Required(DETAILS, "onDemandBookingId")
        if event.start_at != start_at:
            raise Invalid("bookedDate", rule=f"is not the event's time, {event.local_start}")
        return event

    def _unnumbered(self, event: Event) -> Booking | None:
        """The booking that is meant, if it came here as a body, which has no number yet."""
        owner = [(self._organization_id, self._candidate_id)]
        for booking in loading.of_keys(self._work, Booking, "candidate_id", owner):
            here = booking.event_id == event.id and booking.status in SEATED
            if here and booking.local_start == self._details.booked_date:
                ids = external_ids_of(self._work, self._organization_id, booking)
                if all(one.kind != ENROLMENT for one in ids):
                    return booking  # type: ignore[no-any-return]
        return None

    def _book(self, event: Event, room: Room | None) -> Outcome:
        details = self._details
        require_new_payment(self._work, self._organization_id, details.payment, *PAYMENT)
        zone = self._first_sight.zone_of(room)
        command = BookEnrolment(
            viewer=self._importing.viewer,
            candidate=ByKey(self._candidate_id),
            event=ByKey(event.id),
            room=None if room is None else ByKey(room.id),
            online=room is None,
            on_demand_time=details.booked_date if event.on_demand else None,
            payment=details.payment.terms(zone, *PAYMENT, "paymentDueBy"),
            imported=self._happened(),
        )
        made = done(book(self._work, [command]), MEMBERS)
        self._claim(made.subject)
        return made

    def _happened(self) -> SourceRecord:
        details = self._details
        return SourceRecord(
            number=number_for(self._work, self._organization_id, details.number),
            status=_status(details),
            result=details.result,
            attempt_number=details.attempt,
            details=details.texts,
            cancellation=_cancellation(details, self._importing, self._work.now),
            payment=details.payment.columns(),
        )

    def _claim(self, key: UUID) -> None:
        """Raises: Refused (AlreadyExists), for the number of an on-demand booking."""
        number = known_as(ENROLMENT, self._details.number)
        self._first_sight.claim(NAMES[Booking][0], key, number)
        if (other := self._details.on_demand_booking) is not None:
            given = known_as(ON_DEMAND_BOOKING, other)
            try:
                self._first_sight.claim(NAMES[Booking][0], key, given)
            except Refused:
                raise AlreadyExists(DETAILS, "onDemandBookingId") from None

    def _forward(self, booking: Booking) -> Outcome:
        """A booking that is live here and over there is over here too."""
        details, status = self._details, _status(self._details)
        viewer, ref = self._importing.viewer, ByKey(booking.id)
        if booking.status not in SEATED or status is BookingStatus.CONFIRMED:
            return Outcome(booking.id, changed=False)
        if status is BookingStatus.CANCELLED:
            cancelling = CancelBooking(
                viewer=viewer,
                booking=ref,
                reason=CancellationReason.OTHER,
                message=CANCELLED_THERE,
                imported=True,
            )
            return done(cancel(self._work, [cancelling]), MEMBERS)
        if details.result is None:
            return Outcome(booking.id, changed=False)
        result = AssignResult(
            viewer=viewer, enrolment=ref, result=details.result, imported=SourceRecord()
        )
        return done(assign_results(self._work, [result]), MEMBERS)


def _status(details: EnrolmentDetails) -> BookingStatus:
    """What the source says; an enrolment that has its result is completed."""
    if details.status is BookingStatus.CONFIRMED and details.result is not None:
        return BookingStatus.COMPLETED
    return details.status


def _cancellation(
    details: EnrolmentDetails, importing: ImportContext, now: datetime
) -> dict[str, Any]:
    """The columns of a cancellation; the source has its status only."""
    if details.status is not BookingStatus.CANCELLED:
        return {}
    return {
        "cancel_reason": CancellationReason.OTHER,
        "cancel_message": CANCELLED_THERE,
        "cancelled_at": now,
        "cancelled_by_name": importing.viewer.name,
        "cancelled_on_behalf": True,
    }
