"""Reads of test schedules: what is theirs beside the booking, and their windows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.reading import ORGANIZATION, of_organization, rows_by
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, TestSchedule, columns, table
from resolvers.test_schedules.windows import Window, windows_of
from resolvers.viewer import Viewer


def schedule_details(viewer: Viewer, keys: Sequence[UUID]) -> Read[TestSchedule]:
    """The rest of each test schedule, under its booking's key.

    For keys of bookings that are visible.
    """
    return rows_by(TestSchedule, "id", viewer, keys, UNRESTRICTED)


def schedules_by_keycode(viewer: Viewer, keycodes: Sequence[str]) -> Read[TestSchedule]:
    """The schedules that have these keycodes; a deleted one has none any more."""
    return rows_by(TestSchedule, "keycode", viewer, keycodes, UNRESTRICTED)


def windows_of_schedules(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """What the windows of each test schedule are made of."""

    def build(_: str) -> sa.Select[Any]:
        c, b = columns(TestSchedule), columns(Booking)
        return (
            sa.select(
                c.id,
                c.start_date,
                c.end_date,
                c.start_time,
                c.end_time,
                c.buffer_hours,
                b.time_zone,
            )
            .join(table(Booking), sa.and_(b.organization_id == c.organization_id, b.id == c.id))
            .where(of_organization(TestSchedule), one_of(c.id, "keys"))
        )

    return Read(
        "windows of schedules",
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys)},
        by_key=True,
    )


def windows_by_schedule(rows: Sequence[Any], *, now: datetime) -> Mapping[UUID, list[Window]]:
    """The windows of each schedule, by date."""
    return {row.id: windows_of(row, row.time_zone) for row in rows}
