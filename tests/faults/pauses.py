"""A gateway that is stopped in the middle of a transaction, beside one that continues."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

from tests.end_to_end.clients import client_of
from tests.faults.load import BOOK, Booked, read_answer
from tests.faults.locks import session
from tests.faults.measuring import Fault, Scene
from tests.patience import eventually

STOPPED_SECONDS: Final = 15

HOLDS_LOCKS: Final = """
    SELECT 1 FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE datname = current_database() AND state = 'idle in transaction'
    AND client_port = ANY($1::int[]) AND mode IN ('RowExclusiveLock', 'RowShareLock')
"""


@asynccontextmanager
async def stopped_in_a_transaction(scene: Scene) -> AsyncIterator[None]:
    """SIGSTOP the victim's gateway while its session holds locks; SIGCONT it at the end.

    Meanwhile a client of the victim books at the other gateway. A note says when it could.
    """
    gateway = scene.gateways[0]
    async with session(scene) as other:

        async def is_stopped() -> bool:
            gateway.signal(signal.SIGSTOP)
            if await other.fetchrow(HOLDS_LOCKS, gateway.ports()):
                return True
            gateway.signal(signal.SIGCONT)
            return False

        await eventually(is_stopped)
    booking = asyncio.create_task(_booked_elsewhere(scene))
    try:
        yield
    finally:
        gateway.signal(signal.SIGCONT)
        await booking


async def _booked_elsewhere(scene: Scene) -> None:
    """Book for a candidate of the victim at the neighbour's gateway, until it succeeds."""
    began = time.monotonic()
    candidate, event = scene.victim.spare_candidate, scene.victim.spare_event
    asked: dict[str, Any] = {"candidate": candidate, "event": event, "key": str(uuid4())}
    async with client_of(scene.neighbour.host, scene.victim.token) as client:
        while True:
            _, data, wait = read_answer(await client.answer(BOOK, **asked))
            if data is not None:
                break
            await asyncio.sleep(wait)
    booking = data["write"]["booking"]["id"]
    scene.load.known[scene.victim.name].bookings[booking] = Booked(candidate, event)
    seconds = time.monotonic() - began
    scene.notes.append(f"the victim's booking at the other gateway took {seconds:.1f} s")


FAULTS: Final = [
    Fault(
        name=f"SIGSTOP of a gateway in a transaction, for {STOPPED_SECONDS} s",
        database="postgresql",
        inject=stopped_in_a_transaction,
        seconds=STOPPED_SECONDS,
        gateways=2,
    )
]
