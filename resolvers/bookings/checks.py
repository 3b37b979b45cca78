"""What every command on an existing booking checks before it asks its own rules."""

from datetime import datetime
from uuid import UUID

from resolvers.bookings.actions import may_touch
from resolvers.bookings.clock import current_status
from resolvers.references import Lookup, Ref
from resolvers.refusals import NotFoundRefusal, StaleBooking
from resolvers.storage.tables import Booking
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind


def find(
    bookings: Lookup[Booking],
    locked: dict[UUID, Booking],
    viewer: Viewer,
    ref: Ref,
    *path: str,
    kind: BookingKind | None = None,
    missing: type[NotFoundRefusal] = NotFoundRefusal,
) -> Booking:
    """The booking that is meant, as it is once locked; of one kind only, where that is given.

    Raises: NotFoundRefusal or the given kind of it (also for one that the viewer may not see),
    Invalid.
    """
    found = bookings.one(viewer.organization_id, ref, *path, missing=missing)
    booking = locked[found.id]
    if kind not in {None, booking.kind} or not may_touch(viewer, booking):
        raise missing(*path, object_type=bookings.type_name)
    return booking


def require_version(
    booking: Booking, expected: int | None, *path: str, now: datetime | None = None
) -> None:
    """Raises: StaleBooking (with the status as it was stored, or as it is at `now`)."""
    if expected is not None and expected != booking.version:
        status = booking.status
        if now is not None:
            status = current_status(booking.kind, status, booking.closes_at, now)
        raise StaleBooking(*path, version=booking.version, status=status)
