"""The payload of `seatsChanged`."""

from datetime import datetime

from resolvers.change_reads import IN_COMMIT_ORDER
from schema.events.types import Event, Seats
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute


@object_type(description="The seat count of an event after it changed.")
class SeatsChange:
    cursor: str = attribute(description="Position in the log that this count includes.")
    event: Event = attribute(description="The event whose seats changed.")
    seats: Seats = attribute(description="The current seat count of the event.")
    at: datetime = attribute(description="Time when the seats were counted.")

    @classmethod
    def at_position(cls, position: int, event: Event, seats: Seats, now: datetime) -> "SeatsChange":
        """The count after all changes up to a position of the log."""
        return cls(cursor=cursor_at(position), event=event, seats=seats, at=now)


def cursor_at(position: int) -> str:
    """Return the cursor of a position of the log."""
    return IN_COMMIT_ORDER.cursor(_Place(position))


class _Place:
    """A position of the log that does not belong to a change of a booking."""

    def __init__(self, position: int) -> None:
        self.position = position
