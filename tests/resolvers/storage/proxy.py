"""Forwards connections to PostgreSQL, but keeps the server's end of one from the client."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """What the server says arrives at once; that it has ended a connection never does.

    On a busy machine a client may see its connection in this state.
    """

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._ended: list[asyncio.Event] = []
        self._forwarding: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._listening.sockets[0].getsockname()[1]
        user, at, _ = self._server.netloc.rpartition("@")
        self.url = urlunsplit(self._server._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
        return self

    async def __aexit__(self, *error: object) -> None:
        """End every connection."""
        self._listening.close()
        for task in self._forwarding:
            task.cancel()
        await asyncio.gather(*self._forwarding, return_exceptions=True)

    async def servers_have_ended(self) -> None:
        """Wait until the server has ended each connection that was opened until now."""
        for ended in self._ended:
            await ended.wait()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._forwarding.add(asyncio.ensure_future(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        self._ended.append(ended)
        host, port = self._server.hostname, self._server.port or 5432
        answers, questions = await asyncio.open_connection(host, port)
        try:
            asking = asyncio.create_task(copy(reader, questions))
            await copy(answers, writer)
            ended.set()
            await asking  # until the client ends its side
        finally:
            asking.cancel()
            questions.close()
            writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward everything up to the end, or until the other side has gone."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
