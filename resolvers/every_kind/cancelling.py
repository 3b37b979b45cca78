"""Cancels bookings of any kind, one or many."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import datetime
from uuid import UUID

from resolvers import checks
from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import find, require_version
from resolvers.bookings.expiry import lock_current
from resolvers.bookings.kinds import KINDS, CancellationDetails, Facts, kind_of, missing_of
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, Origin, record_booking
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Lookup, Ref, look_up
from resolvers.refusals import (
    CancellationClosed,
    Invalid,
    MessageRequired,
    OutOfRange,
    Refused,
    ValidationErrors,
    attempt,
)
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Candidate, Event, Organization
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import normalized
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    BookingKind,
    BookingStatus,
    CancellationReason,
    ChangeType,
    Permission,
    Role,
)

ENDED = frozenset({BookingStatus.CANCELLED, BookingStatus.NO_SHOW})
"""The statuses after cancelling. Cancelling again changes nothing."""


@frozen(kw_only=True)
class CancelBooking:
    """Cancel a booking of any kind.

    `candidates`, if given, must include the booking's candidate; `together_with` are all bookings
    of the same request, and each of the candidates must have one of them. `position` is the
    command's index in a request of several. `on_behalf` says whether the booking is cancelled on
    the candidate's behalf; by default, it depends on the viewer.
    """

    viewer: Viewer = field(repr=False)
    booking: Ref
    reason: CancellationReason
    message: str | None = None
    cancelled_at: datetime | None = None
    candidates: tuple[Ref, ...] | None = None
    event: Ref | None = None
    together_with: tuple[Ref, ...] = ()
    expected_version: int | None = None
    position: int | None = None
    origin: Origin | None = None
    imported: bool = False
    on_behalf: bool | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """Return a path with the command's index in its request."""
        return () if self.position is None else (str(self.position),)


@requires(Permission.CANCEL)
def cancel(work: UnitOfWork, commands: Sequence[CancelBooking]) -> list[Outcome | Refused]:
    """Cancel each booking and free its seat. A cancelled booking does not change.

    Refusals: PermissionRefusal, NotFoundRefusal (RegistrationNotFound for a registration's id),
    Invalid, MessageRequired, WrongLength, OutOfRange; StaleBooking; IllegalState,
    CancellationClosed.
    """
    batch = _CancellationBatch(work, commands)
    return [attempt(batch.cancel, command) for command in commands]


class _CancellationBatch:
    def __init__(self, work: UnitOfWork, commands: Sequence[CancelBooking]) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.booking) for c in commands)
        )
        keys = [(row.organization_id, row.id) for row in self._found.rows()]
        self._locked = lock_current(work, keys)
        self._rest = _rest_of(work, self._locked.values())
        # commands of a request share their list of candidates, so it is indexed once
        lists = {id(c.candidates): (c.viewer, c.candidates) for c in commands if c.candidates}
        self._candidates: Lookup[Candidate] = look_up(
            work, Candidate, ((viewer, ref) for viewer, refs in lists.values() for ref in refs)
        )
        self._positions = {key: self._found_in(*given) for key, given in lists.items()}
        self._events: Lookup[Event] = look_up(work, Event, ((c.viewer, c.event) for c in commands))
        self._settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def cancel(self, command: CancelBooking) -> Outcome:
        booking = self._check_input(command)
        settings: Organization = self._settings[booking.organization_id]
        situation = ActionContext(booking, settings, self._work.now)
        require_version(situation, command.viewer, command.expected_version)
        if booking.status in ENDED:
            return Outcome(booking.id, changed=False)
        status = _status_after(command, situation)
        cancelled = cancelled_booking(
            booking,
            status,
            command.reason,
            command.message,
            Cause(command.viewer, command.origin),
            now=self._work.now,
            at=command.cancelled_at,
        )
        if command.on_behalf is not None:
            cancelled = changed(cancelled, cancelled_on_behalf=command.on_behalf)
        self._locked[booking.id] = cancelled
        rest = self._rest.get(booking.kind)
        cause = Cause(command.viewer, command.origin, command.message)
        facts: tuple[Facts, Facts] = ({}, {}) if rest is None else rest.cancel(booking)
        write_cancelled(self._work, booking, cancelled, cause, more_facts=facts)
        return Outcome(booking.id)

    def _check_input(self, command: CancelBooking) -> Booking:
        stage = ValidationErrors()
        booking = stage.of(
            find,
            self._found,
            self._locked,
            command.viewer,
            command.booking,
            *command.place,
            "booking",
            missing=missing_of(command.booking),
        )
        check_reason(command.reason, command.message, stage)
        if command.cancelled_at is not None and command.cancelled_at > self._work.now:
            stage.add(OutOfRange("cancelled_at", rule="must not be in the future"))
        if booking is not None:
            self._check_names(command, booking, stage)
        stage.settle()
        assert booking is not None
        return booking

    def _found_in(self, viewer: Viewer, refs: Sequence[Ref]) -> dict[UUID, int]:
        """The first position of each candidate in a list, by key; unknown ones are omitted."""
        found = [self._candidates.first(viewer, ref) for ref in refs]
        numbered = reversed(list(enumerate(found)))
        return {row.id: n for n, row in numbered if row is not None}

    def _check_names(
        self, command: CancelBooking, booking: Booking, stage: ValidationErrors
    ) -> None:
        """Check that the given candidates and event are those of the bookings `[000]`."""
        viewer = command.viewer
        if command.candidates is not None:
            positions = self._positions.get(id(command.candidates), {})
            if command.together_with or command.position is None:
                self._check_candidates(command, positions, stage)
            if booking.candidate_id not in positions:
                stage.add(
                    Invalid(*command.place, "booking", rule="is a booking of another candidate")
                )
        if command.event is not None:
            event = stage.of(self._events.one, viewer, command.event, "event")
            if event is not None and booking.event_id != event.id:
                stage.add(Invalid(*command.place, "booking", rule="is a booking for another event"))

    def _check_candidates(
        self, command: CancelBooking, positions: dict[UUID, int], stage: ValidationErrors
    ) -> None:
        """Check that each candidate exists and has one of the bookings."""
        viewer, path, single = command.viewer, ("candidates",), command.position is None
        for n, ref in enumerate(command.candidates or ()):
            at = path if single else (*path, str(n))
            stage.of(self._candidates.one, viewer, ref, *at)
        if not command.together_with:
            return
        theirs = {b.candidate_id for b in self._named(viewer, command.together_with)}
        for candidate_id, n in positions.items():
            if candidate_id not in theirs:
                stage.add(Invalid(*path, str(n), rule="is the event of none of these bookings"))

    def _named(self, viewer: Viewer, refs: Iterable[Ref]) -> Iterable[Booking]:
        found = (self._found.first(viewer, ref) for ref in refs)
        return [booking for booking in found if booking is not None]


def _status_after(command: CancelBooking, situation: ActionContext) -> BookingStatus:
    """CANCELLED, or NO_SHOW if the candidate was absent.

    Raises: IllegalState, CancellationClosed.
    """
    transitions = kind_of(situation.booking).transitions
    name = "absent" if command.reason is CancellationReason.ABSENT else "cancel"
    try:
        row = require(transitions, name, situation, command.viewer, *command.place, "booking")
    except CancellationClosed:
        if not command.imported:
            raise
        return BookingStatus.CANCELLED
    assert row.target is not None
    return row.target


def check_reason(reason: CancellationReason, message: str | None, stage: ValidationErrors) -> None:
    """Check the reason: OTHER requires a message."""
    if reason is CancellationReason.OTHER and not normalized(message or ""):
        stage.add(MessageRequired("message"))
    stage.of(checks.text, message, "message", most=checks.REASON)


def cancelled_booking(
    booking: Booking,
    status: BookingStatus,
    reason: CancellationReason,
    message: str | None,
    cause: Cause,
    *,
    now: datetime,
    at: datetime | None = None,
) -> Booking:
    """The cancelled booking, on behalf of the candidate unless the viewer is the candidate."""
    by_candidate = cause.viewer is not None and cause.viewer.role is Role.CANDIDATE
    return next_version(
        booking,
        now,
        status=status,
        lapses_at=None,
        cancel_reason=reason,
        cancel_message=message,
        cancelled_at=at or now,
        cancelled_by_user_id=cause.user_id,
        cancelled_by_name=cause.name,
        cancelled_on_behalf=not by_candidate,
    )


def _rest_of(
    work: UnitOfWork, bookings: Iterable[Booking]
) -> dict[BookingKind, CancellationDetails]:
    """The details of these bookings that change when they are cancelled."""
    of_kind: dict[BookingKind, list[Booking]] = {}
    for booking in bookings:
        of_kind.setdefault(booking.kind, []).append(booking)
    return {
        kind: cancelling(work, theirs)
        for kind, theirs in of_kind.items()
        if (cancelling := KINDS[kind].cancelling) is not None
    }


def write_cancelled(
    work: UnitOfWork,
    before: Booking,
    after: Booking,
    cause: Cause,
    *,
    more_facts: tuple[Facts, Facts] = ({}, {}),
) -> None:
    """Save a cancelled booking, and record the change with the details before and after."""
    facts = kind_of(before).facts
    work.save(Booking, [(before, after)])
    record_booking(
        work,
        ChangeType.CANCELLED,
        cause,
        before=before,
        after=after,
        facts_before={**facts(before), **more_facts[0]},
        facts_after={**facts(after), **more_facts[1]},
    )
