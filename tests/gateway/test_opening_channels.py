"""A channel is open while it has subscribers, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.fanout import Hub
from resolvers.storage import Overloaded, Storage
from resolvers.viewer import Viewer
from tests.gateway.fanning import Fan, Gate, Reader, fan_on
from tests.gateway.test_fanout import BOOKINGS
from tests.patience import eventually
from tests.resolvers.world import World

OPENING = "log positions"


@pytest.fixture
async def fan(storage: Storage, viewer: Viewer) -> AsyncIterator[Fan]:
    async with fan_on(World(storage, viewer)) as made:
        yield made


def followers() -> list[Any]:
    """The tasks that follow a log, or begin to."""
    return [task for task in asyncio.all_tasks() if "channel" in task.get_name()]


async def begin(fan: Fan, token: str) -> "asyncio.Task[Reader]":
    return asyncio.create_task(fan.subscribe(token, BOOKINGS))


async def test_a_channel_that_opens_for_a_client_that_has_gone_is_closed(
    fan: Fan, monkeypatch: pytest.MonkeyPatch
):
    gate = Gate(fan.world.storage, monkeypatch, OPENING)
    leaving = await begin(fan, await fan.token_of("A"))
    await gate.is_reached()

    leaving.cancel()
    await asyncio.wait([leaving])
    gate.open.set()

    await eventually(lambda: not followers())
    assert leaving.cancelled()


async def test_a_client_that_goes_when_its_channel_is_open_closes_it(
    fan: Fan, monkeypatch: pytest.MonkeyPatch
):
    """Before it has taken note of that."""
    gate = Gate(fan.world.storage, monkeypatch, OPENING)
    leaving = await begin(fan, await fan.token_of("A"))
    await gate.is_reached()
    [opening] = followers()

    opening.add_done_callback(lambda _: leaving.cancel())
    gate.open.set()
    await asyncio.wait([leaving])

    await eventually(lambda: not followers())
    assert leaving.cancelled()


async def test_a_client_that_goes_leaves_the_channel_to_the_others(
    fan: Fan, monkeypatch: pytest.MonkeyPatch
):
    token = await fan.token_of("A")
    gate = Gate(fan.world.storage, monkeypatch, OPENING)
    leaving, staying = [await begin(fan, token) for _ in range(2)]
    await gate.is_reached()
    hub: Hub = fan.hub
    await eventually(lambda: [o.waiting for o in hub._opening.values()] == [2])

    leaving.cancel()
    await asyncio.wait([leaving])
    gate.open.set()
    reader = await staying
    await reader.joined()

    assert len(followers()) == 1


async def test_a_hub_that_closes_opens_no_channel(fan: Fan, monkeypatch: pytest.MonkeyPatch):
    """The one that opens at that time is not opened, and its subscriber is refused."""
    token = await fan.token_of("A")
    gate = Gate(fan.world.storage, monkeypatch, OPENING)
    late = await begin(fan, token)
    await gate.is_reached()

    fan.hub.close()
    gate.open.set()

    with pytest.raises(Overloaded):
        await late
    with pytest.raises(Overloaded):
        await fan.subscribe(token, BOOKINGS)
    assert not followers()
