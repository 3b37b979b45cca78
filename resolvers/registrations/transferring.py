"""Transfers registrations: the new seat is taken before the old one is freed, in one commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.accommodations import extra, recomputed
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import check_required_reason, require_version, state_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.overrides import check_overrides
from resolvers.bookings.preloaded import BookingRefs, PreloadedBatch
from resolvers.bookings.seating import SeatRequest, check_seat
from resolvers.bookings.sittings import overrun, sitting_at, when
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.references import ByKey, Lookup, Ref, Unreadable, look_up, named
from resolvers.refusals import OnDemandTimeRequired, Refused, ValidationErrors, attempt
from resolvers.registrations import rules
from resolvers.registrations.commands import LaxEvent, TransferRegistration
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.finding import registration
from resolvers.registrations.lax import LaxEvents, LaxMatch
from resolvers.registrations.refusals import (
    AlreadyAtEvent,
    LearnerNotFound,
    NoAssessmentForm,
    NotTheLearner,
)
from resolvers.registrations.transitions import TRANSITIONS
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Candidate,
    Event,
    Registration,
    RegistrationTransfer,
    Test,
)
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType, Permission

COPIED = ("exam_format", "billing_code")
"""What a new event has from the one that is left: the body of a transfer has neither `[002]`."""


@frozen
class PendingTransfer:
    """A registration that is transferred in this batch, before it is written."""

    before: Booking
    after: Booking
    registration: Registration
    accommodations: tuple[tuple[Accommodation, Accommodation], ...]
    cause: Cause
    warnings: tuple[Warning, ...]
    event_created: bool


@requires(Permission.TRANSFER)
def transfer(work: UnitOfWork, commands: Sequence[TransferRegistration]) -> list[Outcome | Refused]:
    """Give each registration a seat at another event; its test form stays.

    `facts` have the events `from` and `to`, and whether the latter was made, as `eventCreated`.
    Refusals: PermissionRefusal, RegistrationNotFound, LearnerNotFound, NotTheLearner,
    NoAssessmentForm, InvalidStartTime, VenueNotFound, EventNotFound, AlreadyAtEvent, those of a new
    event's texts, ReasonRequired, WrongLength; StaleBooking; IllegalState, and at the target those
    of booking.
    """
    batch = _TransferBatch(work, commands)
    results = [attempt(batch.transfer, command) for command in commands]
    _write(work, [result for result in results if isinstance(result, PendingTransfer)])
    return [
        _outcome(result) if isinstance(result, PendingTransfer) else result for result in results
    ]


class _TransferBatch:
    """The batch: what it needs, and its transfers one after the other."""

    def __init__(self, work: UnitOfWork, commands: Sequence[TransferRegistration]) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.registration) for c in commands)
        )
        self._candidates: Lookup[Candidate] = look_up(
            work, Candidate, ((c.viewer, c.candidate) for c in commands)
        )
        lax = [(c.viewer, c.target) for c in commands if isinstance(c.target, LaxEvent)]
        self._lax = LaxEvents(work, lax)
        self._preloaded = PreloadedBatch(work, [self._wanted(c) for c in commands])
        keys = loading.keys_of(self._found.rows())
        self._locked: dict[UUID, Booking] = loading.lock(work, Booking, keys)
        rows = loading.of_keys(work, Registration, "id", keys)
        self._registrations: dict[UUID, Registration] = {row.id: row for row in rows}
        self._accommodations = loading.accommodations(work, keys)
        here = {
            (b.organization_id, b.event_id) for b in self._locked.values() if b.event_id is not None
        }
        self._events: dict[UUID, Event] = {
            event.id: event for event in loading.of_keys(work, Event, "id", here)
        }
        tests = {
            (b.organization_id, b.test_id) for b in self._locked.values() if b.test_id is not None
        }
        self._breaks: dict[UUID | None, int] = {
            test.id: test.break_minutes for test in loading.of_keys(work, Test, "id", tests)
        }
        for booking in self._locked.values():
            self._preloaded.candidate_schedules.write(booking)

    def _wanted(self, command: TransferRegistration) -> BookingRefs:
        booking = self._found.first(command.viewer, command.registration)
        candidate = command.candidate if booking is None else ByKey(booking.candidate_id)
        event: Ref | None
        if isinstance(command.target, LaxEvent):
            match = self._lax.matching(command.viewer, command.target)
            event = None if match is None else ByKey(match.id)
        else:
            event = command.target
        return BookingRefs(command.viewer, candidate, event)

    def transfer(self, command: TransferRegistration) -> PendingTransfer:
        """Raises: Refused, or a refusal."""
        viewer, stage = command.viewer, ValidationErrors()
        overrides = check_overrides(viewer, command.overrides, stage)
        booking = stage.of(registration, self._found, self._locked, viewer, command.registration)
        self._check_candidate(command, booking, stage)
        if booking is not None and self._registrations[booking.id].test_form_id is None:
            path = ("registration",)
            stage.add(NoAssessmentForm(*path, **state_of(self._situation(booking), viewer)))
        sought = self._target(command, booking, stage)
        check_required_reason(command.reason, stage)
        stage.settle()
        assert booking is not None
        assert sought is not None
        require_version(self._situation(booking), viewer, command.expected_version)
        candidate = self._preloaded.candidate(viewer, ByKey(booking.candidate_id), "candidate")
        moved, accommodations = self._moved(booking, sought.event)
        event = sought.event

        def own_rules(stage: ValidationErrors) -> None:
            candidate_schedules = self._preloaded.candidate_schedules
            stage.of(
                rules.require_no_duplicate, candidate_schedules, candidate.id, event, but=booking.id
            )

        room = None if event.room_id is None else self._preloaded.rooms[event.room_id]
        imported = command.imported
        seat = SeatRequest(moved, candidate, event, room, moving=booking, imported=imported)
        state = self._state(command, booking)
        now = self._work.now
        warnings = check_seat(
            self._preloaded, seat, overrides, now, own_rules=own_rules, state=state
        )
        warnings += [*sought.warnings, *overrun(event, moved)]
        used, warned = tuple(overrides.used), tuple(warnings)
        cause = Cause(viewer, command.origin, command.reason, used, warned)
        self._lax.keep(sought, Cause(viewer, command.origin))
        self._take(booking, moved, accommodations, event)
        return PendingTransfer(
            booking,
            moved,
            self._registrations[booking.id],
            accommodations,
            cause,
            warned,
            sought.made,
        )

    def _check_candidate(
        self, command: TransferRegistration, booking: Booking | None, stage: ValidationErrors
    ) -> None:
        """Refusals: LearnerNotFound, NotTheLearner; AmbiguousReference."""
        path, viewer, ref = ("candidate",), command.viewer, command.candidate
        if isinstance(ref, Unreadable):
            stage.add(LearnerNotFound(*path, object_type="Candidate", identifier=named(ref)))
            return
        found = stage.of(self._candidates.one, viewer, ref, *path, missing=LearnerNotFound)
        if found is not None and booking is not None and booking.candidate_id != found.id:
            stage.add(NotTheLearner(*path))

    def _target(
        self, command: TransferRegistration, booking: Booking | None, stage: ValidationErrors
    ) -> LaxMatch | None:
        """The other event. Refusals: those of lax calls, EventNotFound, AlreadyAtEvent."""
        preloaded, viewer, target = self._preloaded, command.viewer, command.target
        if not isinstance(target, LaxEvent):
            return self._strict(viewer, target, booking, stage)
        place = self._lax.place(viewer, target, stage)
        if place is None:
            return None
        left = None if booking is None else self._event_of(booking)
        copied = {column: getattr(left, column, None) for column in COPIED}
        settings = preloaded.settings[viewer.organization_id]
        sought = self._lax.sought(
            viewer, target, place, settings, stage, locked=preloaded.events, copied=copied
        )
        path = ("target",)
        if sought is not None:
            stage.of(preloaded.in_scope, viewer, sought.event, Permission.TRANSFER, *path, "centre")
            self._require_other(viewer, sought.event, booking, stage, *path)
        return sought

    def _strict(
        self, viewer: Viewer, target: Ref, booking: Booking | None, stage: ValidationErrors
    ) -> LaxMatch | None:
        path = ("target",)
        event = stage.of(self._preloaded.event, viewer, target, Permission.TRANSFER, *path)
        if event is None:
            return None
        if event.on_demand:
            stage.add(OnDemandTimeRequired(*path))
        self._require_other(viewer, event, booking, stage, *path)
        return LaxMatch(event)

    def _require_other(
        self,
        viewer: Viewer,
        event: Event,
        booking: Booking | None,
        stage: ValidationErrors,
        *path: str,
    ) -> None:
        """Refusals: AlreadyAtEvent."""
        if booking is not None and booking.event_id == event.id:
            stage.add(AlreadyAtEvent(*path, **state_of(self._situation(booking), viewer)))

    def _event_of(self, booking: Booking) -> Event | None:
        return None if booking.event_id is None else self._events.get(booking.event_id)

    def _state(self, command: TransferRegistration, booking: Booking) -> ValidationErrors:
        """What the registration's own state says against a transfer."""
        stage = ValidationErrors()
        if not command.imported or booking.status not in SEATED:
            path = ("registration",)
            situation = self._situation(booking)
            stage.of(require, TRANSITIONS, "transfer", situation, command.viewer, *path)
        return stage

    def _situation(self, booking: Booking) -> ActionContext:
        return ActionContext(
            booking, self._preloaded.settings[booking.organization_id], self._work.now
        )

    def _moved(
        self, booking: Booking, event: Event
    ) -> tuple[Booking, tuple[tuple[Accommodation, Accommodation], ...]]:
        """The booking at the event; accommodations that are a share of its length with it.

        The breaks are those of its form's test, wherever it is sat.
        """
        granted = self._accommodations.get(booking.id, [])
        breaks = self._breaks.get(booking.test_id, 0)
        after = recomputed(granted, duration_minutes=event.duration_minutes, break_minutes=breaks)
        moved = next_version(
            booking,
            self._work.now,
            event_id=event.id,
            centre_id=event.venue_id,
            room_id=event.room_id,
            **when(sitting_at(event, extra(after))),
        )
        return moved, tuple(zip(granted, after, strict=True))

    def _take(
        self,
        booking: Booking,
        moved: Booking,
        accommodations: Sequence[tuple[Accommodation, Accommodation]],
        event: Event,
    ) -> None:
        """Keep the newer versions, for what else the batch does with the registration."""
        self._preloaded.seats.take(moved)
        self._preloaded.seats.free(booking)
        self._preloaded.candidate_schedules.write(moved)
        self._locked[booking.id] = moved
        self._events[event.id] = event
        self._accommodations[booking.id] = [after for _, after in accommodations]


def _outcome(transferred: PendingTransfer) -> Outcome:
    before, after = transferred.before.event_id, transferred.after.event_id
    assert before is not None
    assert after is not None
    facts: dict[str, Any] = {"from": before.hex, "to": after.hex}
    return Outcome(
        transferred.after.id,
        warnings=transferred.warnings,
        facts={**facts, "eventCreated": transferred.event_created},
    )


def _transfer(one: PendingTransfer, now: datetime) -> RegistrationTransfer:
    before, after, reason = one.before.event_id, one.after.event_id, one.cause.reason
    assert before is not None
    assert after is not None
    assert reason is not None
    return new_row(
        RegistrationTransfer,
        organization_id=one.after.organization_id,
        id=new_key(),
        booking_id=one.after.id,
        from_event_id=before,
        to_event_id=after,
        reason=reason,
        at=now,
        **one.cause.as_columns("by"),
    )


def _write(work: UnitOfWork, transferred: Sequence[PendingTransfer]) -> None:
    for one in transferred:  # in order, since a registration may be transferred twice in a batch
        work.save(Booking, [(one.before, one.after)])
        work.save(Accommodation, one.accommodations)
    work.insert(RegistrationTransfer, [_transfer(one, work.now) for one in transferred])
    for one in transferred:
        granted = [before for before, _ in one.accommodations]
        granted_after = [after for _, after in one.accommodations]
        record_booking(
            work,
            ChangeType.TRANSFERRED,
            one.cause,
            before=one.before,
            after=one.after,
            facts_before=registration_facts(one.before, one.registration)
            | accommodation_facts(granted),
            facts_after=registration_facts(one.after, one.registration)
            | accommodation_facts(granted_after),
        )
