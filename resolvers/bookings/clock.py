"""What the clock makes of a booking without anybody storing it; in Python and in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.vocabulary import BookingStatus


def current_status(
    status: BookingStatus, closes_at: datetime | None, now: datetime
) -> BookingStatus:
    """The status now: what was not begun when its window closed is EXPIRED from that instant on."""
    if status is BookingStatus.CONFIRMED and closes_at is not None and closes_at <= now:
        return BookingStatus.EXPIRED
    return status


def has_closed(of: Mapping[str, sa.ColumnElement[Any]], now: str) -> sa.ColumnElement[bool]:
    """Whether `current_status` is EXPIRED where another is stored; never null.

    `now` is the name of the bound instant.
    """
    closes_at = of["closes_at"]
    return sa.and_(
        of["status"] == sa.literal_column("'CONFIRMED'"),
        closes_at.is_not(None),
        closes_at <= sa.bindparam(now, type_=closes_at.type),
    )
