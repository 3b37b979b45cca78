"""Deadlines: what has not ended in time is late, once, whatever has begun or ended meanwhile."""

import asyncio

from resolvers.storage.deadlines import Deadlines
from tests.patience import eventually

SECONDS = 0.01


async def test_only_what_has_not_ended_is_late_in_the_order_of_its_beginning() -> None:
    late: list[str] = []
    deadlines = Deadlines(SECONDS, late.append)
    for name in ("first", "second", "third"):
        deadlines.begin(name)

    deadlines.end("second")
    await eventually(lambda: len(late) == 2)
    deadlines.end("first")

    assert late == ["first", "third"]


async def test_each_has_the_whole_time() -> None:
    loop = asyncio.get_running_loop()
    late: dict[str, float] = {}

    def note(name: str) -> None:
        late[name] = loop.time()
        if name == "first":
            deadlines.begin("second")

    deadlines = Deadlines(SECONDS, note)
    deadlines.begin("first")
    await eventually(lambda: "second" in late)

    assert late["second"] >= late["first"] + SECONDS


async def test_what_begins_after_a_quiet_time_is_late_too() -> None:
    late: list[str] = []
    deadlines, others = Deadlines(SECONDS, late.append), Deadlines(SECONDS, late.append)
    deadlines.begin("ended")
    deadlines.end("ended")
    others.begin("other")
    await eventually(lambda: late == ["other"])  # the first timer has passed, too

    deadlines.begin("late")
    await eventually(lambda: late == ["other", "late"])
