"""What the clock makes of a booking without anybody storing it; in Python and in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.vocabulary import BookingKind, BookingStatus


def current_status(
    kind: BookingKind, status: BookingStatus, closes_at: datetime | None, now: datetime
) -> BookingStatus:
    """The status now: what is CONFIRMED when it closes is over from that instant on.

    Courses have then taken place; what was not begun in its window is EXPIRED.
    """
    if status is BookingStatus.CONFIRMED and closes_at is not None and closes_at <= now:
        course = kind is BookingKind.AGENT_BOOKING
        return BookingStatus.COMPLETED if course else BookingStatus.EXPIRED
    return status


def has_closed(of: Mapping[str, sa.ColumnElement[Any]], now: str) -> sa.ColumnElement[bool]:
    """Whether `current_status` is not the one that is stored; never null.

    `now` is the name of the bound instant.
    """
    closes_at = of["closes_at"]
    return sa.and_(
        of["status"] == sa.literal_column("'CONFIRMED'"),
        closes_at.is_not(None),
        closes_at <= sa.bindparam(now, type_=closes_at.type),
    )


def status_once_closed(of: Mapping[str, sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """What `current_status` is of what has closed."""
    status = of["status"].type
    return sa.case(
        (
            of["kind"] == sa.literal_column("'AGENT_BOOKING'"),
            sa.literal_column("'COMPLETED'", status),
        ),
        else_=sa.literal_column("'EXPIRED'", status),
    )
