"""Forwards connections to PostgreSQL: at once, late, or not at all."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """A network between a client and PostgreSQL, with the faults that a test chooses.

    The server's data arrives at once, but the end of a server's connection never does unless
    `forwards_ends`: on a busy machine a client may see its connection in this state.
    """

    def __init__(self, url: str, *, forwards_ends: bool = False) -> None:
        self._server = urlsplit(url)
        self._forwards_ends = forwards_ends
        self._ended: list[asyncio.Event] = []
        self._forwarding: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._last_delivered: bytes | None = None
        self._refusing = False
        self.refused = 0
        self.delay_seconds = 0.0
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

    def stop_forwarding(self) -> None:
        """Keep every connection open and accept new ones, but deliver no more data."""
        self._passing.clear()

    def stop_forwarding_after(self, data: bytes) -> None:
        """Deliver what is sent up to this data, but nothing after it, not even its answer."""
        self._last_delivered = data

    def forward_again(self) -> None:
        """Deliver the data that has arrived since, and all that follows."""
        self._passing.set()

    def cut(self) -> None:
        """Reset every open connection, on both sides."""
        for writer in self._open:
            writer.transport.abort()

    def refuse(self) -> None:
        """Reset every open connection, and each that is opened from now on."""
        self._refusing = True
        self.cut()

    def accept_again(self) -> None:
        self._refusing = False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            self.refused += 1
            writer.transport.abort()
            return
        self._forwarding.add(asyncio.ensure_future(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.Event()
        self._ended.append(ended)
        host, port = self._server.hostname, self._server.port or 5432
        try:
            answers, questions = await asyncio.open_connection(host, port)
        except OSError:  # the server is down
            writer.transport.abort()
            return
        sides = {writer, questions}
        self._open |= sides
        try:
            asking = asyncio.create_task(self._copy(reader, questions))
            await self._copy(answers, writer)
            ended.set()
            if not self._forwards_ends:
                await asking  # until the client ends its side
        finally:
            self._open -= sides
            asking.cancel()
            questions.close()
            writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward everything up to the end, or until the other side has gone."""
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                await self._passing.wait()
                writer.write(data)
                if self._last_delivered is not None and self._last_delivered in data:
                    self._last_delivered = None
                    self.stop_forwarding()
                await writer.drain()
