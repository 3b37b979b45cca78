"""Faults of the PostgreSQL server itself."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

import asyncpg

from tests.faults.kills import MOST_SECONDS, RUSH, TIMES
from tests.faults.locks import WRITERS, session
from tests.faults.measuring import Fault, Scene
from tests.patience import eventually

WRITER: Final = f"""
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND ({WRITERS})
"""


def stopped(mode: str) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    """Stop the server, and start it again at the end of the fault."""

    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        assert scene.cluster is not None
        await asyncio.to_thread(scene.cluster.stop, mode)
        yield
        await asyncio.to_thread(scene.cluster.start)

    return inject


@asynccontextmanager
async def killed(scene: Scene) -> AsyncIterator[None]:
    """SIGKILL the server's first process. The others end with it, in the middle of their work."""
    assert scene.cluster is not None
    scene.cluster.kill()
    yield
    await asyncio.to_thread(scene.cluster.start)


@asynccontextmanager
async def killed_often(scene: Scene) -> AsyncIterator[None]:
    """As `killed`, at 20 instants of a rush. Every organization is served in between."""
    assert scene.cluster is not None
    chance = random.Random(0)
    for _ in range(TIMES - 1):
        scene.cluster.kill()
        await asyncio.to_thread(scene.cluster.start)
        await scene.require_served()
        await asyncio.sleep(chance.uniform(0, MOST_SECONDS))
    scene.cluster.kill()
    yield
    await asyncio.to_thread(scene.cluster.start)


@asynccontextmanager
async def backend_killed(scene: Scene) -> AsyncIterator[None]:
    """SIGKILL the process of the writer's session. The server then ends every session.

    The fault ends when the server accepts sessions again.
    """
    async with session(scene) as other:
        pid = await eventually(lambda: other.fetchval(WRITER))  # none while a statement runs
    os.kill(pid, signal.SIGKILL)
    yield

    async def is_up() -> bool:
        with suppress(asyncpg.PostgresError, OSError):
            async with session(scene):
                return True
        return False

    await eventually(is_up)


def outage(
    name: str, inject: Callable[[Scene], AbstractAsyncContextManager[None]], seconds: float = 5
) -> Fault:
    return Fault(
        name=name, database="postgresql", inject=inject, seconds=seconds, spares_others=False
    )


FAULTS: Final = [
    outage("PostgreSQL is stopped (fast) and started", stopped("fast")),
    outage("PostgreSQL is stopped (immediate) and started", stopped("immediate")),
    outage("SIGKILL of PostgreSQL's first process, and a start", killed),
    replace(
        outage(f"SIGKILL of PostgreSQL's first process {TIMES} times in a rush", killed_often),
        clients=RUSH,
    ),
    outage("SIGKILL of the writer's backend in PostgreSQL", backend_killed, seconds=2),
]
