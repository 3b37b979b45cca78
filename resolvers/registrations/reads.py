"""Reads of registrations: what is theirs beside the booking."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.reading import rows_by
from resolvers.storage.read import Read
from resolvers.storage.tables import Registration, RegistrationTransfer
from resolvers.viewer import Viewer


def registration_details(viewer: Viewer, keys: Sequence[UUID]) -> Read[Registration]:
    """The rest of each registration, under its booking's key.

    For keys of bookings that are visible.
    """
    return rows_by(Registration, "id", viewer, keys)


def transfers_of_registrations(viewer: Viewer, keys: Sequence[UUID]) -> Read[RegistrationTransfer]:
    """The transfers of each registration, by its booking's key, oldest first."""
    return rows_by(RegistrationTransfer, "booking_id", viewer, keys, order="at")
