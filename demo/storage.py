"""The storage of the demo: its clock is set day by day, and each of its commands must succeed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.failures import Failed
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from resolvers.storage.batches import Run


class Calendar:
    """A clock that stands still until it is set to a number of days from now."""

    def __init__(self, now: datetime) -> None:
        self._now, self._at = now, now

    def __call__(self) -> datetime:
        return self._at

    def turn_to(self, day: int) -> None:
        self._at = self._now + timedelta(days=day)


class DemoRefused(Failed):
    """A command of the demo was refused. The plan breaks a rule, or other data interferes."""


async def carry_out(storage: Storage, run: Run, commands: Sequence[Any]) -> list[Outcome]:
    """Carry out commands; the outcomes are in the order of the commands. Raises: DemoRefused."""
    if not commands:
        return []
    results = await storage.write(run, commands)
    for command, result in zip(commands, results, strict=True):
        if not isinstance(result, Outcome):
            raise DemoRefused(f"{result}: {command}")
    return [result for result in results if isinstance(result, Outcome)]
