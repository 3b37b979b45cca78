"""The sheets for rough work at an event, one for each candidate [002]."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.filters import visible_to
from resolvers.reading import ORGANIZATION, of_organization
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Candidate, columns, table
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.viewer import Viewer

MOST_SHEETS = 10_000
"""The most sheets printed at once; capacities and lists of bookings have no such limit."""


def sheets_of_event(viewer: Viewer, event_id: UUID) -> Read[Any]:
    """Return the sheets of an event that the viewer may see, by seat, and one more than the limit.

    Rows of `candidate_id`, `seat` and the booking's `reference`. Seats are numbered from 1 by last
    name, first names and reference over the live bookings of every kind, visible or not: a
    candidate has the same seat for every viewer.
    """
    visible = visible_to(viewer)

    def build(_: str) -> sa.Select[Any]:
        seated = _seated().subquery("seated")
        narrow = visible_to(viewer, of=lambda: dict(seated.c.items())).narrow()
        limit: sa.ColumnClause[Any] = sa.literal_column(str(MOST_SHEETS + 1))
        return (
            sa.select(seated.c.candidate_id, seated.c.seat, seated.c.reference)
            .where(narrow)
            .order_by(seated.c.seat)
            .limit(limit)
        )

    return Read(
        ("sheets of event", MOST_SHEETS),
        build,
        {ORGANIZATION: viewer.organization_id, "event": event_id},
        narrowing=visible,
    )


def _seated() -> sa.Select[Any]:
    b, c = columns(Booking), columns(Candidate)
    seat = sa.func.row_number().over(order_by=(c.last_name, c.first_names, b.reference, b.id))
    return (
        sa.select(table(Booking), seat.label("seat"))
        .join(
            table(Candidate),
            sa.and_(c.organization_id == b.organization_id, c.id == b.candidate_id),
        )
        .where(
            of_organization(Booking),
            b.event_id == sa.bindparam("event", type_=b.event_id.type),
            sa.text(TAKES_A_SEAT),
        )
    )
