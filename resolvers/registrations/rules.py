"""What holds for registrations and no other kind. Pure."""

from collections.abc import Collection
from uuid import UUID

from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.refusals import DuplicateBooking
from resolvers.storage.tables import Event

SHORTEST, LONGER_BY = 8, 4
"""How many hexadecimal digits of its identifier a registration's reference has, at least."""


def require_no_duplicate(
    candidate_schedules: CandidateSchedules,
    candidate_id: UUID,
    event: Event,
    *,
    but: UUID | None = None,
) -> None:
    """One live booking for an event, of any kind, unless the event allows several.

    Raises: DuplicateBooking.
    """
    if event.allow_multiple_registrations:
        return
    live = [b for b in candidate_schedules.live(candidate_id) if b.id != but]
    duplicates = [b.id for b in live if b.event_id == event.id]
    if duplicates:
        raise DuplicateBooking(conflicting=duplicates)


def possible_references(identifier: UUID) -> list[str]:
    """`REG-` and the first digits of the identifier: eight, more where that is taken."""
    digits = identifier.hex
    return [f"REG-{digits[:n]}" for n in range(SHORTEST, len(digits) + 1, LONGER_BY)]


def free_reference(identifier: UUID, taken: Collection[str]) -> str:
    """The shortest of the possible references that nobody has."""
    references = possible_references(identifier)
    return next((one for one in references if one not in taken), references[-1])
