"""Imports the bodies of commands: each once, known by the hash of its content."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.every_kind.accommodations import (
    GrantAccommodation,
    RevokeAccommodation,
    grant,
    revoke,
)
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.outcomes import Outcome
from resolvers.references import NAMES, ByKey
from resolvers.refusals import AlreadyExists, EventNotFound, Refused, attempt
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.booking import book
from resolvers.registrations.commands import (
    BookRegistration,
    ChangeAssessment,
    DeleteRegistration,
    TransferRegistration,
)
from resolvers.registrations.deleting import delete
from resolvers.registrations.refusals import RegistrationNotFound
from resolvers.registrations.transferring import transfer
from resolvers.sources.claims import claim
from resolvers.sources.members import NIL
from resolvers.sources.receipts import is_received, receive
from resolvers.sources.rows import ImportContext
from resolvers.sources.shift_iq import bodies
from resolvers.sources.shift_iq.bodies import OF_EVENT_BODY, OF_REGISTRATION_BODY, Body
from resolvers.sources.shift_iq.event_rows import make_event
from resolvers.sources.shift_iq.words import (
    CANCELLED_THERE,
    EVENT,
    LEARNER,
    REGISTRATION,
    V1,
    find,
    known_as,
)
from resolvers.sources.steps import done
from resolvers.storage.tables import Booking, Candidate, Event, Registration
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import BookingKind, CancellationReason


@frozen
class ImportBody:
    """A body into an organization; known by its content's hash."""

    importing: ImportContext
    body: Body
    content: str


def import_bodies(work: UnitOfWork, commands: Sequence[ImportBody]) -> list[Outcome | Refused]:
    """Import each body; a refused one must be undone by the storage (`all_or_nothing`).

    One that was imported before changes nothing, whatever became of it since. Refusals: those of
    the command that it is for, at the body's own members; EventNotFound, RegistrationNotFound;
    AlreadyExists, for the addition of an event that is known.
    """
    return [attempt(_import, work, command) for command in commands]


def _import(work: UnitOfWork, command: ImportBody) -> Outcome:
    importing = command.importing
    if is_received(work, importing, command.content):
        return Outcome(importing.organization_id, changed=False)
    outcome = _BodyBatch(work, importing).carry_out(command.body)
    receive(work, importing, command.content)
    return outcome


class _BodyBatch:
    """The command of each body. All of them raise Refused, or a refusal."""

    def __init__(self, work: UnitOfWork, importing: ImportContext) -> None:
        self._work, self._importing, self._viewer = work, importing, importing.viewer

    def carry_out(self, body: Body) -> Outcome:
        match body:
            case bodies.AddEvent():
                return self._add(body)
            case bodies.CancelEvent():
                return self._cancel_event(body)
            case bodies.RegisterLax():
                return self._register(body)
            case bodies.TransferLax():
                return self._transfer(body)
            case bodies.CancelRegistration():
                return self._cancel(body)
            case bodies.AssignAssessment():
                return self._change_assessment(body)
            case bodies.Grant():
                return self._grant(body)
            case bodies.Revoke():
                return self._revoke(body)
            case bodies.Delete():
                return self._delete(body)

    def _add(self, body: bodies.AddEvent) -> Outcome:
        """What is known already was added once: nothing that happened since is undone."""
        known = self._event(body.document.identifier)
        if known is not None:
            raise AlreadyExists(bodies.EVENT, conflicting=[known.id])
        return make_event(self._work, self._importing, body.document)

    def _cancel_event(self, body: bodies.CancelEvent) -> Outcome:
        event = self._event(body.event)
        if event is None:
            raise EventNotFound(bodies.EVENT, object_type="Event", identifier=str(body.event))
        command = CancelEvent(
            viewer=self._viewer,
            event=ByKey(event.id),
            reason=body.reason or CANCELLED_THERE,
            imported=True,
        )
        return done(cancel_events(self._work, [command]), OF_EVENT_BODY)

    def _register(self, body: bodies.RegisterLax) -> Outcome:
        command = BookRegistration(
            viewer=self._viewer,
            target=body.event,
            candidate=self._learner(body.learner),
            registration=body.registration,
            test_form=body.assessment,
            registrant_type=body.registrant_type,
            accommodations=body.accommodations,
            imported=True,
        )
        made = done(book(self._work, [command]), OF_REGISTRATION_BODY)
        given = [known_as(V1, REGISTRATION, body.registration)]
        organization_id, type_name = self._importing.organization_id, NAMES[Booking][0]
        claim(self._work, organization_id, type_name, made.subject, given, OF_REGISTRATION_BODY)
        return made

    def _transfer(self, body: bodies.TransferLax) -> Outcome:
        command = TransferRegistration(
            viewer=self._viewer,
            registration=self._registration_or_none(body.registration),
            target=body.event,
            candidate=self._learner(body.learner),
            reason=body.reason,
            imported=True,
        )
        return done(transfer(self._work, [command]), OF_REGISTRATION_BODY)

    def _cancel(self, body: bodies.CancelRegistration) -> Outcome:
        command = CancelBooking(
            viewer=self._viewer,
            booking=self._registration(body.registration),
            reason=CancellationReason.OTHER,
            message=body.reason,
            imported=True,
        )
        return done(cancel(self._work, [command]), OF_REGISTRATION_BODY)

    def _change_assessment(self, body: bodies.AssignAssessment) -> Outcome:
        command = ChangeAssessment(
            viewer=self._viewer,
            registration=self._registration_or_none(body.registration),
            test_form=body.assessment,
            imported=True,
        )
        return done(change_assessments(self._work, [command]), OF_REGISTRATION_BODY)

    def _grant(self, body: bodies.Grant) -> Outcome:
        command = GrantAccommodation(
            viewer=self._viewer,
            booking=self._registration(body.registration),
            type=body.terms.type,
            name=body.terms.name,
            time_extension_minutes=body.terms.time_extension_minutes,
        )
        return done(grant(self._work, [command]), OF_REGISTRATION_BODY)

    def _revoke(self, body: bodies.Revoke) -> Outcome:
        command = RevokeAccommodation(
            viewer=self._viewer, booking=self._registration(body.registration), type=body.type
        )
        return done(revoke(self._work, [command]), OF_REGISTRATION_BODY)

    def _delete(self, body: bodies.Delete) -> Outcome:
        command = DeleteRegistration(
            viewer=self._viewer,
            registration=self._registration_or_none(body.registration),
            imported=True,
        )
        return done(delete(self._work, [command]), OF_REGISTRATION_BODY)

    def _event(self, identifier: UUID) -> Event | None:
        found: Event | None = find(self._work, self._importing, Event, EVENT, identifier)
        return found

    def _learner(self, identifier: UUID | None) -> ByKey:
        """The candidate's key; for one whom nobody knows a key that is nobody's."""
        if identifier is None:
            return ByKey(NIL)
        found: Any = find(self._work, self._importing, Candidate, LEARNER, identifier)
        return ByKey(NIL if found is None else found.id)

    def _registration(self, identifier: UUID) -> ByKey:
        """Raises: RegistrationNotFound."""
        key = self._registration_or_none(identifier)
        if key.key == NIL:
            raise RegistrationNotFound(
                bodies.REGISTRATION, object_type="Registration", identifier=str(identifier)
            )
        return key

    def _registration_or_none(self, identifier: UUID) -> ByKey:
        """The booking's key: by external id, by the registration's own UUID, or as our own key.

        For one that nobody knows a key that is nobody's: the command says so beside what else is
        wrong.
        """
        booking: Any = find(self._work, self._importing, Booking, REGISTRATION, identifier)
        if booking is not None and booking.kind is BookingKind.REGISTRATION:
            return ByKey(booking.id)
        named = [(self._importing.organization_id, identifier)]
        rows = loading.of_keys(self._work, Registration, "identifier", named)
        return ByKey(rows[0].id if rows else NIL)
