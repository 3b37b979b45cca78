"""The times of background work: an outage must not count as time in which a receiver was tried."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import WorkerPresence, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

NOBODY: Final = UUID(int=0)

BEAT_SECONDS: Final = 15.0
"""How often a worker reports its presence."""

LONGEST_SILENCE: Final = timedelta(seconds=60)
"""A longer time without a report is a pause."""


@frozen
class ReportPresence:
    """Report that a worker is running."""


def say_present(work: UnitOfWork, commands: Sequence[ReportPresence]) -> list[Outcome]:
    """Record that a worker is running; after a pause, as a new presence.

    `changed` says whether there was a pause or no earlier presence.
    """
    latest = next(iter(work.rows(_latest())), None)
    if latest is None or work.now - latest.seen_at > LONGEST_SILENCE:
        work.insert(WorkerPresence, [new_row(WorkerPresence, began_at=work.now, seen_at=work.now)])
        return [Outcome(NOBODY) for _ in commands]
    if work.now > latest.seen_at:  # a clock may have been set back
        work.save(WorkerPresence, [(latest, changed(latest, seen_at=work.now))])
    return [Outcome(NOBODY, changed=False) for _ in commands]


def presences(work: UnitOfWork) -> list[WorkerPresence]:
    """Return the periods in which a worker was running, in order."""
    read: Read[WorkerPresence] = Read(
        "presences of workers",
        lambda _: sa.select(table(WorkerPresence)).order_by(columns(WorkerPresence).began_at),
    )
    return work.rows(read)


def paused_for(presences: Iterable[WorkerPresence], since: datetime, now: datetime) -> timedelta:
    """Return how long no worker was running between two instants. `presences` are in order.

    The time before the first presence does not count as a pause.
    """
    paused = timedelta()
    seen_at = None
    for one in presences:
        if seen_at is not None:
            paused += _overlap(seen_at, one.began_at, since, now)
        seen_at = one.seen_at if seen_at is None else max(seen_at, one.seen_at)
    if seen_at is not None and now - seen_at > LONGEST_SILENCE:
        paused += _overlap(seen_at, now, since, now)
    return paused


def _overlap(begin: datetime, end: datetime, since: datetime, now: datetime) -> timedelta:
    return max(min(end, now) - max(begin, since), timedelta())


def _latest() -> Read[WorkerPresence]:
    def build(dialect: str) -> sa.Select[Any]:
        statement = (
            sa.select(table(WorkerPresence))
            .order_by(columns(WorkerPresence).seen_at.desc())
            .limit(sa.literal_column("1"))
        )
        return statement.with_for_update() if dialect == "postgresql" else statement

    return Read("latest presence", build)
