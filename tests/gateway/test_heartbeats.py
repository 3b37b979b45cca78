"""An idle stream sends something that clients ignore, so that no proxy closes it."""

import pytest

from gateway.settings import Settings
from tests.streaming import EVENTS, MULTIPART, streaming


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"heartbeat_seconds": 0.02})


@pytest.mark.parametrize(
    ("accept", "result", "heartbeat"),
    [
        (EVENTS, b'data: {"data":{"changes":0}}\n\n', b":\n\n"),
        (
            MULTIPART,
            b'{"payload":{"data":{"changes":0}}}\r\n---',
            b"\r\ncontent-type: application/json\r\n\r\n{}\r\n---",
        ),
    ],
)
async def test_an_idle_stream_has_heartbeats(
    address: str, token: str, accept: str, result: bytes, heartbeat: bytes
):
    async with streaming(address, token, "subscription { changes }", accept=accept) as stream:
        await stream.until(result)

        for _ in range(3):
            assert await stream.until(heartbeat) == b""
