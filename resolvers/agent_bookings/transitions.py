"""The states of an agent booking; domain.md, section 8.2."""

from resolvers.bookings.actions import (
    ActionContext,
    Transition,
    before_cut_off,
    illegal_state,
    something_granted,
)
from resolvers.refusals import Refusal
from resolvers.vocabulary import BookingAction, BookingStatus, Permission

_LIVE = frozenset(
    {
        BookingStatus.PENDING,
        BookingStatus.INVALID,
        BookingStatus.CONFIRMED,
        BookingStatus.COMPLETED,  # what the clock makes of CONFIRMED
    }
)


def _not_started(situation: ActionContext) -> Refusal | None:
    """A guard: all dates of the booking are in the future."""
    return illegal_state(situation) if situation.started else None


TRANSITIONS = (
    Transition(
        "resubmit",
        BookingAction.RESUBMIT,
        Permission.BOOK,
        _LIVE,
        target=BookingStatus.PENDING,
    ),
    Transition(
        "reopen",
        BookingAction.RESUBMIT,
        Permission.BOOK,
        frozenset({BookingStatus.CANCELLED}),
        _not_started,
        BookingStatus.PENDING,
    ),
    Transition(
        "cancel",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _LIVE,
        before_cut_off,
        BookingStatus.CANCELLED,
    ),
    Transition("grant", BookingAction.GRANT_ACCOMMODATION, Permission.GRANT_ACCOMMODATION, _LIVE),
    Transition(
        "revoke",
        BookingAction.REVOKE_ACCOMMODATION,
        Permission.GRANT_ACCOMMODATION,
        _LIVE,
        something_granted,
    ),
)
