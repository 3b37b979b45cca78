"""The states of a registration; domain.md, section 8.2."""

from resolvers.bookings.actions import Transition, before_cut_off, something_granted
from resolvers.vocabulary import BookingAction, BookingStatus, Permission, RegistrationStatus

_HELD = frozenset({BookingStatus.CONFIRMED})

TRANSITIONS = (
    Transition("transfer", BookingAction.TRANSFER, Permission.TRANSFER, _HELD),
    Transition("change assessment", BookingAction.CHANGE_ASSESSMENT, Permission.BOOK, _HELD),
    Transition(
        "cancel",
        BookingAction.CANCEL,
        Permission.CANCEL,
        _HELD,
        before_cut_off,
        BookingStatus.CANCELLED,
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
        "delete",
        BookingAction.DELETE,
        Permission.DELETE,
        _HELD | {BookingStatus.CANCELLED},
        target=BookingStatus.DELETED,
    ),
)

_FINE = {
    BookingStatus.CONFIRMED: RegistrationStatus.REGISTERED,
    BookingStatus.COMPLETED: RegistrationStatus.ATTENDED,
    BookingStatus.NO_SHOW: RegistrationStatus.ABSENT,
    BookingStatus.CANCELLED: RegistrationStatus.CANCELLED,
    BookingStatus.DELETED: RegistrationStatus.DELETED,
    BookingStatus.WAITLISTED: RegistrationStatus.WAITLISTED,
}


def registration_status(status: BookingStatus) -> RegistrationStatus:
    """The registration's own word for a common status."""
    return _FINE[status]
