"""Assigns assessment forms to registrations that exist `[002]`."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.actions import Situation, require
from resolvers.bookings.checks import require_version, state_of
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome
from resolvers.references import look_up
from resolvers.refusals import Complaints, Refused, attempt
from resolvers.registrations.commands import ChangeAssessment
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.finding import form_of, keys_of, registration
from resolvers.registrations.forms import Form, Forms
from resolvers.registrations.refusals import AssessmentAlreadyAssigned
from resolvers.registrations.transitions import TRANSITIONS
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Registration
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import ChangeType, Permission


def change_assessments(
    work: UnitOfWork, commands: Sequence[ChangeAssessment]
) -> list[Outcome | Refused]:
    """Give each registration another form.

    Refusals: PermissionRefusal, RegistrationNotFound, AssessmentFormNotFound; StaleBooking;
    IllegalState, AssessmentAlreadyAssigned.
    """
    found = look_up(work, Booking, ((c.viewer.organization_id, c.registration) for c in commands))
    keys = keys_of(found.rows())
    locked: dict[UUID, Booking] = loading.lock(work, Booking, keys)
    rows = loading.of_keys(work, Registration, "id", keys)
    registrations: dict[UUID, Registration] = {row.id: row for row in rows}
    forms = Forms(work, ((c.viewer.organization_id, c.assessment) for c in commands))
    settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def change(command: ChangeAssessment) -> Outcome:
        stage, viewer = Complaints(), command.viewer
        if not command.happened:
            stage.of(viewer.require, Permission.BOOK)
        booking: Booking | None = stage.of(
            registration, found, locked, viewer, command.registration
        )
        form: Form | None = stage.of(form_of, forms, viewer, command.assessment)
        stage.settle()
        assert booking is not None
        assert form is not None
        situation = Situation(booking, settings[booking.organization_id], work.now)
        require_version(situation, viewer, command.expected_version)
        if not command.happened or booking.status not in SEATED:
            path = ("input", "registrationId")
            require(TRANSITIONS, "change assessment", situation, viewer, *path)
        before = registrations[booking.id]
        if before.test_form_id == form.id:
            path = ("input", "assessment")
            raise AssessmentAlreadyAssigned(*path, **state_of(situation, viewer))
        after = changed(before, test_form_id=form.id)
        newer = changed(
            booking,
            test_id=form.test_id,
            subject_id=form.subject_id,
            version=booking.version + 1,
            updated_at=work.now,
        )
        locked[booking.id], registrations[booking.id] = newer, after
        work.save(Booking, [(booking, newer)])
        work.save(Registration, [(before, after)])
        record_booking(
            work,
            ChangeType.ASSESSMENT_CHANGED,
            Cause(viewer, command.origin),
            before=booking,
            after=newer,
            facts_before=registration_facts(booking, before),
            facts_after=registration_facts(newer, after),
        )
        return Outcome(booking.id)

    return [attempt(change, command) for command in commands]
