"""Faults of the gateway's own process."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from tests.faults.measuring import Fault, Scene

TIMES: Final = 20
RUSH: Final = 16
"""The clients of each organization; during other faults there are four."""

MOST_SECONDS: Final = 0.3
"""How long the load goes on between two kills, at most, once every organization is served."""


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    """SIGKILL at any instant of the load. The fault ends when a process is started again."""
    [gateway] = scene.gateways
    await gateway.kill()
    yield
    gateway.spawn()


@asynccontextmanager
async def killed_often(scene: Scene) -> AsyncIterator[None]:
    """SIGKILL at 20 instants of a rush. Each process serves every organization before it ends."""
    [gateway] = scene.gateways
    chance = random.Random(0)
    for _ in range(TIMES - 1):
        await gateway.kill()
        gateway.spawn()
        await scene.require_served()
        await asyncio.sleep(chance.uniform(0, MOST_SECONDS))
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

KILLED_OFTEN: Final = replace(
    KILLED,
    name=f"SIGKILL of the gateway {TIMES} times in a rush",
    inject=killed_often,
    clients=RUSH,
)

FAULTS: Final = [
    replace(fault, database=database)
    for fault in (KILLED, KILLED_OFTEN)
    for database in ("sqlite", "postgresql")
]
