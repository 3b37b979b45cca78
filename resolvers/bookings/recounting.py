"""Recounts the seats that bookings take, and compares the numbers with the counters.

A counter and the bookings that it counts change in one transaction, so one statement sees both at
one moment, whatever is booked in the meantime. A difference stays the same until it is corrected.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.organizations.locking import lock_organizations
from resolvers.outcomes import Outcome
from resolvers.storage import Read, UnitOfWork, seat_counts
from resolvers.storage.columns import one_of
from resolvers.storage.read import ORGANIZATIONS
from resolvers.storage.seat_counts import COUNTERS, Change
from resolvers.storage.tables import Booking, columns, table
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.values import frozen

CORRECTED: Final = "corrected"
"""The outcome's fact with the differences that were found, as text."""


@frozen
class RepairSeats:
    """Correct the counters of an organization."""

    organization_id: UUID


def repair_seats(work: UnitOfWork, commands: Sequence[RepairSeats]) -> list[Outcome]:
    """Set each counter to the number of its bookings.

    The difference is added, so bookings need not wait. Two repairs of one organization wait for
    each other.
    """
    lock_organizations(work, (command.organization_id for command in commands))
    return [_repair(work, command.organization_id) for command in commands]


def _repair(work: UnitOfWork, organization_id: UUID) -> Outcome:
    corrected: list[str] = []
    for read in miscounted(organization_id):
        found = work.rows(read)
        seat_counts.write(work, _missing(found, 1), _missing(found, -1))
        corrected += map(described, found)
    return Outcome(organization_id, changed=bool(corrected), facts={CORRECTED: corrected})


def miscounted(organization_id: UUID) -> list[Read[Any]]:
    """Return the counters of events and of rooms that differ from the numbers of bookings.

    Each row has the columns of a counter's key, the `counter`, and the number of `bookings`.
    """
    return [
        Read(
            ("miscounted", model),
            partial(_miscounted, model),
            {ORGANIZATIONS: [organization_id]},
        )
        for model in COUNTERS
    ]


def described(row: Any) -> str:
    """Describe a row of `miscounted`."""
    numbers = f"the counter is {row.counter}, and the bookings are {row.bookings}"
    if _model_of(row) is COUNTERS[0]:
        return f"seats taken at event {row.event_id}: {numbers}"
    times = f"{row.start_at:%Y-%m-%dT%H:%MZ} to {row.busy_until_at:%Y-%m-%dT%H:%MZ}"
    return f"seats taken in room {row.room_id}, {times}: {numbers}"


def _model_of(row: Any) -> type[SQLModel]:
    return COUNTERS[0] if hasattr(row, "event_id") else COUNTERS[1]


def _missing(found: Sequence[Any], sign: int) -> list[Change]:
    """Return the amounts to add to the counters; with -1, those to subtract."""
    rows = [
        (
            *(getattr(row, name) for name in _key_of(_model_of(row))),
            sign * (row.bookings - row.counter),
        )
        for row in found
        if sign * (row.bookings - row.counter) > 0
    ]
    return [Change(_model_of(found[0]), rows)] if rows else []


def _key_of(model: type[SQLModel]) -> list[str]:
    return [column.name for column in table(model).primary_key]


def _miscounted(model: type[SQLModel], _: str) -> sa.Select[Any]:
    names, b, c = _key_of(model), columns(Booking), columns(model)
    nothing, one = (sa.literal_column(number, sa.Integer) for number in "01")
    live = sa.select(*(b[name] for name in names), nothing.label("kept"), one.label("live")).where(
        one_of(b.organization_id, ORGANIZATIONS),
        sa.text(TAKES_A_SEAT),
        *(b[name].is_not(None) for name in names),
    )
    kept = sa.select(*(c[name] for name in names), c.taken, nothing).where(
        one_of(c.organization_id, ORGANIZATIONS)
    )
    both = sa.union_all(live, kept).subquery("each")
    keys = [both.c[name] for name in names]
    sums = (sa.func.sum(both.c[name]) for name in ("kept", "live"))
    counter, bookings = (sa.cast(number, sa.Integer) for number in sums)
    return (
        sa.select(*keys, counter.label("counter"), bookings.label("bookings"))
        .group_by(*keys)
        .having(counter != bookings)
        .order_by(*keys)
    )
