"""Registers candidates: a batch, in the order lock, load, ask, write, record."""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID, uuid4

from resolvers import checks
from resolvers.bookings import loading
from resolvers.bookings.accommodations import accommodation_for, check_terms, extra, type_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.loading import references_taken
from resolvers.bookings.overrides import Overrides, check_overrides
from resolvers.bookings.preloaded import BookingRefs, PreloadedBatch
from resolvers.bookings.seating import SeatRequest, check_seat
from resolvers.bookings.sittings import overrun, sitting_at, when
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.references import ByKey, Ref
from resolvers.refusals import (
    Invalid,
    OnDemandTimeRequired,
    Refused,
    Required,
    ValidationErrors,
    attempt,
)
from resolvers.registrations import rules
from resolvers.registrations.commands import BookRegistration, LaxEvent
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.finding import candidate_of, form_of
from resolvers.registrations.forms import Form, Forms
from resolvers.registrations.lax import NIL, LaxEvents, LaxMatch
from resolvers.registrations.refusals import AssessmentFormNotFound, RegistrationAlreadyExists
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Accommodation, Booking, Candidate, Event, Registration, Test
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded
from resolvers.values import frozen
from resolvers.vocabulary import BookingKind, BookingStatus, ChangeType, Permission


@frozen
class RegistrationRequest:
    """A command, and the identifier that its registration shall have."""

    command: BookRegistration
    identifier: UUID

    @property
    def key(self) -> tuple[UUID, UUID]:
        return (self.command.viewer.organization_id, self.identifier)


@frozen
class PendingRegistration:
    """A registration that was made in this batch, before it is written."""

    booking: Booking
    registration: Registration
    accommodations: tuple[Accommodation, ...]
    cause: Cause
    warnings: tuple[Warning, ...]
    event_created: bool


@requires(Permission.BOOK)
def book(work: UnitOfWork, commands: Sequence[BookRegistration]) -> list[Outcome | Refused]:
    """Register each candidate; the outcomes are in the order of the commands.

    A lax call whose event is not found makes it, once for all calls of the same sitting. `facts`
    have `event` and whether it was made, as `eventCreated`. A refusal leaves no trace. Refusals:
    PermissionRefusal, Required, RegistrationAlreadyExists, InvalidStartTime, VenueNotFound,
    LearnerNotFound, AmbiguousReference, AccommodationTypeEmpty, WrongLength, OutOfRange, Invalid,
    AssessmentFormNotFound, EventNotFound, those of a new event's texts, OnDemandTimeRequired;
    DuplicateBooking, RegistrationClosed, NotEligible, PersonCodeRequired; EventFull, RoomFull;
    CandidateTimeConflict.
    """
    wanted = [RegistrationRequest(command, _identifier(command) or uuid4()) for command in commands]
    batch = _RegistrationBatch(work, wanted)
    results = [attempt(batch.book, one) for one in wanted]
    _write(work, [result for result in results if isinstance(result, PendingRegistration)])
    return [
        _outcome(result) if isinstance(result, PendingRegistration) else result
        for result in results
    ]


class _RegistrationBatch:
    """What the batch needs; identifiers and references are taken as it goes on."""

    def __init__(self, work: UnitOfWork, asked: Sequence[RegistrationRequest]) -> None:
        self._work = work
        commands = [one.command for one in asked]
        lax = [(c.viewer, c.target) for c in commands if isinstance(c.target, LaxEvent)]
        self._lax = LaxEvents(work, lax)
        self._forms = Forms(work, ((c.viewer.organization_id, c.test_form) for c in commands))
        self._preloaded = PreloadedBatch(
            work, [BookingRefs(c.viewer, c.candidate, self._event(c)) for c in commands]
        )
        wanted = [one.key for one in asked]
        self._taken = {
            (row.organization_id, row.identifier): row.id
            for row in loading.of_keys(work, Registration, "identifier", wanted)
        }
        self._references = references_taken(
            work,
            BookingKind.REGISTRATION,
            [(of, one) for of, key in wanted for one in rules.possible_references(key)],
        )

    def _event(self, command: BookRegistration) -> Ref | None:
        """The event to lock, so far as it is there."""
        if not isinstance(command.target, LaxEvent):
            return command.target
        event = self._lax.matching(command.viewer, command.target)
        return None if event is None else ByKey(event.id)

    def book(self, asked: RegistrationRequest) -> PendingRegistration:
        """Raises: Refused, or a refusal."""
        command = asked.command
        viewer, stage, preloaded = command.viewer, ValidationErrors(), self._preloaded
        overrides = check_overrides(viewer, command.overrides, stage)
        self._check_identifier(asked, stage)
        lax = command.target if isinstance(command.target, LaxEvent) else None
        place = None if lax is None else self._lax.place(viewer, lax, stage)
        candidate = stage.of(candidate_of, preloaded, viewer, command.candidate)
        _check_details(command, stage)
        form = self._form(command, stage)
        sought = None
        if lax is None:
            sought = self._strict(command, stage)
        elif place is not None:
            settings = preloaded.settings[viewer.organization_id]
            locked = preloaded.events
            sought = self._lax.sought(viewer, lax, place, settings, stage, locked=locked)
        if sought is not None and lax is not None:
            path = ("target", "centre")
            stage.of(preloaded.in_scope, viewer, sought.event, Permission.BOOK, *path)
        stage.settle()
        assert candidate is not None
        assert sought is not None
        return self._seated(asked, candidate, sought, form, overrides)

    def _seated(
        self,
        asked: RegistrationRequest,
        candidate: Candidate,
        sought: LaxMatch,
        form: Form | None,
        overrides: Overrides,
    ) -> PendingRegistration:
        """The registration with its seat. Raises: Refused, or a refusal."""
        preloaded, event, now = self._preloaded, sought.event, self._work.now
        command = asked.command
        cause = Cause(command.viewer, command.origin)
        booking, granted = self._draft(asked, candidate, sought, form, cause)

        def own_rules(stage: ValidationErrors) -> None:
            stage.of(rules.require_no_duplicate, preloaded.candidate_schedules, candidate.id, event)

        room = None if event.room_id is None else preloaded.rooms[event.room_id]
        seat = SeatRequest(booking, candidate, event, room, imported=command.imported)
        warnings = check_seat(preloaded, seat, overrides, now, own_rules=own_rules)
        warnings += [*sought.warnings, *overrun(event, booking)]
        organization_id = event.organization_id
        self._taken[asked.key] = booking.id
        self._references.add((organization_id, booking.reference))
        preloaded.seats.take(booking)
        preloaded.candidate_schedules.write(booking)
        self._lax.keep(sought, cause)
        registration = new_row(
            Registration,
            organization_id=organization_id,
            id=booking.id,
            identifier=asked.identifier,
            registrant_type=command.registrant_type,
            test_form_id=None if form is None else form.id,
        )
        used = tuple(overrides.used)
        cause = Cause(command.viewer, command.origin, None, used, tuple(warnings))
        return PendingRegistration(
            booking, registration, granted, cause, tuple(warnings), sought.made
        )

    def _draft(
        self,
        asked: RegistrationRequest,
        candidate: Candidate,
        sought: LaxMatch,
        form: Form | None,
        cause: Cause,
    ) -> tuple[Booking, tuple[Accommodation, ...]]:
        """The rows as they will be written, if every rule lets them."""
        event, now = sought.event, self._work.now
        test = self._preloaded.test_of(event)
        taken = {one for of, one in self._references if of == event.organization_id}
        booking = new_row(
            Booking,
            organization_id=event.organization_id,
            id=new_key(),
            kind=BookingKind.REGISTRATION,
            reference=rules.free_reference(asked.identifier, taken),
            status=BookingStatus.CONFIRMED,
            candidate_id=candidate.id,
            centre_id=event.venue_id,
            room_id=event.room_id,
            event_id=event.id,
            created_at=now,
            updated_at=now,
            duration_minutes=event.duration_minutes,
            time_zone=event.time_zone,
            **assessed(form, event, test),
            **cause.as_columns("created_by"),
        )
        assessed_by = test if form is None else form
        breaks = 0 if assessed_by is None else assessed_by.break_minutes
        granted = tuple(
            accommodation_for(terms, booking, cause, key=new_key(), break_minutes=breaks, now=now)
            for terms in asked.command.accommodations
        )
        sitting = sitting_at(event, extra(granted))
        return changed(booking, **when(sitting), accommodation_count=len(granted)), granted

    def _strict(self, command: BookRegistration, stage: ValidationErrors) -> LaxMatch | None:
        assert not isinstance(command.target, LaxEvent)
        path = ("target",)
        event = stage.of(
            self._preloaded.event, command.viewer, command.target, Permission.BOOK, *path
        )
        if event is None:
            return None
        if event.on_demand:
            stage.add(OnDemandTimeRequired(*path))
        return LaxMatch(event)

    def _form(self, command: BookRegistration, stage: ValidationErrors) -> Form | None:
        """Refusals: AssessmentFormNotFound (a lax call needs one)."""
        if command.test_form is None:
            if isinstance(command.target, LaxEvent):
                stage.add(AssessmentFormNotFound("test_form", object_type="TestForm"))
            return None
        return stage.of(form_of, self._forms, command.viewer, command.test_form)

    def _check_identifier(self, asked: RegistrationRequest, stage: ValidationErrors) -> None:
        command = asked.command
        path = ("registration",)
        if _identifier(command) is None and isinstance(command.target, LaxEvent):
            stage.add(Required(*path))
        taken = self._taken.get(asked.key)
        if taken is not None:
            stage.add(RegistrationAlreadyExists(*path, conflicting=[taken]))


class Assessed(TypedDict):
    """What is assessed, as a booking's columns."""

    test_id: UUID | None
    subject_id: UUID | None


def assessed(form: Form | None, event: Event, test: Test | None) -> Assessed:
    """What is assessed, as a booking's columns: the form's test, without a form the event's."""
    if form is not None:
        return {"test_id": form.test_id, "subject_id": form.subject_id}
    return {"test_id": event.test_id, "subject_id": None if test is None else test.subject_id}


def _identifier(command: BookRegistration) -> UUID | None:
    """The client's identifier; the nil UUID counts as missing `[002]`."""
    return None if command.registration == NIL else command.registration


def _check_details(command: BookRegistration, stage: ValidationErrors) -> None:
    path = ("registrant_type",)
    stage.of(checks.text, command.registrant_type, *path, least=1, most=checks.NAME)
    path = ("accommodations",)
    stage.of(checks.size, command.accommodations, *path, most=checks.PLAIN_LIST)
    seen: set[str] = set()
    for n, terms in enumerate(command.accommodations):
        check_terms(terms, stage, *path, str(n))
        kind = folded(type_of(terms))
        if kind in seen:
            stage.add(Invalid(*path, str(n), "type", rule="is used twice in this list"))
        if kind:  # an empty type has its own refusal
            seen.add(kind)


def _outcome(booked: PendingRegistration) -> Outcome:
    assert booked.booking.event_id is not None
    return Outcome(
        booked.booking.id,
        created=True,
        warnings=booked.warnings,
        facts={"event": booked.booking.event_id.hex, "eventCreated": booked.event_created},
    )


def _write(work: UnitOfWork, booked: Sequence[PendingRegistration]) -> None:
    work.insert(Booking, [one.booking for one in booked])
    work.insert(Registration, [one.registration for one in booked])
    work.insert(Accommodation, [row for one in booked for row in one.accommodations])
    for one in booked:
        facts = registration_facts(one.booking, one.registration)
        record_booking(
            work,
            ChangeType.CREATED,
            one.cause,
            before=None,
            after=one.booking,
            facts_before=None,
            facts_after=facts | accommodation_facts(one.accommodations),
        )
