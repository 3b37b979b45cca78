"""Events that imports make or change are in the log, each change once."""

from resolvers.storage.tables import Event
from tests.resolvers.recorded import all_rows, untold_events
from tests.resolvers.sources.conftest import Import
from tests.resolvers.sources.test_again import IN_ORDER
from tests.resolvers.world import World


async def test_every_event_of_the_documents_is_recorded(imports: Import, world: World) -> None:
    """Those that are made at first sight, and those that get modules later."""
    for name in IN_ORDER:
        await imports(name)

    assert await untold_events(world.storage) == []
    assert len(await all_rows(world.storage, Event)) > 1
