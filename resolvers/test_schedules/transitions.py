"""The states of a test schedule; domain.md, section 8.2."""

from datetime import datetime

from resolvers.bookings.actions import (
    ActionContext,
    Transition,
    before_cut_off,
    illegal_state,
    something_granted,
)
from resolvers.bookings.clock import current_status
from resolvers.refusals import Refusal
from resolvers.vocabulary import (
    BookingAction,
    BookingKind,
    BookingStatus,
    Permission,
    TestScheduleStatus,
)

_AHEAD = frozenset({BookingStatus.CONFIRMED})
"""SCHEDULED and OPEN: what the clock has overtaken is EXPIRED."""


def is_open(opens_at: datetime | None, now: datetime) -> bool:
    """Whether the window, buffer included, has opened."""
    return opens_at is not None and opens_at <= now


def _opened(situation: ActionContext) -> Refusal | None:
    if is_open(situation.booking.opens_at, situation.now):
        return None
    return illegal_state(situation)


TRANSITIONS = (
    Transition("move", BookingAction.MOVE, Permission.MOVE, _AHEAD),
    Transition(
        "cancel",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _AHEAD,
        before_cut_off,
        BookingStatus.CANCELLED,
    ),
    # called off all the same: who never sits is EXPIRED
    Transition(
        "absent",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _AHEAD,
        before_cut_off,
        BookingStatus.CANCELLED,
    ),
    Transition("grant", BookingAction.GRANT_ACCOMMODATION, Permission.GRANT_ACCOMMODATION, _AHEAD),
    Transition(
        "revoke",
        BookingAction.REVOKE_ACCOMMODATION,
        Permission.GRANT_ACCOMMODATION,
        _AHEAD,
        something_granted,
    ),
    Transition(
        "delete", BookingAction.DELETE, Permission.DELETE, _AHEAD, target=BookingStatus.DELETED
    ),
    Transition(
        "start",
        None,
        Permission.RECORD_SESSION,
        _AHEAD,
        _opened,
        BookingStatus.IN_PROGRESS,
    ),
    Transition(
        "complete",
        None,
        Permission.RECORD_SESSION,
        frozenset({BookingStatus.IN_PROGRESS}),
        target=BookingStatus.COMPLETED,
    ),
)

_FINE = {
    BookingStatus.CONFIRMED: TestScheduleStatus.SCHEDULED,
    BookingStatus.IN_PROGRESS: TestScheduleStatus.IN_PROGRESS,
    BookingStatus.COMPLETED: TestScheduleStatus.COMPLETED,
    BookingStatus.EXPIRED: TestScheduleStatus.EXPIRED,
    BookingStatus.CANCELLED: TestScheduleStatus.VOIDED,
    BookingStatus.DELETED: TestScheduleStatus.DELETED,
}


def schedule_status(
    status: BookingStatus,
    opens_at: datetime | None,
    closes_at: datetime | None,
    now: datetime,
    *,
    marked_externally: bool = False,
) -> TestScheduleStatus:
    """The schedule's own word for a stored status, once the clock is asked."""
    current = current_status(BookingKind.TEST_SCHEDULE, status, closes_at, now)
    if current is BookingStatus.CONFIRMED and is_open(opens_at, now):
        return TestScheduleStatus.OPEN
    if current is BookingStatus.COMPLETED and marked_externally:
        return TestScheduleStatus.MARKED_EXTERNALLY
    return _FINE[current]
