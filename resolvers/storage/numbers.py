"""Numbers of an organization's series, taken in blocks: the series' row is seldom locked."""

from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage.read import Read
from resolvers.storage.rows import new_row
from resolvers.storage.tables import NumberSeries, columns, table

if TYPE_CHECKING:
    from resolvers.storage.unit_of_work import UnitOfWork

NUMBERS_AT_ONCE = 256
"""How many numbers of a series a process takes at a time: the series' row is locked that seldom."""

Blocks = dict[tuple[UUID, str], list[int]]
"""What is left of the blocks of numbers that were taken, by organization and series."""


class Numbers:
    """The numbers that this process has taken from each series and not yet given out.

    A block is taken in the transaction that first needs it and shared only after its commit; a
    rollback forgets it. So no two processes give out the same number, and the row is seldom locked.
    """

    def __init__(self) -> None:
        self._free: Blocks = {}
        self._uncommitted: Blocks = {}

    def take(self, work: "UnitOfWork", organization_id: UUID, series: str, count: int) -> list[int]:
        key = (organization_id, series)
        for pool in (self._free, self._uncommitted):
            have = pool.get(key, [])
            if len(have) >= count:
                pool[key] = have[count:]
                return have[:count]
        block = max(count, NUMBERS_AT_ONCE)
        read: Read[NumberSeries] = Read(
            "take numbers",
            lambda _: _raise_series(),
            {"by": block, "of": organization_id, "series": series},
        )
        rows = work.rows(read)
        if not rows:
            work.insert(
                NumberSeries,
                [
                    new_row(
                        NumberSeries, organization_id=organization_id, name=series, next=1 + block
                    )
                ],
            )
            end = 1 + block
        else:
            end = rows[0].next
        numbers = list(range(end - block, end))
        self._uncommitted[key] = numbers[count:]
        return numbers[:count]

    def commit(self) -> None:
        self._free.update(self._uncommitted)
        self._uncommitted.clear()

    def forget(self) -> None:
        """Give out none of the numbers that were taken before."""
        self._free.clear()
        self._uncommitted.clear()

    def uncommitted(self) -> Blocks:
        """What is left of the blocks of the open transaction."""
        return dict(self._uncommitted)

    def rollback(self, before: Blocks | None = None) -> None:
        """Forget the blocks of the open transaction, or those that it took since `before`."""
        self._uncommitted = before or {}


def _raise_series() -> sa.Executable:
    c = columns(NumberSeries)
    return (
        table(NumberSeries)
        .update()
        .where(c.organization_id == sa.bindparam("of"), c.name == sa.bindparam("series"))
        .values(next=c.next + sa.bindparam("by", type_=sa.BigInteger))
        .returning(c.next)
    )
