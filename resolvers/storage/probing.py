"""Finds out whether anything can be written, without changing anything."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.outcomes import Outcome
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

NO_ORGANIZATION = UUID(int=0)


@frozen
class Probe:
    """Write, but change nothing; in a lane of its own, because it needs no lock."""

    organization_id: UUID = NO_ORGANIZATION


def probe(work: UnitOfWork, commands: Sequence[Probe]) -> list[Outcome]:
    """Commit a write that changes nothing."""
    work.touch()
    return [Outcome(command.organization_id, changed=False) for command in commands]
