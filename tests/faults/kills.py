"""Faults of the gateway's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from tests.faults.measuring import Fault, Scene


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    """SIGKILL at any instant of the load. The fault ends when a process is started again."""
    [gateway] = scene.gateways
    await gateway.kill()
    yield
    gateway.spawn()


KILLED: Final = Fault(
    name="SIGKILL of the gateway",
    database="sqlite",
    inject=killed,
    seconds=1,
    spares_others=False,
    spares_health=False,
)

FAULTS: Final = [KILLED, replace(KILLED, database="postgresql")]
