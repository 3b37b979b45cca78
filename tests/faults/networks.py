"""Faults of the network between the gateway and PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.faults.measuring import Fault, Scene

DELAY_SECONDS: Final = 0.3


@asynccontextmanager
async def silent(scene: Scene) -> AsyncIterator[None]:
    assert scene.proxy is not None
    scene.proxy.stop_forwarding()
    try:
        yield
    finally:
        scene.proxy.forward_again()


@asynccontextmanager
async def late(scene: Scene) -> AsyncIterator[None]:
    assert scene.proxy is not None
    scene.proxy.delay_seconds = DELAY_SECONDS
    try:
        yield
    finally:
        scene.proxy.delay_seconds = 0.0


@asynccontextmanager
async def cut(scene: Scene) -> AsyncIterator[None]:
    assert scene.proxy is not None
    scene.proxy.cut()
    yield
    scene.proxy.cut()


RESET: Final = Fault(
    name="the network to the database resets every connection",
    database="postgresql",
    inject=cut,
    seconds=2,
    through_proxy=True,
)

FAULTS: Final = [
    Fault(
        name="the network to the database goes silent for 15 s",
        database="postgresql",
        inject=silent,
        seconds=15,
        spares_others=False,
        through_proxy=True,
    ),
    Fault(
        name="the network to the database delays data by 300 ms",
        database="postgresql",
        inject=late,
        spares_others=False,
        through_proxy=True,
    ),
    RESET,
]
