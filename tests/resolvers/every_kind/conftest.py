"""A world to book in."""

from uuid import UUID

import pytest

from resolvers.storage import Storage
from resolvers.viewer import Viewer
from tests.resolvers.world import World


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def centre(world: World) -> UUID:
    return await world.centre()


@pytest.fixture
async def room(world: World, centre: UUID) -> UUID:
    return await world.room(centre)


@pytest.fixture
async def candidate(world: World) -> UUID:
    return await world.candidate()
