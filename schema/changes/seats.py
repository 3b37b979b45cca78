"""The payload of `seatsChanged`."""

from datetime import datetime

from resolvers.change_reads import IN_COMMIT_ORDER
from schema.events.types import Event, Seats
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute


@object_type(description="The seats of an event, after something changed them.")
class SeatsChange:
    cursor: str = attribute(description="The place in the log that this count includes.")
    event: Event = attribute(description="The event.")
    seats: Seats = attribute(description="Its seats now.")
    at: datetime = attribute(description="When they were counted.")

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
