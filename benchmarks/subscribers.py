"""Subscribers to the changes of one event, over graphql-transport-ws.

They connect from an address of their own, since the gateway limits the connections of an address.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final
from uuid import UUID

import orjson
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.load import answers
from benchmarks.queries import post
from benchmarks.reads import token
from benchmarks.servers import Server
from resolvers.identity import global_id

FROM: Final = ("127.0.0.2", 0)
SUBPROTOCOL: Any = "graphql-transport-ws"
PATIENCE_SECONDS: Final = 60

NEWEST: Final = """query Newest($filter: BookingFilter) {
  bookingChanges(filter: $filter, last: 1) { nodes { cursor } }
}"""
SUBSCRIBE: Final = """subscription Changes($filter: BookingFilter, $after: String) {
  bookingChanged(filter: $filter, after: $after) { cursor }
}"""


class UnexpectedMessage(Exception):
    """A subscriber received something other than what it waits for."""


class Subscribers:
    """Sockets that each have one subscription to the bookings of an event."""

    def __init__(self, server: Server, event_id: UUID, sockets: list[ClientConnection]) -> None:
        self._server, self._event_id, self._sockets = server, event_id, sockets

    async def require_next(self) -> None:
        """Wait until each has received the event's newest change, and require nothing before it.

        Raises: UnexpectedMessage.
        """
        newest = await newest_change(self._server, self._event_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for socket in self._sockets:
                message = await _receive(socket, "next")
                if message["payload"]["data"]["bookingChanged"]["cursor"] != newest:
                    raise UnexpectedMessage(f"{message} is not the newest change")


async def newest_change(server: Server, event_id: UUID) -> str | None:
    """The cursor of the newest change of an event's bookings; None if it has none."""
    request = post({"query": NEWEST, "variables": _of(event_id)}, token())
    [body] = await answers(server, [request])
    nodes = orjson.loads(body)["data"]["bookingChanges"]["nodes"]
    return nodes[0]["cursor"] if nodes else None


@asynccontextmanager
async def subscribed(server: Server, event_id: UUID, number: int) -> AsyncIterator[Subscribers]:
    """Subscribers to the changes of an event from now on. Raises: UnexpectedMessage."""
    variables = {**_of(event_id), "after": await newest_change(server, event_id)}
    async with AsyncExitStack() as stack:
        sockets = []
        for _ in range(number):
            socket = await stack.enter_async_context(
                connect(
                    f"ws://127.0.0.1:{server.port}/graphql",
                    subprotocols=[SUBPROTOCOL],
                    local_addr=FROM,
                    open_timeout=PATIENCE_SECONDS,
                    ping_interval=None,
                    compression=None,
                )
            )
            await _begin(socket, variables)
            sockets.append(socket)
        yield Subscribers(server, event_id, sockets)


def _of(event_id: UUID) -> dict[str, Any]:
    return {"filter": {"eventId": {"eq": global_id("Event", event_id)}}}


async def _begin(socket: ClientConnection, variables: dict[str, Any]) -> None:
    payload = {"Authorization": f"Bearer {token()}"}
    await _send(socket, {"type": "connection_init", "payload": payload})
    await _receive(socket, "connection_ack")
    operation = {"query": SUBSCRIBE, "variables": variables}
    await _send(socket, {"id": "1", "type": "subscribe", "payload": operation})


async def _send(socket: ClientConnection, message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def _receive(socket: ClientConnection, kind: str) -> Any:
    """The next message. Raises: UnexpectedMessage if it is of another kind."""
    received = await socket.recv()
    message = orjson.loads(received)
    if message["type"] != kind:
        raise UnexpectedMessage(f"{received!r} is not '{kind}'")
    return message
