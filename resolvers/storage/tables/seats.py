"""How many seats are taken: counters that change in the transaction that changes the bookings.

A booking would otherwise count the bookings of its event and its room, and cost the more the more
there are. `resolvers.storage.seat_counts` keeps the counters; `booking-gateway doctor` recounts.
"""

from datetime import datetime
from uuid import UUID

from resolvers.storage.columns import instant, key
from resolvers.storage.tables.tenant import TableModel, check, refers_to


class EventSeats(TableModel, table=True):
    """How many bookings take a seat at an event. An event without a row has none."""

    __tablename__ = "event_seats"
    __table_args__ = (refers_to("event"), check("taken", "taken >= 0"))

    organization_id: UUID = key(primary_key=True)
    event_id: UUID = key(primary_key=True)
    taken: int


class RoomSeats(TableModel, table=True):
    """How many bookings take a seat in a room from one instant until another.

    Bookings of one event have the same times, unless some last longer. The end comes first in the
    key: what is over before a booking begins is passed by.
    """

    __tablename__ = "room_seats"
    __table_args__ = (refers_to("room"), check("taken", "taken >= 0"))

    organization_id: UUID = key(primary_key=True)
    room_id: UUID = key(primary_key=True)
    busy_until_at: datetime = instant(primary_key=True)
    start_at: datetime = instant(primary_key=True)
    taken: int
