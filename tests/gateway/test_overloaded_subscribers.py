"""While the database does not answer, subscribers wait; they lose and repeat nothing."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from gateway.fanout import subscribers
from resolvers.identity import global_id
from resolvers.storage import Overloaded, Storage
from resolvers.viewer import Viewer
from tests.gateway.fanning import Fan, Gate, fan_on
from tests.gateway.test_fanout import BOOKINGS, SEATS, START, cursors_of_bookings, taken
from tests.patience import eventually
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

NONE = -1
AFTER_A_GATE = 8
"""No more reads follow until a subscriber that was held at its page has joined its group."""


@pytest.fixture
def world(storage: Storage, viewer: Viewer) -> World:
    return World(storage, viewer)


@pytest.fixture
async def fan(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fan]:
    monkeypatch.setattr(subscribers, "RETRY_SECONDS", 0.01)
    async with fan_on(world) as made:
        yield made


@pytest.fixture
async def event(world: World) -> UUID:
    centre = await world.centre()
    return await world.event(centre=centre, room=await world.room(centre, capacity=1000))


class Reads:
    """Counts the reads of a storage, and refuses one of them."""

    def __init__(self, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.refused = -1
        self._read = storage.read
        monkeypatch.setattr(storage, "read", self.read)

    def refuse(self, number: int) -> None:
        """Refuse a read; the next one is number 0."""
        self.count, self.refused = 0, number

    async def read(self, *given: Any, **more: Any) -> Any:
        self.count += 1
        if self.count == self.refused + 1:
            raise Overloaded
        return await self._read(*given, **more)


async def test_a_subscriber_that_begins_waits(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """Whichever of its reads fails: of the log, of its rights or of its results."""
    token = await fan.token_of("A")
    for candidate in await world.candidates(3):
        await world.booked(candidate, event)
    cursors = await cursors_of_bookings(world)
    await fan.joined(token, BOOKINGS, after=START)  # so that the channel is open
    reads = Reads(world.storage, monkeypatch)
    await fan.joined(token, BOOKINGS, after=START)
    reads_of_one = reads.count

    for number in range(1, reads_of_one):  # the first one accepts the subscription
        reads.refuse(number)
        reader = await fan.joined(token, BOOKINGS, after=START)
        assert reader.cursors == cursors, f"read {number} was refused"
        assert reads.count > number


async def test_a_subscriber_that_joins_a_group_ahead_of_it_waits(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """The group has received a change that is not in the page that the subscriber has read."""
    token = await fan.token_of("A")
    first = await fan.joined(token, BOOKINGS)
    before, *people = await world.candidates(1 + AFTER_A_GATE)
    await world.booked(before, event)
    await first.has(1)
    reads = Reads(world.storage, monkeypatch)

    for number, candidate in enumerate(people):
        with monkeypatch.context() as patched:
            gate = Gate(world.storage, patched, "page of")
            late = await fan.subscribe(token, BOOKINGS, after=first.cursors[-1])
            await gate.is_reached()
            await world.booked(candidate, event)
            await first.has(number + 2)
            reads.refuse(number)
            gate.open.set()
            await late.has(1)
            await late.joined()
            reads.refuse(NONE)
        assert late.cursors == first.cursors[-1:], f"read {number} was refused"


async def test_a_subscriber_to_seats_waits(
    fan: Fan, world: World, event: UUID, monkeypatch: pytest.MonkeyPatch
):
    """At its beginning, and when it counts for itself because its client has read again."""
    token, ids = await fan.token_of("A"), [global_id("Event", event)]
    paused = await fan.joined(token, SEATS, ids=ids)
    reads = Reads(world.storage, monkeypatch)
    reader = await fan.joined(token, SEATS, ids=ids)
    reads_of_one = reads.count
    for number in range(1, reads_of_one):
        reads.refuse(number)
        reader = await fan.joined(token, SEATS, ids=ids)
        assert [taken(payload) for payload in reader.payloads] == [0], f"read {number}"

    paused.pause()
    for number, candidate in enumerate(await world.candidates(2)):
        await world.booked(candidate, event)
        await reader.has(2 + number)  # commits that follow quickly are counted once
    await eventually(lambda: len(paused.payloads) == 2)
    reads.refuse(1)
    paused.read()
    await paused.has(3)

    assert [taken(payload) for payload in paused.payloads] == [0, 1, 2]
