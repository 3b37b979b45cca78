"""PostgreSQL through asyncpg.

Statements run on the driver itself, prepared once for each connection.
"""

from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.util import await_only, greenlet_spawn

from resolvers.storage.faults import without_values
from resolvers.storage.numbers import Numbers
from resolvers.storage.read import Compiled, Read, Row
from resolvers.storage.readers import Readers
from resolvers.storage.storage import Clock, Storage, utc_now
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.storage.writer import (
    LOCK_PATIENCE_SECONDS,
    Performed,
    Request,
    Trouble,
    perform,
    undone,
)

LOCK_TIMEOUT = "100ms"
"""How long a batch waits for a lock: without a bound one foreign lock stopped every booking."""

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What BEGIN and ROLLBACK raise on a connection that is gone; they do not fail otherwise.

asyncpg raises InternalClientError if the server has ended the connection with an error message,
but the end of the connection itself has not arrived yet.
"""

READING_CONNECTIONS = 10
CLOSING_SECONDS = 5
PREPARED_STATEMENTS = 500
"""How many statements asyncpg keeps prepared for the writer; of SQL above 15 KiB it keeps none."""


class PostgresStorage(Storage):
    """One connection writes, a pool reads."""

    dialect_name = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = utc_now,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
    ) -> None:
        super().__init__(clock=clock, lock_patience_seconds=lock_patience_seconds)
        self.url = url
        self._numbers = Numbers()
        self._readers = Readers(self._connect_reader, READING_CONNECTIONS)
        self._writing: asyncpg.Connection[asyncpg.Record] | None = None

    async def open(self) -> None:
        self._writing = await self._connect_writer()

    async def _connect_reader(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            self.url,
            statement_cache_size=0,  # a reader keeps what it prepares
            server_settings={"jit": "off", "timezone": "UTC"},
        )

    async def _connect_writer(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            self.url,
            statement_cache_size=PREPARED_STATEMENTS,
            server_settings={"jit": "off", "timezone": "UTC", "lock_timeout": LOCK_TIMEOUT},
        )

    async def _disconnect(self) -> None:
        if self._writing is not None:
            await self._writing.close()
        await self._readers.close()

    async def read(self, read: Read[Row]) -> list[Row]:
        compiled, fetched = await self._fetched(read)
        return compiled.rows(fetched)

    async def tuples(self, read: Read[Any]) -> Sequence[Sequence[Any]]:
        compiled, fetched = await self._fetched(read)
        return compiled.tuples(fetched)

    async def stream(
        self, read: Read[Any], *, size: int
    ) -> AsyncGenerator[Sequence[Sequence[Any]]]:
        compiled = self.statements.of(read.shape, read.build)
        connection = await self._connect_reader()
        try:
            # a cursor sees what was committed when it was opened, and nothing later
            await connection.execute("BEGIN READ ONLY")
            cursor = await connection.cursor(compiled.sql, *compiled.values(read.values))
            while fetched := await cursor.fetch(size):
                rows: list[Any] = fetched
                yield compiled.tuples(rows)
        except Exception as error:
            without_values(error)
            raise
        finally:
            # for somebody who was cancelled it also ends what the database is doing
            with suppress(TimeoutError, *LOST):
                await connection.close(timeout=CLOSING_SECONDS)

    async def _fetched(self, read: Read[Any]) -> tuple[Compiled, list[Any]]:
        compiled = self.statements.of(read.shape, read.build)
        return compiled, await self._readers.fetch(compiled, compiled.values(read.values))

    async def _transact(self, requests: list[Request]) -> Performed:
        connection = await self._begin()
        try:
            performed, changed = await self._perform(connection, requests)
            await connection.execute("COMMIT")
        except BaseException as error:
            without_values(error)
            self._numbers.rollback()
            await _roll_back(connection)
            # lost at the commit, nobody knows whether it happened: not to be tried again
            if connection.is_closed() or not isinstance(error, Exception):
                raise
            return undone(requests, error, trouble(error))
        self._numbers.commit()
        self._tell(changed)
        return performed

    async def _begin(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The writer's connection in a new transaction; one that was lost is replaced."""
        if self._writing is not None and not self._writing.is_closed():
            try:
                await self._writing.execute("BEGIN")
            except LOST:
                self._writing.terminate()
            else:
                return self._writing
        self._writing = await self._connect_writer()
        await self._writing.execute("BEGIN")
        return self._writing

    async def _perform(
        self, connection: "asyncpg.Connection[asyncpg.Record]", requests: list[Request]
    ) -> tuple[Performed, dict[UUID, int]]:
        work = UnitOfWork(_Open(connection), self.statements, self.clock(), self._numbers)
        performed = await greenlet_spawn(perform, work, requests, trouble)
        return performed, work.changed_organizations


class _Open:
    """The connection inside its transaction, as a unit of work calls it from its greenlet."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    def fetch(self, statement: Compiled, values: list[Any]) -> Iterable[Iterable[Any]]:
        rows: list[asyncpg.Record] = self._wait(self._connection.fetch(statement.sql, *values))
        return rows

    def execute_many(self, statement: Compiled, values: Sequence[list[Any]]) -> None:
        self._wait(self._connection.executemany(statement.sql, values))

    def run(self, sql: str) -> None:
        self._wait(self._connection.execute(sql))

    def _wait(self, answer: Awaitable[Any]) -> Any:
        try:
            return await_only(answer)
        except Exception as error:
            without_values(error)
            raise


async def _roll_back(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """End the transaction; a connection that cannot even do this is of no use any more."""
    try:
        await connection.execute("ROLLBACK")
    except LOST:
        connection.terminate()


def trouble(error: BaseException) -> Trouble:
    match error:
        case (
            asyncpg.LockNotAvailableError()
            | asyncpg.QueryCanceledError()  # the lock came together with the end of lock_timeout
            | asyncpg.DeadlockDetectedError()
            | asyncpg.SerializationError()
        ):
            return Trouble.LOCKED
        case asyncpg.IntegrityConstraintViolationError():
            return Trouble.CONSTRAINT
        case _:
            return Trouble.FAULT
