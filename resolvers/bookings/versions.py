"""The next version of a booking: each change increments the number that callers compare."""

from datetime import datetime
from typing import Any

from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking


def next_version(booking: Booking, now: datetime, **values: Any) -> Booking:
    """Return the booking with these values, as its next version."""
    return changed(booking, version=booking.version + 1, updated_at=now, **values)
