"""Assigns results, so that a resit can be booked `[000]`."""

from collections.abc import Sequence

from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import find
from resolvers.bookings.expiry import lock_current
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.enrolments.commands import AssignResult
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.transitions import TRANSITIONS
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import look_up
from resolvers.refusals import Refused, ValidationErrors, attempt
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Enrolment, Organization
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingKind, BookingStatus, ChangeType, Permission


@requires(Permission.ASSIGN_RESULT)
def assign_results(work: UnitOfWork, commands: Sequence[AssignResult]) -> list[Outcome | Refused]:
    """Give each enrolment its result. An enrolment that already has the result does not change.

    Refusals: PermissionRefusal, NotFoundRefusal, Invalid; IllegalState.
    """
    found = look_up(work, Booking, ((c.viewer, c.enrolment) for c in commands))
    keys = [(row.organization_id, row.id) for row in found.rows()]
    locked = lock_current(work, keys)
    enrolments = {row.id: row for row in loading.of_keys(work, Enrolment, "id", keys)}
    settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def assign(command: AssignResult) -> Outcome:
        booking = _find(command)
        before = enrolments[booking.id]
        after = changed(before, result=command.result)
        if booking.status is BookingStatus.COMPLETED and before.result is command.result:
            return Outcome(booking.id, changed=False)
        completed = _completed(work, booking, settings[booking.organization_id], command)
        locked[booking.id], enrolments[booking.id] = completed, after
        work.save(Booking, [(booking, completed)])
        work.save(Enrolment, [(before, after)])
        record_booking(
            work,
            ChangeType.RESULT_ASSIGNED,
            Cause(command.viewer, command.origin),
            before=booking,
            after=completed,
            facts_before=enrolment_facts(booking, before),
            facts_after=enrolment_facts(completed, after),
        )
        return Outcome(booking.id)

    def _find(command: AssignResult) -> Booking:
        stage = ValidationErrors()
        path = (*_place(command), "enrolment")
        booking = stage.of(
            find,
            found,
            locked,
            command.viewer,
            command.enrolment,
            *path,
            kind=BookingKind.ENROLMENT,
        )
        stage.settle()
        assert booking is not None
        return booking

    return [attempt(assign, command) for command in commands]


def _place(command: AssignResult) -> tuple[str, ...]:
    """Where the command is among those of its request."""
    return () if command.position is None else (str(command.position),)


def _completed(
    work: UnitOfWork, booking: Booking, settings: Organization, command: AssignResult
) -> Booking:
    """The booking with its result. Raises: IllegalState."""
    if command.imported is None or booking.status is not BookingStatus.CONFIRMED:
        situation = ActionContext(booking, settings, work.now)
        place = _place(command)
        require(TRANSITIONS, "assign result", situation, command.viewer, *place)
    return next_version(
        booking,
        work.now,
        status=BookingStatus.COMPLETED,
    )
