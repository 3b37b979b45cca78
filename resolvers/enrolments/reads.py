"""Reads of the details of enrolments."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.reading import rows_by
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.read import Read
from resolvers.storage.tables import Enrolment
from resolvers.viewer import Viewer


def enrolment_details(viewer: Viewer, keys: Sequence[UUID]) -> Read[Enrolment]:
    """The details of each enrolment by the booking's key.

    For keys of bookings that are visible.
    """
    return rows_by(Enrolment, "id", viewer, keys, UNRESTRICTED)
