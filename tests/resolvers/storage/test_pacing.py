"""A command that would wait too long for others is refused at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from resolvers.storage import Overloaded
from resolvers.storage.batches import BATCH_REQUESTS, BatchOutcomes, Request
from resolvers.storage.outages import Outage
from resolvers.storage.pacing import SHORT_QUEUE, Pace
from resolvers.storage.writer import Writer
from tests.patience import PATIENCE, several_turns
from tests.resolvers.storage.conftest import do_nothing

WAITING = BATCH_REQUESTS + SHORT_QUEUE + 1
"""A batch in flight, and the shortest queue that can be too long."""


def test_a_short_queue_and_an_unknown_pace_refuse_nothing():
    pace = Pace(0.5)
    assert pace.too_long(10_000) is None

    pace.ran(BATCH_REQUESTS, 60.0)
    assert pace.too_long(SHORT_QUEUE) is None


def test_the_wait_is_estimated_from_full_batches():
    pace = Pace(0.5)
    pace.ran(1, 60.0)
    pace.ran(BATCH_REQUESTS, BATCH_REQUESTS * 0.001)

    assert pace.too_long(500) is None
    assert pace.too_long(1000) == pytest.approx(1.0)


def test_the_estimate_follows_the_latest_batches():
    pace = Pace(0.5)
    pace.ran(BATCH_REQUESTS, BATCH_REQUESTS * 1.0)
    for _ in range(100):
        pace.ran(BATCH_REQUESTS, BATCH_REQUESTS * 0.001)

    assert pace.too_long(400) is None


async def test_who_would_wait_too_long_is_told_for_how_long():
    """The others are answered in their order, and afterwards everything is accepted again."""
    ended, order = asyncio.Event(), []

    async def transact(requests: list[Request]) -> BatchOutcomes:
        await ended.wait()
        order.extend(request.commands[0] for request in requests)
        return BatchOutcomes(answers={r: do_nothing(None, r.commands) for r in requests})  # type: ignore[arg-type]

    pace = Pace(0.5)
    pace.ran(BATCH_REQUESTS, BATCH_REQUESTS * 0.01)
    writer = Writer(transact, Outage(), pace=pace)

    def write(numbers: Sequence[int]) -> list[asyncio.Task[Any]]:
        return [asyncio.create_task(writer.write(do_nothing, [n])) for n in numbers]

    accepted = write(range(BATCH_REQUESTS))
    await several_turns()  # these are in flight
    accepted += write(range(BATCH_REQUESTS, WAITING))
    await several_turns()
    with pytest.raises(Overloaded) as refused:
        await writer.write(do_nothing, [WAITING])
    assert refused.value.retry_after_seconds == 2

    ended.set()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*accepted)
        await writer.write(do_nothing, ["again"])
    assert order == [*range(WAITING), "again"]
    await writer.close()
