"""PostgreSQL through asyncpg.

Statements run on the driver itself, prepared once for each connection.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy.util import await_only, greenlet_spawn
from sqlmodel import SQLModel

from resolvers.storage.batches import BatchOutcomes, ErrorMeaning, Request, lost, perform, undone
from resolvers.storage.bulk import Held, read_held
from resolvers.storage.encoding import encoder, names_of
from resolvers.storage.faults import is_gone, is_unavailable, without_values
from resolvers.storage.limits import (
    CLOSING_SECONDS,
    LATE_SECONDS,
    STATEMENT_SECONDS,
    Connection,
    Limit,
    connect,
)
from resolvers.storage.numbers import Numbers
from resolvers.storage.observing import Observer
from resolvers.storage.outages import READING
from resolvers.storage.overloaded import OutcomeUnknown, Unavailable
from resolvers.storage.read import Combined, Compiled, Read, Row
from resolvers.storage.readers import Reader, Readers
from resolvers.storage.statistics import gather_on_postgresql
from resolvers.storage.storage import Clock, Storage, utc_now
from resolvers.storage.tables import table
from resolvers.storage.unit_of_work import SAVEPOINT, UnitOfWork
from resolvers.storage.writer import LOCK_PATIENCE_SECONDS

LOCK_TIMEOUT = "100ms"
"""How long a batch waits for a lock: without a bound one foreign lock stopped every booking."""

BEGIN = f"BEGIN; {SAVEPOINT}"
"""Begins a transaction and its first part in one round trip."""

IDLE_IN_TRANSACTION = "5s"
"""A process that stops in the middle of a transaction loses its locks after this time."""

LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What BEGIN and ROLLBACK raise on a connection that is gone; they do not fail otherwise.

asyncpg raises InternalClientError if the server has ended the connection with an error message,
but the end of the connection itself has not arrived yet.
"""

RECONNECTED = {
    asyncpg.ReadOnlySQLTransactionError,  # after a failover, another server may be writable
    asyncpg.DatatypeMismatchError,  # a table has changed since the columns of records were read
    asyncpg.DataError,  # asyncpg's own error for the same; also for a value of another type
}
"""The errors after which the writer needs another connection; not the classes below them."""

READING_CONNECTIONS = 10
PREPARED_STATEMENTS = 500
"""How many statements asyncpg keeps prepared for the writer; of SQL above 15 KiB it keeps none."""

STREAM_SECONDS = 60.0
"""How long a stream may take for its next rows, and its consumer between them."""


class PostgresStorage(Storage):
    """One connection writes, a pool reads."""

    dialect_name = "postgresql"

    def __init__(
        self,
        url: str,
        observer: Observer,
        *,
        clock: Clock = utc_now,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
        wait_seconds: float = math.inf,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        super().__init__(
            observer,
            clock=clock,
            lock_patience_seconds=lock_patience_seconds,
            wait_seconds=wait_seconds,
        )
        self.url = url
        self._statement_seconds = statement_seconds
        self._numbers = Numbers()
        self._readers = Readers(self._connect_reader, READING_CONNECTIONS, statement_seconds)
        self._writing: Connection | None = None
        self._limit: Limit | None = None
        self._held: Held = {}
        self._is_unusable = False

    async def open(self) -> None:
        await self._connect_writer()

    async def _connect_reader(self) -> Reader:
        seconds = self._statement_seconds
        connection = await connect(self.url, seconds=seconds, cached=0)  # a reader keeps its own
        return Reader(connection, Limit(connection, seconds))

    async def _connect_writer(self) -> tuple[Connection, Limit]:
        self._writing = await connect(
            self.url,
            seconds=self._statement_seconds,
            cached=PREPARED_STATEMENTS,
            lock_timeout=LOCK_TIMEOUT,
            idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION,
            plan_cache_mode="force_generic_plan",
        )
        self._limit = Limit(self._writing, self._statement_seconds)
        self._held = await read_held(self._writing)
        return self._writing, self._limit

    async def _disconnect(self) -> None:
        closing = [self._readers.close()]
        if self._writing is not None:
            closing.append(self._writing.close(timeout=CLOSING_SECONDS))
        await asyncio.gather(*closing, return_exceptions=True)

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
        seconds = max(STREAM_SECONDS, self._statement_seconds)
        connection = None
        try:
            connection = await connect(
                self.url,
                seconds=seconds,
                cached=0,
                idle_in_transaction_session_timeout=f"{seconds}s",
            )
            limit = Limit(connection, seconds)
            # a cursor sees what was committed when it was opened, and nothing later
            with limit:
                await connection.execute("BEGIN READ ONLY")
                cursor = await connection.cursor(compiled.sql, *compiled.values(read.values))
            while True:
                with limit:
                    rows: list[Any] = await cursor.fetch(size)
                if not rows:
                    break
                yield compiled.tuples(rows)
        except Exception as error:
            without_values(error)
            if is_unavailable(error) or (connection is not None and is_gone(error, connection)):
                raise Unavailable from error
            raise
        finally:
            # for somebody who was cancelled it also ends what the database is doing
            if connection is not None:
                with suppress(TimeoutError, *LOST):
                    await connection.close(timeout=CLOSING_SECONDS)

    async def gather_statistics(self) -> list[str]:
        connection = await asyncpg.connect(self.url)  # it takes longer than a statement may
        try:
            return await gather_on_postgresql(connection)
        finally:
            await connection.close(timeout=CLOSING_SECONDS)

    async def _fetched(self, read: Read[Any]) -> tuple[Compiled, list[Any]]:
        compiled = self.statements.of(read.shape, read.build)
        try:
            fetched = await self._readers.fetch(compiled, compiled.values(read.values))
        except Unavailable as error:
            self._outage.failed(READING, error)
            raise
        self._outage.succeeded(READING)
        return compiled, fetched

    async def _transact(self, requests: list[Request]) -> BatchOutcomes:
        connection, limit = await self._begin()
        opened = _Open(connection, limit, self._statement_seconds, self._held)
        work = UnitOfWork(
            opened, self.statements, self.clock(), self._numbers, self.observer, in_part=True
        )
        committing = False
        try:
            performed = await greenlet_spawn(perform, work, requests, self._trouble)
            committing = not connection.is_closed()
            with limit:
                await connection.execute("COMMIT")
        except BaseException as error:
            without_values(error)
            self._numbers.rollback()
            if not await _rolled_back(connection, limit, error):
                if committing and not _was_idle_for_too_long(error):
                    raise OutcomeUnknown from error
                # without a COMMIT, the server has rolled back; a silent one is not asked again
                if limit.exceeded or not isinstance(error, LOST):
                    raise Unavailable from error
                return lost(requests)
            if not isinstance(error, Exception):
                raise
            return undone(requests, error, self._trouble(error), raising=work.raising)
        self._numbers.commit()
        self._tell(work.changed_organizations, queued=performed.queued)
        return performed

    def _trouble(self, error: BaseException) -> ErrorMeaning:
        if type(error) in RECONNECTED:
            self._is_unusable = True
        if self._limit is not None and error is self._limit.cancelled:
            return ErrorMeaning.UNAVAILABLE  # running it again would take as long
        return trouble(error)

    async def _begin(self) -> tuple[Connection, Limit]:
        """The writer's connection in a new transaction; one that was lost is replaced.

        Raises: Unavailable, also if it is cancelled: nothing was written.
        """
        connection, limit = self._writing, self._limit
        if connection is not None and self._is_unusable:
            connection.terminate()
            self._is_unusable = False
        if connection is not None and limit is not None and not connection.is_closed():
            try:
                with limit:
                    await connection.execute(BEGIN)
            except LOST:
                connection.terminate()
            except asyncio.CancelledError:
                connection.terminate()
                raise Unavailable from None
            else:
                return connection, limit
        try:
            connection, limit = await self._connect_writer()
            with limit:
                await connection.execute(BEGIN)
        except (asyncio.CancelledError, *LOST) as error:
            raise Unavailable from error
        return connection, limit


class _Open:
    """The connection inside its transaction, as a unit of work calls it from its greenlet."""

    def __init__(self, connection: Connection, limit: Limit, seconds: float, held: Held) -> None:
        self._connection = connection
        self._limit = limit
        self._held = held
        # the end of a connection does not end asyncpg's wait for room in its buffer
        self._seconds = seconds + 2 * LATE_SECONDS

    def fetch(self, statement: Compiled | Combined, values: list[Any]) -> Iterable[Iterable[Any]]:
        rows: list[asyncpg.Record] = self._wait(self._connection.fetch(statement.sql, *values))
        return rows

    def execute_many(self, statement: Compiled, values: Sequence[Sequence[Any]]) -> None:
        self._wait(self._connection.executemany(statement.sql, values, timeout=self._seconds))

    def encode(self, model: type[SQLModel], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        names = self._held.get(table(model).name) or names_of(model)
        return encoder(model, "postgresql", names)(rows)

    def run(self, *statements: str) -> None:
        self._wait(self._connection.execute("; ".join(statements)))

    def _wait(self, answer: Awaitable[Any]) -> Any:
        try:
            with self._limit:
                return await_only(answer)
        except Exception as error:
            without_values(error)
            raise


def _was_idle_for_too_long(error: BaseException) -> bool:
    """Whether the server ended the session before it received the COMMIT, and so rolled back."""
    return isinstance(error.__cause__, asyncpg.IdleInTransactionSessionTimeoutError)


async def _rolled_back(connection: Connection, limit: Limit, error: BaseException) -> bool:
    """Whether the transaction could be ended; if not, the connection is of no further use."""
    if isinstance(error, asyncio.CancelledError | TimeoutError):
        connection.terminate()
        return False
    try:
        with limit:
            await connection.execute("ROLLBACK")
    except LOST:
        connection.terminate()
        return False
    return True


def trouble(error: BaseException) -> ErrorMeaning:
    match error:
        case (
            asyncpg.LockNotAvailableError()
            | asyncpg.QueryCanceledError()  # the lock came together with the end of lock_timeout
            | asyncpg.DeadlockDetectedError()
            | asyncpg.SerializationError()
        ):
            return ErrorMeaning.LOCKED
        case asyncpg.IntegrityConstraintViolationError():
            return ErrorMeaning.CONSTRAINT
        case (
            asyncpg.InvalidCachedStatementError()
            | asyncpg.OutdatedSchemaCacheError()
            | asyncpg.DatatypeMismatchError()  # of a record and its table
        ):
            return ErrorMeaning.STALE
        case _ if is_unavailable(error):
            return ErrorMeaning.UNAVAILABLE
        case _:
            return ErrorMeaning.FAULT
