"""Receivers of notifications that do not answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import orjson

from tests.end_to_end.clients import client_of
from tests.faults.load import Organization
from tests.faults.measuring import Fault, Scene
from tests.faults.report import quantile
from tests.gateway.receiving import answering, receiving, silent_after

ENDPOINTS: Final = 20
"""Of the victim; each of its changes is a message to all of them."""

REGISTER: Final = """
    mutation Register($url: URL!) {
        registerNotification(input: {
            topics: [BOOKING_CREATED, BOOKING_MOVED, BOOKING_CANCELLED]
            channel: HTTP_JSON
            url: $url
        }) { errors { code message } }
    }
"""
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def dead_endpoints(scene: Scene) -> AsyncIterator[None]:
    """The victim's receivers are silent. A note says how long the neighbour's messages took."""
    delays: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = orjson.loads(alive.requests[-1].partition(b"\r\n\r\n")[2])
        at = datetime.fromisoformat(body["At"].replace("Z", "+00:00"))
        delays.append((datetime.now(UTC) - at).total_seconds())
        await answering(OK)(reader, writer)

    async with receiving(silent_after(b"")) as dead, receiving(answer) as alive:
        await registered(scene.neighbour, [alive.url])
        await registered(scene.victim, [f"{dead.url}&n={n}" for n in range(ENDPOINTS)])
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
    ordered = sorted(delays)
    half, all_of_them = quantile(ordered, 0.5), quantile(ordered, 1)
    scene.notes.append(
        f"the neighbour received {len(ordered)} messages in {seconds:.0f} s, half of them within"
        f" {half:.1f} s after their changes, all within {all_of_them:.1f} s"
    )


async def registered(organization: Organization, urls: list[str]) -> None:
    async with client_of(organization.host, organization.token) as client:
        for url in urls:
            answer = await client.ask(REGISTER, url=url)
            assert answer["errors"] == [], answer


FAULTS: Final = [
    Fault(
        name=f"{ENDPOINTS} notification endpoints that never answer",
        database=database,
        inject=dead_endpoints,
        seconds=15,
        settings={"notify_local": "on"},
    )
    for database in ("sqlite", "postgresql")
]
