"""Following the log: no change is lost or told twice, whenever it is committed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest

from gateway.change_feed import ChangeFeed
from gateway.export_addresses import ExportAddresses
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.filters import NO_FILTER
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType, EventChangeType
from schema.changes.followed import BookingChanges, Changes, EventChanges
from schema.grammar.context import Context
from tests.patience import PATIENCE

COMMITS = 240


@pytest.fixture
async def feed(storage: Storage) -> AsyncIterator[ChangeFeed]:
    """A feed that hears of commits and looks for none by itself."""
    made = ChangeFeed(storage, poll_seconds=3600)
    await made.start()
    await asyncio.sleep(0)
    yield made
    await made.close()


def record(work: UnitOfWork, commands: Sequence[tuple[UUID, int]]) -> list[Outcome]:
    """Append one change for each: of an event, of a booking, in turns."""
    for organization_id, n in commands:
        subject: dict[str, Any] = {"event_type": EventChangeType.UPDATED, "event_id": new_key()}
        if n % 2:
            subject = {"booking_type": ChangeType.UPDATED, "booking_id": new_key()}
        what = {"id": new_key(), "at": work.now, "actor_name": "test", "changed_fields": []}
        work.record(organization_id, **what, version=1, **subject)
    return [Outcome(organization_id) for organization_id, _ in commands]


class Interposed(Context):
    """A context before and after each of whose reads somebody else commits."""

    def __init__(self, before: int, after: int, **options: Any) -> None:
        super().__init__(**options)
        self._before, self._after = before, after
        self._committed = 0

    async def read(self, read: Any) -> Any:
        await self._commit(self._before)
        rows = await super().read(read)
        await self._commit(self._after)
        return rows

    async def _commit(self, count: int) -> None:
        for n in range(self._committed, min(self._committed + count, COMMITS)):
            await self.storage.write(record, [(self.viewer.organization_id, n)])
        self._committed = min(self._committed + count, COMMITS)


FOLLOWED: dict[str, tuple[int, Callable[[Context, str], Changes]]] = {
    "bookings": (
        1,
        lambda context, after: BookingChanges(context, after, NO_FILTER, [ChangeType.UPDATED]),
    ),
    "events": (0, lambda context, after: EventChanges(context, after, NO_FILTER)),
}


@pytest.mark.parametrize("of", FOLLOWED)
@pytest.mark.parametrize(("before", "after"), [(1, 0), (0, 1), (1, 1), (3, 2), (0, 201), (201, 0)])
async def test_whatever_is_committed_between_two_reads_is_told_once(
    storage: Storage, feed: ChangeFeed, viewer: Viewer, of: str, before: int, after: int
):
    """In commit order, among changes that are not asked for, with more than a page at a time."""
    first, changes = FOLLOWED[of]
    exports = ExportAddresses("a secret of thirty-two bytes, or more", storage.clock)
    context = Interposed(before, after, viewer=viewer, storage=storage, feed=feed, exports=exports)
    beginning = IN_COMMIT_ORDER.cursor(Beginning)
    expected = [n + 1 for n in range(COMMITS) if n % 2 == first]

    told = []
    async with aclosing(changes(context, beginning).rows()) as following:
        async with asyncio.timeout(PATIENCE):
            while len(told) < len(expected):
                told.append((await anext(following)).position)

    assert told == expected


class Beginning:
    """The place before the first change."""

    position = 0
