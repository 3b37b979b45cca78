"""The rows for bookings that get longer, locked in the same order as for a new booking."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.expiry import lock_current, overdue_at
from resolvers.bookings.seats import span_of, takes_seat
from resolvers.outcomes import Warning
from resolvers.storage.tables import Booking, Candidate, Event, Room
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import WarningCode

ROOM_FULL = Warning(
    WarningCode.ROOM_FULL, "The room has more bookings than seats in the added time."
)


class ExtensionBatch:
    """Bookings that may get longer, with their events, rooms and candidates, all locked.

    `found` are the bookings before the locks. Locked, table by table in key order: events, rooms,
    candidates; then the bookings, and the overdue ones there, which are expired before seats are
    counted.
    """

    def __init__(self, work: UnitOfWork, found: Sequence[Booking]) -> None:
        self.events: dict[UUID, Event] = loading.lock(work, Event, _column(found, "event_id"))
        self._rooms: dict[UUID, Room] = loading.lock(work, Room, _column(found, "room_id"))
        candidates = _column(found, "candidate_id")
        loading.lock(work, Candidate, candidates)
        overdue = overdue_at(
            work,
            organizations={row.organization_id for row in found},
            events=list(self.events),
            rooms=list(self._rooms),
            candidates=[key for _, key in candidates],
        )
        keys = _column(found, "id")
        current = lock_current(work, [*keys, *overdue])
        self.bookings = {key: current[key] for _, key in keys}
        self.candidate_schedules = loading.candidate_schedules(work, candidates)
        rooms = list(self._rooms.values())
        starts = (row.start_at for row in self.bookings.values() if row.start_at is not None)
        self._seats = loading.seats(work, [], rooms, min([work.now, *starts]))

    def holds(self, booking: Booking) -> bool:
        """Whether the booking's event and room are locked: it may have moved before the lock."""
        return booking.event_id in {None, *self.events} and booking.room_id in {None, *self._rooms}

    def take(self, before: Booking, after: Booking) -> list[Warning]:
        """Count a booking with its new length. Warns if the room has no seat for it in the added
        time.
        """
        self.bookings[after.id] = after
        self.candidate_schedules.write(after)
        self._seats.free(before)
        self._seats.take(after)
        old, new = span_of(before), span_of(after)
        if after.room_id is None or not takes_seat(after) or old is None or new is None:
            return []
        room = self._rooms[after.room_id]
        if new[1] <= old[1] or self._seats.peak(room.id, (old[1], new[1])) <= room.capacity:
            return []
        return [ROOM_FULL]


def _column(rows: Iterable[Any], column: str) -> list[tuple[UUID, UUID]]:
    keys = ((row.organization_id, getattr(row, column)) for row in rows)
    return [(organization_id, key) for organization_id, key in keys if key is not None]
