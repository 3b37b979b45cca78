"""Slots for files are shared fairly between viewers."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.export_slots import MOST_WAITING, MOST_WAITING_VIEWERS, ExportSlots, NoSlot
from tests.patience import PATIENCE


class Request:
    """A request that holds its slot until it is told to end."""

    def __init__(self, slots: ExportSlots, viewer: str, order: list[str]) -> None:
        self.viewer = viewer
        self.writes = asyncio.Event()
        self.ends = asyncio.Event()
        self.task = asyncio.create_task(self._run(slots, order))

    async def _run(self, slots: ExportSlots, order: list[str]) -> None:
        async with slots.slot(self.viewer):
            order.append(self.viewer)
            self.writes.set()
            await self.ends.wait()

    async def end(self) -> None:
        self.ends.set()
        async with asyncio.timeout(PATIENCE):
            await self.task


Ask = Callable[[ExportSlots, str], Request]


@pytest.fixture
def order() -> list[str]:
    """The viewers in the order in which they got slots."""
    return []


@pytest.fixture
async def ask(order: list[str]) -> AsyncIterator[Ask]:
    asked: list[Request] = []

    def ask(slots: ExportSlots, viewer: str) -> Request:
        asked.append(Request(slots, viewer, order))
        return asked[-1]

    yield ask
    for request in asked:
        request.task.cancel()
    await asyncio.gather(*(request.task for request in asked), return_exceptions=True)


async def settled() -> None:
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_viewer_has_one_slot_and_the_others_are_free(ask: Ask, order: list[str]) -> None:
    slots = ExportSlots()
    for _ in range(4):
        ask(slots, "A")
    for viewer in "BCD":
        ask(slots, viewer)
    await settled()

    assert order == ["A", "B", "C", "D"]


async def test_viewers_wait_in_turn_whatever_one_of_them_asks_for(
    ask: Ask, order: list[str]
) -> None:
    """A's second and third request came before B's first, and do not delay it twice."""
    slots = ExportSlots(1)
    first, second, third = (ask(slots, "A") for _ in range(3))
    await settled()
    others = [ask(slots, viewer) for viewer in "BC"]
    await settled()

    for request in (first, *others, second, third):
        async with asyncio.timeout(PATIENCE):
            await request.writes.wait()
        await request.end()

    assert order == ["A", "B", "C", "A", "A"]


async def test_a_request_that_is_cancelled_leaves_the_queue(ask: Ask, order: list[str]) -> None:
    slots = ExportSlots(1)
    first, waiting, last = (ask(slots, viewer) for viewer in "ABC")
    await settled()

    waiting.task.cancel()
    await settled()
    await first.end()
    async with asyncio.timeout(PATIENCE):
        await last.writes.wait()

    assert order == ["A", "C"]


async def test_a_turn_that_comes_at_the_moment_of_the_cancellation_is_passed_on(
    ask: Ask, order: list[str]
) -> None:
    """In each order of the two events; the slot is never lost."""
    slots = ExportSlots(1)
    for cancels_first in (True, False) * 50:
        order.clear()
        first, waiting, last = (ask(slots, viewer) for viewer in "ABC")
        await settled()
        if cancels_first:
            waiting.task.cancel()
            first.ends.set()
        else:
            first.ends.set()
            await asyncio.sleep(0)  # the slot is given to B, whose task has not run yet
            waiting.task.cancel()
        async with asyncio.timeout(PATIENCE):
            await last.writes.wait()
        assert order == ["A", "C"]
        await last.end()


async def test_the_wait_is_limited(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that has waited in vain takes no slot later."""
    monkeypatch.setattr("gateway.export_slots.WAIT_SECONDS", 0.01)
    slots = ExportSlots(1)
    first = ask(slots, "A")
    await first.writes.wait()
    with pytest.raises(NoSlot):
        await ask(slots, "B").task

    await first.end()

    await ask(slots, "C").end()


async def test_few_requests_of_a_viewer_wait(ask: Ask) -> None:
    slots = ExportSlots(1)
    for _ in range(1 + MOST_WAITING):
        ask(slots, "A")
    await settled()

    with pytest.raises(NoSlot):
        await ask(slots, "A").task


async def test_few_viewers_wait(ask: Ask) -> None:
    slots = ExportSlots(1)
    for n in range(1 + MOST_WAITING_VIEWERS):
        ask(slots, f"viewer {n}")
    await settled()

    with pytest.raises(NoSlot):
        await ask(slots, "another viewer").task
