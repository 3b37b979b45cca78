"""Stores the expiry of overdue bookings, as background work."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings.expiry import expire, overdue_in
from resolvers.outcomes import Outcome
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

NOBODY = UUID(int=0)


@frozen
class ExpireDue:
    """Expire overdue bookings of an organization, by default of all organizations."""

    organization_id: UUID | None = None


def expire_due(work: UnitOfWork, commands: Sequence[ExpireDue]) -> list[Outcome]:
    """Expire at most 500 overdue bookings, whatever the number of commands.

    Bookings that another session has locked are left for a later call. The fact `expired` of an
    outcome is the number of bookings that expired in its organization; an outcome is `changed` if
    there were any, and then there may be more.
    """
    asked = [command.organization_id for command in commands]
    chosen = [of for of in asked if of is not None]
    everywhere = len(chosen) < len(asked)
    counts = Counter(
        booking.organization_id
        for booking in expire(work, overdue_in(work, None if everywhere else chosen))
    )
    expired = [counts.total() if of is None else counts[of] for of in asked]
    return [
        Outcome(of or NOBODY, changed=number > 0, facts={"expired": number})
        for of, number in zip(asked, expired, strict=True)
    ]
