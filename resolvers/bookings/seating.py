"""The rules for a seat at an event that hold for bookings of every kind."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from resolvers.bookings.overrides import Overrides
from resolvers.bookings.preloaded import PreloadedBatch
from resolvers.bookings.seats import SeatLimits
from resolvers.events.rules import require_not_cancelled, require_open
from resolvers.outcomes import Warning
from resolvers.refusals import (
    CandidateTimeConflict,
    EventFull,
    NotEligible,
    PersonCodeRequired,
    ValidationErrors,
)
from resolvers.storage.tables import Booking, Candidate, Event, Room
from resolvers.storage.tables.bookings import SEATED
from resolvers.values import frozen
from resolvers.vocabulary import ConflictPolicy, RuleOverride, WarningCode


@frozen
class SeatRequest:
    """A requested seat, with the booking that would take it.

    `moving` is the booking before its move, which does not conflict with itself. The rules about
    the present do not apply to a booking that is `imported`.
    """

    booking: Booking
    candidate: Candidate
    event: Event
    room: Room | None = None
    module_id: UUID | None = None
    moving: Booking | None = None
    imported: bool = False

    @property
    def stays(self) -> bool:
        """Whether the booking stays at its event."""
        return self.moving is not None and self.moving.event_id == self.event.id


def check_seat(
    preloaded: PreloadedBatch,
    wanted: SeatRequest,
    overrides: Overrides,
    now: datetime,
    *,
    own_rules: Callable[[ValidationErrors], None],
    state: ValidationErrors | None = None,
) -> list[Warning]:
    """Check all rules for a requested seat: state, then capacity, then conflicts.

    A later group is checked only if the earlier ones passed. `state` has the refusals from the
    booking's own state, `own_rules` checks the kind's rules for duplicates. Raises: Refused.
    """
    stage = state or ValidationErrors()
    if wanted.booking.status not in SEATED:
        stage.settle()
        return []
    warnings: list[Warning] = []
    event, candidate = wanted.event, wanted.candidate
    own_rules(stage)
    if not wanted.imported and wanted.stays:
        stage.of(require_not_cancelled, event)
    elif not wanted.imported:
        window = RuleOverride.REGISTRATION_WINDOW
        late = stage.of(require_open, event, now, ignore_window=window in overrides)
        if late:
            warnings.append(
                overrides.set_aside(
                    window, WarningCode.REGISTRATION_CLOSED, "Registration is closed."
                )
            )
    stage.of(
        require_eligible,
        event,
        module_id=wanted.module_id,
        event_modules=preloaded.modules_of(event),
        candidate_modules=preloaded.modules_of_candidate(candidate.id),
        groups=preloaded.groups_of_candidate(candidate.id),
    )
    stage.of(require_person_code, event, candidate)
    stage.settle()
    warnings += _check_capacity(preloaded, wanted, overrides)
    warnings += _check_conflicts(preloaded, wanted, overrides)
    return warnings


def _check_capacity(
    preloaded: PreloadedBatch, wanted: SeatRequest, overrides: Overrides
) -> list[Warning]:
    """Check the capacity as if a moving booking had left its seat.

    It leaves only when the new seat is free. A booking that stays at its event keeps its seat
    there, even if the event is full.
    """
    event, room = wanted.event, wanted.room
    if wanted.moving is not None:
        preloaded.seats.free(wanted.moving)
    try:
        try:
            limits = SeatLimits(event, room, ignore_event=wanted.stays)
            preloaded.seats.require_free(wanted.booking, limits)
        except EventFull:
            if RuleOverride.CAPACITY not in overrides:
                raise
            preloaded.seats.require_free(wanted.booking, SeatLimits(event, room, ignore_event=True))
            return [
                overrides.set_aside(
                    RuleOverride.CAPACITY, WarningCode.EVENT_FULL, "The event is full."
                )
            ]
    finally:
        if wanted.moving is not None:
            preloaded.seats.take(wanted.moving)
    return []


def _check_conflicts(
    preloaded: PreloadedBatch, wanted: SeatRequest, overrides: Overrides
) -> list[Warning]:
    policy = preloaded.settings[wanted.event.organization_id].conflict_policy
    if policy is ConflictPolicy.ALLOW:
        return []
    conflicts = preloaded.candidate_schedules.conflicts(
        wanted.booking, same_event_may_overlap=wanted.event.allow_multiple_registrations
    )
    if not conflicts:
        return []
    if policy is ConflictPolicy.WARN:
        return [time_conflict()]
    if RuleOverride.CANDIDATE_TIME_CONFLICT in overrides:
        return [
            overrides.set_aside(
                RuleOverride.CANDIDATE_TIME_CONFLICT,
                WarningCode.CANDIDATE_TIME_CONFLICT,
                "The candidate has another booking at that time.",
            )
        ]
    raise CandidateTimeConflict(conflicting=[booking.id for booking in conflicts])


def time_conflict() -> Warning:
    return Warning(
        WarningCode.CANDIDATE_TIME_CONFLICT, "The candidate has another booking at that time."
    )


def require_eligible(
    event: Event,
    *,
    module_id: UUID | None,
    event_modules: Collection[UUID],
    candidate_modules: Collection[UUID],
    groups: Collection[UUID],
) -> None:
    """Require the event's learner group and, if eligibility is configured, one of its modules.

    Raises: NotEligible.
    """
    group = event.learner_registration_group_identifier
    if group is not None and group not in groups:
        raise NotEligible
    if event.eligibility_configured:
        wanted = {module_id} if module_id is not None else set(event_modules)
        if not wanted.intersection(candidate_modules):
            raise NotEligible


def require_person_code(event: Event, candidate: Candidate) -> None:
    """Raises: PersonCodeRequired."""
    if event.person_code_is_required and candidate.reference_generated:
        raise PersonCodeRequired
