"""Places are shared fairly among organizations."""

import asyncio
import random
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from gateway.shares import Shares, Turns
from tests.patience import several_turns

PLACES = 64
A, B, C = (uuid4() for _ in range(3))


def taken_by(shares: Shares, organization_id) -> int:
    """How many places an organization gets if it wants all."""
    while shares.may_take(organization_id):
        shares.take(organization_id)
    return shares.held[organization_id]


def test_one_organization_leaves_as_many_places_as_it_takes():
    """So others get some at once, whatever the first one holds."""
    shares = Shares(PLACES)

    assert [taken_by(shares, each) for each in (A, B, C)] == [32, 16, 8]


def test_organizations_that_want_everything_come_to_hold_the_same():
    """Within one place, whoever was first, once places have come back often enough."""
    shares, chance = Shares(PLACES), random.Random(1)
    for each in (A, B, C):
        taken_by(shares, each)

    for _ in range(1_000):
        shares.give_back(chance.choice([each for each in (A, B, C) if shares.held[each]]))
        least = min((A, B, C), key=lambda each: shares.held[each])
        taken_by(shares, least)

    held = sorted(shares.held.values())
    assert held[-1] - held[0] <= 1
    assert shares.free >= held[0]


async def test_a_turn_is_given_to_who_holds_least():
    """An organization with many that wait does not delay the first of another."""
    turns = Turns(2)
    order = []
    go_on = asyncio.Event()

    async def one(organization_id, name):
        async with turns.of(organization_id):
            order.append(name)
            await go_on.wait()

    tasks = [asyncio.create_task(one(A, f"a{n}")) for n in range(3)]
    await several_turns()
    tasks.append(asyncio.create_task(one(B, "b")))
    await several_turns()

    assert order == ["a0", "b"]
    go_on.set()
    await asyncio.gather(*tasks)
    assert order == ["a0", "b", "a1", "a2"]


@pytest.mark.parametrize("seed", range(20))
async def test_no_turn_is_lost(seed):
    """A task that is cancelled while it waits, or just as it is its turn, leaves its place."""
    chance, turns = random.Random(seed), Turns(4)
    organizations = [A, B, C]

    async def one() -> None:
        async with turns.of(chance.choice(organizations)):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(one()) for _ in range(100)]
    for _ in range(50):
        await asyncio.sleep(0)
        chance.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    async with AsyncExitStack() as all_places:
        for _ in range(4):
            await all_places.enter_async_context(turns.of(uuid4()))
    assert turns._waiting == {}
