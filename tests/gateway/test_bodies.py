"""The memory that unfinished request bodies hold together is limited."""

import asyncio
import json
from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from gateway.bodies import UNCOUNTED_BYTES, TooManyUnfinishedBytes, UnfinishedBodies
from gateway.settings import Settings
from tests.gateway.test_disconnecting import Connection
from tests.patience import eventually

KIB = 1024
LIMIT = 1024 * KIB


def test_bodies_share_one_limit() -> None:
    """The first 64 KiB of each do not count; what a body held is free once it ends."""
    bodies = UnfinishedBodies(LIMIT)
    large, other = bodies.begin(), bodies.begin()
    large.add(b"x" * (UNCOUNTED_BYTES + LIMIT - 10))
    other.add(b"x" * (UNCOUNTED_BYTES + 10))
    assert bodies.held == LIMIT

    with pytest.raises(TooManyUnfinishedBytes):
        other.add(b"x")
    with pytest.raises(TooManyUnfinishedBytes):
        bodies.begin().add(b"x" * (UNCOUNTED_BYTES + 1))
    small = bodies.begin()
    small.add(b"x" * UNCOUNTED_BYTES)
    large.end()
    assert bodies.held == 10
    other.add(b"x")

    for body in (other, small, large):
        body.end()
    assert bodies.held == 0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_unfinished_bytes": LIMIT})


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[[], int]:
    """How many bytes the gateway's bodies hold."""
    made: list[UnfinishedBodies] = []

    def make(most: int) -> UnfinishedBodies:
        made.append(UnfinishedBodies(most))
        return made[-1]

    monkeypatch.setattr("gateway.app.UnfinishedBodies", make)
    return lambda: made[0].held


async def test_above_the_limit_the_body_that_grows_is_rejected(
    held: Callable[[], int], app: Starlette, address: str, token: str
) -> None:
    """Ordinary requests continue; when clients go, their bytes are free; twenty times in a row."""
    for _ in range(20):
        waiting = [await Connection(address, token).open() for _ in range(5)]
        for connection in waiting:
            connection.begin_body(announced=290 * KIB, sent=256 * KIB)
        await eventually(lambda: held() >= 5 * (256 * KIB - UNCOUNTED_BYTES))

        refused = await Connection(address, token).open()
        refused.begin_body(announced=290 * KIB, sent=290 * KIB - 1)
        status, headers, body = await refused.response()
        ordinary = await Connection(address, token).open()
        ordinary.ask("{ hello }")

        assert status == 503
        assert "retry-after: 5" in headers
        [error] = json.loads(body)["errors"]
        assert error["extensions"] == {"code": "OVERLOADED", "retryAfterSeconds": 5}
        assert "data" in await ordinary.answer()
        await asyncio.gather(*(one.close() for one in (*waiting, refused, ordinary)))
        await eventually(lambda: held() == 0)
