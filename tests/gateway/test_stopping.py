"""A stop: subscribers are sent away one after another, and work in flight is finished."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.incoming import server as incoming
from gateway.stopping import StopTimes
from tests.gateway import conftest
from tests.gateway.test_incoming import socket_to
from tests.listening import listening
from tests.patience import PATIENCE, eventually, several_turns
from tests.streaming import MULTIPART, streaming

CHANGES = "subscription { changes }"


@pytest.fixture
async def sockets(app: Starlette, token: str) -> AsyncIterator[tuple[incoming.Server, str]]:
    async with listening(app, finish_seconds=PATIENCE) as made:
        yield made


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server closes a connection."""
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionClosed):
            async for _ in socket:
                pass  # what was on its way
    return socket.close_code


async def subscribe(socket: ClientConnection, query: str) -> None:
    asked = {"id": "1", "type": "subscribe", "payload": {"query": query}}
    await socket.send(json.dumps(asked))


async def test_a_stream_of_events_ends_with_the_time_to_reconnect(
    sockets: tuple[incoming.Server, str], token: str
):
    """Without `complete`, so that the client does reconnect."""
    server, address = sockets
    async with streaming(address, token, CHANGES) as stream:
        await stream.event()

        stopping = asyncio.create_task(server.shutdown())
        end = await stream.rest()

    found = re.fullmatch(rb"retry: (\d+)\n\n", end)
    assert found is not None
    assert 1_000 <= int(found[1]) <= 5_000
    await stopping
    assert conftest.CLOSED == ["changes"]


async def test_a_multipart_stream_ends_with_an_error(
    sockets: tuple[incoming.Server, str], token: str
):
    server, address = sockets
    async with streaming(address, token, CHANGES, accept=MULTIPART) as stream:
        await stream.part()

        stopping = asyncio.create_task(server.shutdown())
        part = await stream.part()
        end = await stream.rest()

    assert part["payload"] is None
    assert part["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert end == b"--\r\n"
    await stopping


async def test_a_websocket_is_closed_after_its_mutations_have_ended(
    sockets: tuple[incoming.Server, str], token: str
):
    server, address = sockets
    conftest.GATES.append(asyncio.Event())
    async with socket_to(address, token) as socket:
        await subscribe(socket, "mutation { hold }")
        await eventually(lambda: conftest.HOLDING)

        stopping = asyncio.create_task(server.shutdown())
        await several_turns()
        conftest.GATES[-1].set()

        assert json.loads(await socket.recv())["payload"] == {"data": {"hold": True}}
        assert json.loads(await socket.recv())["type"] == "complete"
        assert await closed(socket) == 1012
    await stopping


async def test_subscribers_are_sent_away_one_after_another(
    sockets: tuple[incoming.Server, str], token: str, monkeypatch: pytest.MonkeyPatch
):
    """The first at once, the last before the time for requests is over; a second Ctrl-C, all."""
    monkeypatch.setattr(incoming, "RESTARTS_PER_SECOND", 0.001)
    server, address = sockets
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(socket_to(address, token)) for _ in range(5)]

        stopping = asyncio.create_task(server.shutdown())
        await eventually(lambda: open_ones(opened) < 5)
        await several_turns()
        assert open_ones(opened) == 4

        server.force_exit = True
        assert [await closed(socket) for socket in opened] == [1012] * 5
        await stopping


def open_ones(sockets: Sequence[ClientConnection]) -> int:
    return sum(socket.close_code is None for socket in sockets)


@pytest.mark.parametrize("seconds", [1, 20, 3_600])
def test_the_steps_of_a_stop_fit_into_its_time(seconds: float):
    times = StopTimes.within(seconds)

    assert times.requests + times.cancelled + times.background < incoming.LEFT * seconds


HANGING = """
import signal, threading
from gateway.incoming.limits import Limits
from gateway.incoming.server import Config, Server
server = Server(Config(lambda: None, Limits(), stop_seconds=0.2))
with server.capture_signals():
    print("ready", flush=True)
    threading.Event().wait()
"""


def test_a_process_that_cannot_stop_ends_all_the_same():
    """Whatever it waits for, it ends within the time, and says so."""
    with subprocess.Popen(
        [sys.executable, "-c", HANGING],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "The stop took longer than 0.195 seconds" in told
