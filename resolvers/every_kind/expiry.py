"""What the clock brings about, stored by the background work."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resolvers.bookings.expiry import expire, overdue_anywhere
from resolvers.outcomes import Outcome
from resolvers.storage.unit_of_work import UnitOfWork

NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ExpireDue:
    """Expire what is overdue, in every organization."""


def expire_due(work: UnitOfWork, commands: Sequence[ExpireDue]) -> list[Outcome]:
    """Expire at most 500 overdue bookings.

    `facts` says how many, so that a full batch is followed by another.
    """
    expired = len(expire(work, overdue_anywhere(work)))
    return [Outcome(NOBODY, changed=expired > 0, facts={"expired": expired}) for _ in commands]
