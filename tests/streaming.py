"""Clients of subscriptions over HTTP, which read the bytes as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.patience import PATIENCE

EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed;subscriptionSpec=1.0, application/json"


@dataclass
class Event:
    """A server-sent event, or the fields of a frame that is none."""

    event: str | None = None
    id: str | None = None
    data: Any = None
    fields: dict[str, str] = field(default_factory=dict)


class Streamed:
    """A response that is being received."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._buffer = b""

    async def until(self, end: bytes) -> bytes:
        """The bytes up to the next `end`, without it. Raises: EOFError."""
        async with asyncio.timeout(PATIENCE):
            while end not in self._buffer:
                try:
                    self._buffer += await anext(self._chunks)
                except StopAsyncIteration:
                    raise EOFError(self._buffer) from None
        found, _, self._buffer = self._buffer.partition(end)
        return found

    async def rest(self) -> bytes:
        """Everything up to the end of the response."""
        async with asyncio.timeout(PATIENCE):
            async for chunk in self._chunks:
                self._buffer += chunk
        rest, self._buffer = self._buffer, b""
        return rest

    async def event(self) -> Event:
        """The next event; frames without one, such as heartbeats, are passed over."""
        while True:
            found = event_of(await self.until(b"\n\n"))
            if found.event is not None:
                return found

    async def part(self) -> Any:
        """The JSON of the next part that is no heartbeat."""
        while True:
            _, _, content = (await self.until(b"\r\n---")).partition(b"\r\n\r\n")
            if content and (part := json.loads(content)):
                return part


def event_of(frame: bytes) -> Event:
    """What a frame of server-sent events says; it has no carriage returns."""
    assert b"\r" not in frame
    fields = {}
    for line in frame.decode().split("\n"):
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
    data = fields.get("data")
    return Event(fields.get("event"), fields.get("id"), json.loads(data) if data else None, fields)


@asynccontextmanager
async def streaming(
    host: str,
    token: str,
    query: str,
    *,
    accept: str = EVENTS,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    **variables: Any,
) -> AsyncIterator[Streamed]:
    """A response to a document, as soon as it has begun."""
    asked: dict[str, Any] = (
        {"json": {"query": query, "variables": variables}}
        if method == "POST"
        else {"params": {"query": query, "variables": json.dumps(variables)}}
    )
    given = {"authorization": f"Bearer {token}", "accept": accept, **(headers or {})}
    async with (
        httpx.AsyncClient(base_url=f"http://{host}", timeout=PATIENCE, headers=given) as client,
        client.stream(method, "/graphql", **asked) as response,
    ):
        yield Streamed(response)
