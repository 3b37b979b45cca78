"""Events that Shift iQ's documents make or change are in the log, each change once."""

from collections import Counter

from resolvers.storage.tables import Event
from tests.resolvers.recorded import all_rows, untold_events
from tests.resolvers.sources.shift_iq.conftest import ImportShift, event
from tests.resolvers.world import World


async def test_every_event_of_the_documents_is_recorded(imports: ImportShift, world: World) -> None:
    """Made once, changed once for a row that differs, and not again for one that does not."""
    for name in ("event", "events", "matches", "request"):
        await imports(name)
    made = Counter(row.version for row in await all_rows(world.storage, Event))
    await imports(event(EventTitle="Another title"))
    await imports(event(EventTitle="Another title"))

    assert await untold_events(world.storage) == []
    assert made.total() > 1
    changes = [row.event_type for row in await world.changes() if row.event_type == "UPDATED"]
    assert len(changes) >= 1
