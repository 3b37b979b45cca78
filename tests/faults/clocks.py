"""A clock that jumps while the gateway serves."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from tests.faults.measuring import Fault, Scene

FORWARD, BACK = signal.SIGUSR1, signal.SIGUSR2
"""The signals of tests/faults/gateway.py."""


def jumping(
    there: signal.Signals, back: signal.Signals
) -> Callable[[Scene], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def inject(scene: Scene) -> AsyncIterator[None]:
        for gateway in scene.gateways:
            gateway.signal(there)
        yield
        for gateway in scene.gateways:
            gateway.signal(back)

    return inject


FAULTS: Final = [
    Fault(name=f"the clock jumps {where} by an hour", database="postgresql", inject=inject)
    for where, inject in (
        ("forward", jumping(FORWARD, BACK)),
        ("back", jumping(BACK, FORWARD)),
    )
]
