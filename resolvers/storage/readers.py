"""The connections that read from PostgreSQL: a statement is prepared once, then bound and run.

asyncpg's own pool and statement cache cost as much as a short statement itself.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import asyncpg

from resolvers.caching import BUDGET, Cache
from resolvers.storage.faults import is_gone, is_unavailable, without_values
from resolvers.storage.limits import CLOSING_SECONDS, Connection, Limit
from resolvers.storage.overloaded import Overloaded, Unavailable
from resolvers.storage.read import Compiled

logger = logging.getLogger(__name__)


CANCEL_SECONDS = 5
"""How long the server may take to cancel a statement before the connection is terminated."""


class Reader:
    """A connection with the statements that were prepared on it."""

    __slots__ = ("_numbers", "_prepared", "connection", "limit", "used")

    def __init__(self, connection: Connection, limit: Limit) -> None:
        self.connection = connection
        self.limit = limit
        self.used = False
        self._prepared: Cache[str, Any] = Cache(BUDGET)
        self._numbers = count()

    async def fetch(self, statement: Compiled, values: list[Any]) -> list[Any]:
        with self.limit:
            prepared = self._prepared.get(statement.sql)
            if prepared is None:
                prepared = await self._prepare(statement)
            try:
                rows: list[Any] = await prepared.fetch(*values)
            except asyncpg.InvalidCachedStatementError:  # a table has changed meanwhile
                self._prepared.clear()
                rows = await (await self._prepare(statement)).fetch(*values)
        return rows

    async def _prepare(self, statement: Compiled) -> Any:
        # without a name asyncpg would parse it anew whenever another was run meanwhile
        name = f"read_{next(self._numbers)}"
        prepared = await self.connection.prepare(statement.sql, name=name)
        size = 2_000 + len(statement.sql) + 300 * statement.width
        self._prepared.put(statement.sql, prepared, size)
        return prepared

    def forget(self) -> None:
        """Drop what was prepared on the connection, because the connection is not used again."""
        self._prepared.clear()


class Readers:
    """At most so many readers, each used by one task at a time.

    A read waits `patience_seconds` for a reader.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Reader]], size: int, patience_seconds: float
    ) -> None:
        self._connect = connect
        self._size = size
        self._patience_seconds = patience_seconds
        self._free: list[Reader] = []
        self._open: set[Reader] = set()
        self._opening = 0
        self._closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cancelling: set[asyncio.Task[None]] = set()

    async def fetch(self, statement: Compiled, values: list[Any]) -> list[Any]:
        """The rows of a statement, from a connection of its own.

        If the server has ended the connection while it was idle, the statement is sent again on
        another connection. If the caller is cancelled, so is the statement on the server. Raises:
        Overloaded.
        """
        while True:
            reader = await self._take()
            was_idle = reader.used
            try:
                return await self._fetched(reader, statement, values)
            except Exception as error:
                gone = is_gone(error, reader.connection)
                if reader.limit.exceeded:
                    self._drop_free()  # the network is silent for them, too
                elif gone and was_idle:
                    continue
                if gone or is_unavailable(error):
                    raise Unavailable from error
                raise

    async def _fetched(self, reader: Reader, statement: Compiled, values: list[Any]) -> list[Any]:
        reader.used = True
        try:
            rows = await reader.fetch(statement, values)
        except asyncpg.PostgresError as error:
            without_values(error)
            if is_gone(error, reader.connection):
                self._drop(reader)
            else:
                self._give_back(reader)
            raise
        except asyncio.CancelledError:
            self._cancel(reader)
            raise
        except BaseException as error:
            without_values(error)
            self._drop(reader)  # in an unknown state: no other task gets it
            raise
        self._give_back(reader)
        return rows

    async def close(self) -> None:
        """Let go of every connection; there are none afterwards."""
        self._closed = True
        await asyncio.gather(*self._cancelling)
        closing = [reader.connection.close(timeout=CLOSING_SECONDS) for reader in self._open]
        for reader in self._open:
            reader.forget()
        self._open.clear()
        self._free.clear()
        while self._waiting:
            self._wake()
        await asyncio.gather(*closing, return_exceptions=True)

    async def _take(self) -> Reader:
        while not self._closed:
            while self._free:
                reader = self._free.pop()
                if not reader.connection.is_closed():
                    return reader
                self._open.discard(reader)
                reader.forget()
            if len(self._open) + self._opening < self._size:
                return await self._make()
            try:
                async with asyncio.timeout(self._patience_seconds):
                    await self._wait()
            except TimeoutError:
                raise Overloaded from None
        raise Overloaded

    async def _make(self) -> Reader:
        self._opening += 1
        try:
            reader = await self._connect()
        except BaseException as error:
            self._wake()
            if is_unavailable(error):
                raise Unavailable from error
            raise
        finally:
            self._opening -= 1
        self._open.add(reader)
        return reader

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._wake()  # the turn was given to one who has gone
            raise

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _give_back(self, reader: Reader) -> None:
        self._free.append(reader)
        if self._waiting:
            self._wake()

    def _drop_free(self) -> None:
        for reader in self._free:
            self._open.discard(reader)
            reader.forget()
            reader.connection.terminate()
        self._free.clear()

    def _drop(self, reader: Reader) -> None:
        self._open.discard(reader)
        reader.forget()
        reader.connection.terminate()
        self._wake()

    def _cancel(self, reader: Reader) -> None:
        """Cancel the statement of a reader in the background; its task does not wait for that."""
        task = asyncio.create_task(self._cancelled(reader), name="cancel statement")
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def _cancelled(self, reader: Reader) -> None:
        """Cancel a reader's statement on the server and close its connection.

        The connection is not used again: a cancel request that arrives late would cancel the next
        statement. It counts as open until then, so that the number of connections stays limited.
        """
        try:
            await reader.connection.close(timeout=CANCEL_SECONDS)
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            logger.warning("A statement could not be cancelled; its connection was terminated")
        finally:
            self._drop(reader)
