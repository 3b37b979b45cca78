"""The outlets of the subscriptions on a WebSocket."""

from typing import Protocol

import orjson

from gateway.quotas import QuotaPlace


class Connection(Protocol):
    """The connection of a subscription."""

    def send_text(self, text: bytes) -> bool:
        """Send a frame without waiting; it is dropped if the connection is closed or closing.

        Returns False if the client has to read before more can be sent.
        """

    async def until_writable(self) -> None:
        """Return once more can be sent, or once the connection is lost."""

    def fail(self, identifier: str, error: Exception) -> None:
        """A subscription has ended with an error."""


class SocketOutlet:
    """One subscription on a WebSocket; it holds a place of its viewer's until it ends."""

    __slots__ = ("_connection", "_head", "_identifier", "_place")

    def __init__(self, connection: Connection, identifier: str, place: QuotaPlace) -> None:
        self._connection = connection
        self._identifier = identifier
        self._place = place
        self._head = b'{"id":%b,"type":"next","payload":' % orjson.dumps(identifier)

    def send(self, payload: bytes, cursor: str) -> bool:
        return self._connection.send_text(b"%b%b}" % (self._head, payload))

    async def writable(self) -> None:
        await self._connection.until_writable()

    def fail(self, error: Exception) -> None:
        self._connection.fail(self._identifier, error)

    def close(self) -> None:
        self._place.close()
