"""The checks of every command on an existing booking that precede its own rules."""

from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.bookings.actions import ActionContext, allowed, may_touch
from resolvers.bookings.kinds import kind_of
from resolvers.references import Lookup, Ref, named
from resolvers.refusals import NotFoundRefusal, ReasonRequired, StaleBooking, ValidationErrors
from resolvers.storage.tables import Booking
from resolvers.texts import normalized
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
    """Return the locked booking for a reference; with `kind`, only of that kind.

    Raises: NotFoundRefusal or the given kind of it (also for one that the viewer may not see),
    Invalid.
    """
    found = bookings.one(viewer, ref, *path, missing=missing)
    booking = locked[found.id]
    if kind not in {None, booking.kind} or not may_touch(viewer, booking):
        raise missing(*path, object_type=bookings.type_name, identifier=named(ref))
    return booking


def check_required_reason(reason: str | None, stage: ValidationErrors) -> None:
    """Check a reason that the caller must give.

    Refusals: ReasonRequired (missing or blank), WrongLength.
    """
    if not normalized(reason or ""):
        stage.add(ReasonRequired("reason"))
    stage.of(checks.text, reason, "reason", most=checks.REASON)


def require_version(situation: ActionContext, viewer: Viewer, expected: int | None) -> None:
    """Raises: StaleBooking."""
    if expected not in {None, situation.booking.version}:
        raise StaleBooking("expected_version", **state_of(situation, viewer))


def state_of(situation: ActionContext, viewer: Viewer) -> dict[str, Any]:
    """Return the facts of a StateRefusal: the booking, its version, status and possible actions."""
    booking = situation.booking
    return {
        "booking": booking.id,
        "version": booking.version,
        "status": situation.status,
        "allowed": allowed(kind_of(booking).transitions, situation, viewer),
    }
