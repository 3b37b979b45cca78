"""The actions that are possible for a booking now.

Each kind has one table of transitions. Commands call `require`, `allowedActions` calls `allowed`;
both use the same rows, so every listed action succeeds and every other one is refused.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from resolvers.bookings.clock import current_status
from resolvers.refusals import (
    AccommodationNotGranted,
    CancellationClosed,
    IllegalState,
    Refusal,
)
from resolvers.storage.tables import Booking, Organization
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccessScope, BookingAction, BookingStatus, Permission


@frozen
class ActionContext:
    """A booking, the settings of its organization, and the current time."""

    booking: Booking
    settings: Organization
    now: datetime

    @property
    def status(self) -> BookingStatus:
        """The current status: the stored one, or the one that the clock has reached since."""
        if is_overdue(self.booking, self.now):
            return BookingStatus.EXPIRED
        booking = self.booking
        return current_status(booking.kind, booking.status, booking.closes_at, self.now)

    @property
    def started(self) -> bool:
        return self.booking.start_at is not None and self.booking.start_at <= self.now


def is_overdue(booking: Booking, now: datetime) -> bool:
    """Whether the payment deadline of the booking has passed. The deadline is inclusive."""
    return (
        booking.status is BookingStatus.PENDING
        and booking.lapses_at is not None
        and booking.lapses_at < now
    )


Guard = Callable[[ActionContext], Refusal | None]


@frozen
class Transition:
    """One row of a kind's table.

    An action, the statuses in which it is possible and, if it changes the status, the new one. A
    report of an event, such as the start of a session, has no action that a caller can choose.

    `guard` is a further condition; it returns the refusal.
    """

    name: str
    action: BookingAction | None
    permission: Permission
    sources: frozenset[BookingStatus]
    guard: Guard | None = None
    target: BookingStatus | None = None

    def refusal(self, situation: ActionContext) -> Refusal | None:
        if situation.status not in self.sources:
            return illegal_state(situation)
        return None if self.guard is None else self.guard(situation)


Table = Sequence[Transition]


def illegal_state(situation: ActionContext) -> IllegalState:
    booking = situation.booking
    return IllegalState(version=booking.version, status=situation.status, booking=booking.id)


def before_cut_off(situation: ActionContext) -> Refusal | None:
    """A guard: the organization's cut-off before the start has not passed."""
    minutes, start = situation.settings.cancel_cut_off_minutes, situation.booking.start_at
    if not minutes or start is None:
        return None
    deadline = start - timedelta(minutes=minutes)
    return CancellationClosed(deadline=deadline) if situation.now > deadline else None


def something_granted(situation: ActionContext) -> Refusal | None:
    """A guard: there is an accommodation to revoke."""
    if situation.booking.accommodation_count:
        return None
    return AccommodationNotGranted(object_type="Accommodation")


def may_touch(viewer: Viewer, booking: Booking) -> bool:
    """Whether the booking is inside the viewer's scope."""
    return missing_scope(viewer, booking) is None


def missing_scope(viewer: Viewer, booking: Booking) -> AccessScope | None:
    """Return the association that hides the booking from the viewer; None if it is visible."""
    return viewer.scope.missing(
        centre_id=booking.centre_id,
        subject_id=booking.subject_id,
        candidate_id=booking.candidate_id,
        agent_office_id=booking.agent_office_id,
    )


def allowed(table: Table, situation: ActionContext, viewer: Viewer) -> tuple[BookingAction, ...]:
    """Return the viewer's possible actions, by state, policy and permissions."""
    if not may_touch(viewer, situation.booking):
        return ()
    actions = {
        row.action
        for row in table
        if row.action is not None and viewer.may(row.permission) and row.refusal(situation) is None
    }
    return tuple(sorted(actions))


def transition(table: Table, name: str) -> Transition | None:
    """Return the transition with that name; None if the kind has none."""
    return next((row for row in table if row.name == name), None)


def require(
    table: Table, name: str, situation: ActionContext, viewer: Viewer, *path: str
) -> Transition:
    """Return the transition with that name, if it is possible now.

    Raises: IllegalState (with the possible actions; also if the kind has no such transition), or
    the refusal of the transition's guard.
    """
    row = transition(table, name)
    refusal = illegal_state(situation) if row is None else row.refusal(situation)
    if refusal is None:
        assert row is not None
        return row
    refusal.path = path
    if isinstance(refusal, IllegalState):
        refusal.allowed = allowed(table, situation, viewer)
    raise refusal
