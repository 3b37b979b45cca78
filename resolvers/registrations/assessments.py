"""Assigns test forms to registrations that exist `[002]`."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.accommodations import extra, recomputed
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import require_version, state_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.lengthening import ExtensionBatch
from resolvers.bookings.sittings import as_booked, sitting_at, when
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Lookup, look_up
from resolvers.refusals import Refused, StaleBooking, ValidationErrors, attempt
from resolvers.registrations.commands import ChangeAssessment
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.finding import form_of, registration
from resolvers.registrations.forms import Form, Forms
from resolvers.registrations.refusals import AssessmentAlreadyAssigned
from resolvers.registrations.transitions import TRANSITIONS
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, Event, Registration
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import ChangeType, Permission


@requires(Permission.BOOK)
def change_assessments(
    work: UnitOfWork, commands: Sequence[ChangeAssessment]
) -> list[Outcome | Refused]:
    """Give each registration another form; extra breaks are a share of those of its test.

    Refusals: PermissionRefusal, RegistrationNotFound, AssessmentFormNotFound; StaleBooking;
    IllegalState, AssessmentAlreadyAssigned.
    """
    batch = _ChangeBatch(work, commands)
    return [attempt(batch.change, command) for command in commands]


class _ChangeBatch:
    """The batch: what it needs, and its changes one after the other."""

    def __init__(self, work: UnitOfWork, commands: Sequence[ChangeAssessment]) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.registration) for c in commands)
        )
        keys = loading.keys_of(self._found.rows())
        self._lengthening = ExtensionBatch(work, self._found.rows())
        self._locked = self._lengthening.bookings
        rows = loading.of_keys(work, Registration, "id", keys)
        self._registrations: dict[UUID, Registration] = {row.id: row for row in rows}
        self._accommodations = loading.accommodations(work, keys)
        self._forms = Forms(work, ((c.viewer.organization_id, c.test_form) for c in commands))
        self._settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def change(self, command: ChangeAssessment) -> Outcome:
        """Raises: Refused, or a refusal."""
        booking, form = self._asked(command)
        before = self._registrations[booking.id]
        granted = self._accommodations.get(booking.id, [])
        granted_after = recomputed(
            granted, duration_minutes=booking.duration_minutes, break_minutes=form.break_minutes
        )
        after = changed(before, test_form_id=form.id)
        newer = next_version(
            booking,
            self._work.now,
            test_id=form.test_id,
            subject_id=form.subject_id,
            **when(sitting_at(self._event_of(booking), extra(granted_after))),
        )
        warnings = tuple(self._lengthening.take(booking, newer))
        self._registrations[booking.id] = after
        self._accommodations[booking.id] = granted_after
        self._work.save(Booking, [(booking, newer)])
        self._work.save(Registration, [(before, after)])
        self._work.save(Accommodation, zip(granted, granted_after, strict=True))
        record_booking(
            self._work,
            ChangeType.ASSESSMENT_CHANGED,
            Cause(command.viewer, command.origin, warnings=warnings),
            before=booking,
            after=newer,
            facts_before=registration_facts(booking, before) | accommodation_facts(granted),
            facts_after=registration_facts(newer, after) | accommodation_facts(granted_after),
        )
        return Outcome(booking.id, warnings=warnings)

    def _event_of(self, booking: Booking) -> Event:
        """The registration's event, as long as it was when the registration was made."""
        assert booking.event_id is not None
        return as_booked(self._lengthening.events[booking.event_id], booking)

    def _asked(self, command: ChangeAssessment) -> tuple[Booking, Form]:
        """The registration and its new form. Raises: Refused, or a refusal."""
        stage, viewer = ValidationErrors(), command.viewer
        booking = stage.of(registration, self._found, self._locked, viewer, command.registration)
        form = stage.of(form_of, self._forms, viewer, command.test_form)
        stage.settle()
        assert booking is not None
        assert form is not None
        settings = self._settings[booking.organization_id]
        situation = ActionContext(booking, settings, self._work.now)
        require_version(situation, viewer, command.expected_version)
        if not self._lengthening.holds(booking):
            raise StaleBooking("registration", **state_of(situation, viewer))
        if not command.imported or booking.status not in SEATED:
            path = ("registration",)
            require(TRANSITIONS, "change assessment", situation, viewer, *path)
        if self._registrations[booking.id].test_form_id == form.id:
            path = ("test_form",)
            raise AssessmentAlreadyAssigned(*path, **state_of(situation, viewer))
        return booking, form
