"""Each candidate's bookings, updated while a batch adds to them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from resolvers.bookings.kinds import kind_of
from resolvers.bookings.seats import overlap, span_of, takes_seat
from resolvers.storage.tables import Booking

ENTRY: Final = (
    "organization_id",
    "id",
    "kind",
    "status",
    "candidate_id",
    "event_id",
    "test_id",
    "start_at",
    "busy_until_at",
    "opens_at",
    "session_started_at",
    "created_at",
)
"""The columns that the rules about a candidate's other bookings read."""


class CandidateSchedules:
    """The bookings of the locked candidates, of every kind: the columns in ENTRY, or all."""

    def __init__(self, bookings: Iterable[Booking] = ()) -> None:
        self._of: defaultdict[UUID, dict[UUID, Booking]] = defaultdict(dict)
        self._in_order: dict[UUID, list[Booking]] = {}
        for booking in bookings:
            self.write(booking)

    def write(self, booking: Booking) -> None:
        """Add a booking, or replace it by its newer version."""
        self._of[booking.candidate_id][booking.id] = booking
        self._in_order.pop(booking.candidate_id, None)

    def of(self, candidate_id: UUID) -> Sequence[Booking]:
        """Return the candidate's bookings, oldest first."""
        ordered = self._in_order.get(candidate_id)
        if ordered is None:
            ordered = sorted(self._of[candidate_id].values(), key=lambda b: (b.created_at, b.id))
            self._in_order[candidate_id] = ordered
        return ordered

    def everything(self) -> list[Booking]:
        """Return the bookings of all candidates."""
        return [booking for of_one in self._of.values() for booking in of_one.values()]

    def live(self, candidate_id: UUID) -> list[Booking]:
        """Return the candidate's bookings that take a seat."""
        return [booking for booking in self.of(candidate_id) if takes_seat(booking)]

    def conflicts(self, wanted: Booking, *, same_event_may_overlap: bool = False) -> list[Booking]:
        """Return the candidate's other bookings that overlap a booking, including its extra time.

        Bookings that last for weeks do not conflict with others.
        """
        span = span_of(wanted)
        if span is None or kind_of(wanted).lasts_weeks:
            return []
        return [
            other
            for other in self.live(wanted.candidate_id)
            if other.id != wanted.id
            and not kind_of(other).lasts_weeks
            and (theirs := span_of(other)) is not None
            and overlap(span, theirs)
            and not (same_event_may_overlap and other.event_id == wanted.event_id is not None)
        ]
