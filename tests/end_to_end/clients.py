"""Clients as anybody could write them: GraphQL over HTTP, and over WebSocket."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.patience import PATIENCE, UNHURRIED

# httpcore looks for it several times in each request, and not to find it takes 0.2 ms
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

POOLS = 10
"""One pool with 200 connections spends more time on choosing one than on using it."""


class Client:
    """Somebody with a token, at one server."""

    def __init__(self, pools: Sequence[httpx.AsyncClient]) -> None:
        self.http = pools[0]
        self._pools = cycle(pools)

    async def answer(self, document: str, /, **variables: Any) -> httpx.Response:
        asked = {"query": document, "variables": variables}
        return await next(self._pools).post("/graphql", json=asked)

    async def ask(self, document: str, /, **variables: Any) -> Any:
        """The data of a document that goes well; its value where it has one root field."""
        response = await self.answer(document, **variables)
        answered = response.json()
        assert "errors" not in answered, answered
        data = answered["data"]
        return next(iter(data.values())) if len(data) == 1 else data


@asynccontextmanager
async def client_of(host: str, token: str) -> AsyncIterator[Client]:
    """A client over TCP, with as many connections as it has calls at a time."""
    async with AsyncExitStack() as opened:
        pools = [
            httpx.AsyncClient(
                base_url=f"http://{host}",
                headers={"authorization": f"Bearer {token}"},
                timeout=PATIENCE,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                verify=False,  # there is no TLS, and its context takes 50 ms
            )
            for _ in range(POOLS)
        ]
        yield Client([await opened.enter_async_context(pool) for pool in pools])


class Socket:
    """A connection that has begun, with any number of operations."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._received: dict[str, deque[Any]] = {}

    async def send(self, message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def subscribe(self, document: str, /, *, operation: str = "1", **variables: Any) -> None:
        payload = {"query": document, "variables": variables}
        await self.send({"id": operation, "type": "subscribe", "payload": payload})

    async def complete(self, id: str = "1") -> None:
        await self.send({"id": id, "type": "complete"})

    async def message(self, id: str = "1") -> Any:
        """The next message of an operation; those of others are kept."""
        kept = self._received.setdefault(id, deque())
        async with asyncio.timeout(PATIENCE):
            while not kept:
                message = json.loads(await self.connection.recv())
                self._received.setdefault(message["id"], deque()).append(message)
        return kept.popleft()

    async def next(self, id: str = "1") -> Any:
        """The value of the root field in the next result of an operation."""
        message = await self.message(id)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        [value] = message["payload"]["data"].values()
        return value

    def waiting(self, id: str = "1") -> bool:
        """Whether messages of an operation came while those of another were waited for."""
        return bool(self._received.get(id))

    async def several(self, count: int, id: str = "1") -> list[Any]:
        return [await self.next(id) for _ in range(count)]

    async def closed(self) -> tuple[int | None, str | None]:
        """The code and reason with which the server closes."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                async for _ in self.connection:
                    pass  # what was on its way
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def socket_to(host: str, token: str, **options: Any) -> AsyncIterator[Socket]:
    """A WebSocket that was let in."""
    async with connect(
        f"ws://{host}/graphql",
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        **UNHURRIED,
        **options,
    ) as connection:
        payload = {"Authorization": f"Bearer {token}"}
        await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        yield Socket(connection)
