"""Rooms with more bookings than seats, as bookings and events show them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.seats import Span
from resolvers.reading import ORGANIZATION, of_organization
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Room, RoomSeats, columns, table
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.values import frozen
from resolvers.viewer import Viewer


@frozen
class RoomConflict:
    """A period in which a room has more bookings than seats, and the most bookings in it."""

    room_id: UUID
    start_at: datetime
    end_at: datetime
    capacity: int
    taken: int


def crowded_rooms_of_bookings(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """Read the rows that `assembled_conflicts` needs for bookings."""
    return _crowded("id", viewer, keys)


def crowded_rooms_of_events(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """Read the rows that `assembled_conflicts` needs for events: all of their bookings, by room."""
    return _crowded("event_id", viewer, keys)


def assembled_conflicts(rows: Iterable[Any], *, now: datetime) -> dict[UUID, list[RoomConflict]]:
    """Return the conflicts of each parent, by start, then by room. A parent without any has no
    entry.
    """
    rooms: dict[tuple[UUID, UUID, int], tuple[set[Span], dict[Span, int]]] = {}
    for row in rows:
        own, taken = rooms.setdefault((row.parent_id, row.room_id, row.capacity), (set(), {}))
        own.add((row.own_start_at, row.own_until_at))
        taken[row.start_at, row.busy_until_at] = row.taken
    found: defaultdict[UUID, list[RoomConflict]] = defaultdict(list)
    for (parent, room, capacity), (own, taken) in rooms.items():
        for (start, end), most in crowded(capacity, own, taken):
            found[parent].append(RoomConflict(room, start, end, capacity, most))
    return {key: sorted(of, key=lambda c: (c.start_at, c.room_id)) for key, of in found.items()}


def crowded(
    capacity: int, own: Iterable[Span], taken: Mapping[Span, int]
) -> list[tuple[Span, int]]:
    """Return the periods within the `own` spans in which more seats are taken than there are. Pure.

    `taken` is the number of bookings of each span. Each period has the most seats taken in it.
    """
    steps: Counter[datetime] = Counter()
    own_steps: Counter[datetime] = Counter()
    for (start, end), count in taken.items():
        steps[start] += count
        steps[end] -= count
    for start, end in own:
        own_steps[start] += 1
        own_steps[end] -= 1
    found: list[tuple[Span, int]] = []
    present = mine = 0
    instants = sorted({*steps, *own_steps})
    for at, until in pairwise(instants):
        present += steps[at]
        mine += own_steps[at]
        if present <= capacity or mine == 0:
            continue
        if found and found[-1][0][1] == at:
            (start, _), most = found.pop()
            found.append(((start, until), max(most, present)))
        else:
            found.append(((at, until), present))
    return found


def _crowded(parent: str, viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    values = {ORGANIZATION: viewer.organization_id, "keys": list(keys)}
    return Read(("crowded rooms", parent), lambda _: _select_crowded(parent), values, by_key=True)


def _select_crowded(parent: str) -> sa.Select[Any]:
    """Select each time of a parent's bookings, with the times of all bookings in the room during
    it.

    Limited to rooms with fewer seats than bookings during that time: others have no conflicts.
    """
    b, r = columns(Booking), columns(Room)
    own = (
        sa.select(
            b[parent].label("parent_id"), b.organization_id, b.room_id, b.start_at, b.busy_until_at
        )
        .where(of_organization(Booking), one_of(b[parent], "keys"), sa.text(TAKES_A_SEAT))
        .where(b.room_id.is_not(None))
        .distinct()
        .subquery("own")
    )
    other = columns(RoomSeats)
    times = own.c.parent_id, own.c.room_id, own.c.start_at, own.c.busy_until_at
    together = (
        sa.select(
            own.c.parent_id,
            own.c.room_id,
            r.capacity,
            own.c.start_at.label("own_start_at"),
            own.c.busy_until_at.label("own_until_at"),
            other.start_at,
            other.busy_until_at,
            other.taken,
            sa.func.sum(other.taken).over(partition_by=times).label("meanwhile"),
        )
        .join_from(
            own,
            table(Room),
            sa.and_(r.organization_id == own.c.organization_id, r.id == own.c.room_id),
        )
        .join(
            table(RoomSeats),
            sa.and_(
                other.organization_id == own.c.organization_id,
                other.room_id == own.c.room_id,
                other.start_at < own.c.busy_until_at,
                other.busy_until_at > own.c.start_at,
            ),
        )
        .subquery("together")
    )
    return sa.select(together).where(together.c.meanwhile > together.c.capacity)
