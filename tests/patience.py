"""How tests wait: until a condition holds, for as long as a busy machine may need."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE: Final = 120
"""The limit of every wait, in seconds. Only a failing test waits this long."""

UNHURRIED: Final[dict[str, Any]] = {"open_timeout": PATIENCE, "ping_interval": None}
"""Options of a WebSocket client, whose own limits are 10 and 20 seconds."""

FIRST_PAUSE: Final = 0.001
LONGEST_PAUSE: Final = 0.05


async def eventually(condition: Callable[[], T | Awaitable[T]]) -> T:
    """Return the condition's first true value. Fails with TimeoutError after PATIENCE seconds.

    Use it only where no event reports the change, for example for rows that another process
    writes. The pauses between two looks double, so that a long wait costs little CPU time.
    """
    pause = FIRST_PAUSE
    async with asyncio.timeout(PATIENCE):
        while True:
            result = condition()
            value: T = await result if inspect.isawaitable(result) else result
            if value:
                return value
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


async def several_turns(count: int = 20) -> None:
    """Let every task that can run do so, `count` times, before a test asserts that one waits."""
    for _ in range(count):
        await asyncio.sleep(0)
