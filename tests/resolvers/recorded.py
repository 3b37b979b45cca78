"""Whether the log tells everything that became of the events."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage import Read, Storage
from resolvers.storage.rows import as_dict
from resolvers.storage.tables import ChangeLog, Event, EventVersion, table


async def all_rows(storage: Storage, model: Any) -> list[Any]:
    return await storage.read(Read(("all", model), lambda _: sa.select(table(model))))


async def untold_events(storage: Storage) -> list[Any]:
    """The events that the log does not have as they are, with each version recorded once."""
    told: defaultdict[UUID, list[tuple[int, str]]] = defaultdict(list)
    for change in sorted(await all_rows(storage, ChangeLog), key=lambda row: row.position):
        if change.event_type is not None:
            told[change.event_id].append((change.version, change.event_type.value))
    versions = {
        (row.id, row.version): as_dict(row) for row in await all_rows(storage, EventVersion)
    }
    untold = []
    for event in await all_rows(storage, Event):
        numbers = list(range(1, event.version + 1))
        types = [name for _, name in told[event.id]]
        as_it_was = [versions.get((event.id, n)) for n in numbers]
        if (
            [n for n, _ in told[event.id]] != numbers
            or types.count("CREATED") != 1
            or types[0] != "CREATED"
            or ("CANCELLED" in types) != (event.cancelled_at is not None)
            or None in as_it_was
            or as_it_was[-1] != as_dict(event)
        ):
            untold.append(event)
    return untold
