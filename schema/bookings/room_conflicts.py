"""Rooms with more bookings than seats, as bookings and events show them."""

from datetime import datetime
from typing import Any

import strawberry

from resolvers.viewer import Viewer
from schema.centres.types import Room
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, relation


def sees_conflicts(viewer: Viewer) -> bool:
    """Room conflicts are visible to staff, and hidden from agents and candidates."""
    return viewer.is_staff


@object_type(description="A period in which a room has more bookings than seats.")
class RoomConflict(OverRow):
    row: strawberry.Private[Any]

    room: Room = relation(
        "room_by_id", key="room_id", description="The room with too many bookings."
    )
    start: datetime = column("start_at", description="Start of the conflict.")
    end: datetime = column("end_at", description="End of the conflict.")
    capacity: int = column(description="Number of seats in the room.")
    taken: int = column(
        description="Highest number of bookings in the room at one time, of any kind and event."
    )
