"""The status that a booking reaches with time, without being stored; in Python and in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.vocabulary import BookingKind, BookingStatus

WHEN_CLOSED: dict[BookingKind, BookingStatus] = {}
"""The status of a kind's CONFIRMED bookings once they are over; EXPIRED for other kinds.

Filled by `resolvers.every_kind`, which knows the kinds.
"""


def current_status(
    kind: BookingKind, status: BookingStatus, closes_at: datetime | None, now: datetime
) -> BookingStatus:
    """Return the current status: a CONFIRMED booking is over as soon as it closes."""
    if status is BookingStatus.CONFIRMED and closes_at is not None and closes_at <= now:
        return WHEN_CLOSED.get(kind, BookingStatus.EXPIRED)
    return status


def has_closed(of: Mapping[str, sa.ColumnElement[Any]], now: str) -> sa.ColumnElement[bool]:
    """Whether `current_status` differs from the stored one; never null.

    `now` is the name of the bound instant.
    """
    closes_at = of["closes_at"]
    return sa.and_(
        of["status"] == sa.literal_column("'CONFIRMED'"),
        closes_at.is_not(None),
        closes_at <= sa.bindparam(now, type_=closes_at.type),
    )


def status_once_closed(of: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return the `current_status` of bookings that have closed."""
    expired = _as_literal(of, BookingStatus.EXPIRED)
    others = [
        (of["kind"] == sa.literal_column(f"'{kind}'"), _as_literal(of, status))
        for kind, status in WHEN_CLOSED.items()
    ]
    return sa.case(*others, else_=expired) if others else expired


def _as_literal(
    of: Mapping[str, sa.ColumnElement[Any]], status: BookingStatus
) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{status}'", of["status"].type)
