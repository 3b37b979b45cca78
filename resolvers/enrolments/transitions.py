"""The states of an enrolment; domain.md, section 8.2."""

from resolvers.bookings.actions import (
    ActionContext,
    Transition,
    before_cut_off,
    illegal_state,
    something_granted,
)
from resolvers.refusals import Refusal
from resolvers.vocabulary import BookingAction, BookingStatus, EnrolmentStatus, Permission

_BOOKED = frozenset({BookingStatus.CONFIRMED})
_HELD = frozenset({BookingStatus.PENDING, BookingStatus.CONFIRMED})


def _before_start(situation: ActionContext) -> Refusal | None:
    return illegal_state(situation) if situation.started else None


def _after_start(situation: ActionContext) -> Refusal | None:
    return None if situation.started else illegal_state(situation)


TRANSITIONS = (
    Transition("move", BookingAction.MOVE, Permission.MOVE, _HELD, _before_start),
    Transition(
        "cancel",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _HELD,
        before_cut_off,
        BookingStatus.CANCELLED,
    ),
    Transition(
        "absent",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _BOOKED,
        _after_start,
        BookingStatus.NO_SHOW,
    ),
    Transition("grant", BookingAction.GRANT_ACCOMMODATION, Permission.GRANT_ACCOMMODATION, _HELD),
    Transition(
        "revoke",
        BookingAction.REVOKE_ACCOMMODATION,
        Permission.GRANT_ACCOMMODATION,
        _HELD,
        something_granted,
    ),
    Transition(
        "assign result",
        BookingAction.ASSIGN_RESULT,
        Permission.ASSIGN_RESULT,
        frozenset({BookingStatus.CONFIRMED, BookingStatus.COMPLETED}),
        target=BookingStatus.COMPLETED,
    ),
)

_FINE = {
    BookingStatus.PENDING: EnrolmentStatus.PENDING_PAYMENT,
    BookingStatus.CONFIRMED: EnrolmentStatus.BOOKED,
    BookingStatus.COMPLETED: EnrolmentStatus.COMPLETED,
    BookingStatus.NO_SHOW: EnrolmentStatus.ABSENT,
    BookingStatus.CANCELLED: EnrolmentStatus.CANCELLED,
    BookingStatus.EXPIRED: EnrolmentStatus.EXPIRED,
}


def enrolment_status(status: BookingStatus) -> EnrolmentStatus:
    """The enrolment status for a common status."""
    return _FINE[status]
