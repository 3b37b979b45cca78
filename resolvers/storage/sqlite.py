"""SQLite: the embedded default. One file, one writer thread, readers beside it (WAL)."""

import asyncio
import logging
import math
import sqlite3
import threading
from collections.abc import AsyncGenerator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from resolvers.storage import write_ahead_log
from resolvers.storage.batches import BatchOutcomes, ErrorMeaning, Request, perform, undone
from resolvers.storage.database_file import DatabaseFile, DatabaseFileMoved
from resolvers.storage.encoding import encoder, names_of
from resolvers.storage.faults import PRIMARY_CODE, is_unavailable
from resolvers.storage.filters import lower
from resolvers.storage.interrupting import run_interruptibly
from resolvers.storage.numbers import Numbers
from resolvers.storage.observing import Observer
from resolvers.storage.outages import READING
from resolvers.storage.overloaded import OutcomeUnknown, Overloaded, Unavailable
from resolvers.storage.read import Combined, Compiled, Read, Row
from resolvers.storage.statistics import gather_on_sqlite
from resolvers.storage.storage import Clock, Storage, utc_now
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.storage.writer import LOCK_PATIENCE_SECONDS

logger = logging.getLogger(__name__)

PAGE_CACHE_KIB = 64 * 1024  # the default of 2 MB doubles the time of a read by keys
READING_THREADS = 4
STREAM_CACHE_KIB = 4 * 1024  # a stream reads each page once, and sorts on the disk

STATEMENTS = 128
"""How many statements a connection keeps prepared."""

FILTERED_STATEMENTS = 32
"""How many a reading thread keeps: those are the filters of clients.

SQLite takes 40 KiB for a statement of an ordinary filter and 110 KiB for one of 100 conditions, and
its cache is limited by number only. The threads together keep at most 14 MiB.
"""

BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def connect(
    path: Path, *, cache_kib: int = PAGE_CACHE_KIB, statements: int = STATEMENTS
) -> sqlite3.Connection:
    """A connection with the settings that the invariants and the speed depend on."""
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=5.0,
        cached_statements=statements,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{cache_kib}")
    add_functions(connection)
    return connection


def add_functions(connection: sqlite3.Connection) -> None:
    """Add the functions that statements, indexes and migrations use.

    SQLite's own `lower` knows ASCII only; names in any alphabet must be found in any case.
    """
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return lower(value) if isinstance(value, str) else value


class SqliteStorage(Storage):
    """Reads by key run in the event loop, where they take less than a hop to a thread.

    Pages in threads.
    """

    dialect_name = "sqlite"

    def __init__(
        self,
        path: Path,
        observer: Observer,
        *,
        clock: Clock = utc_now,
        lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
        wait_seconds: float = math.inf,
    ) -> None:
        super().__init__(
            observer,
            clock=clock,
            lock_patience_seconds=lock_patience_seconds,
            wait_seconds=wait_seconds,
        )
        self.path = path
        self._numbers = Numbers()
        self._near: sqlite3.Connection | None = None
        self._writing = ThreadPoolExecutor(1, "writer")
        self._reading = ThreadPoolExecutor(READING_THREADS, "reader")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._file = DatabaseFile(path)
        self._shortening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._near = self._connect()
        self._near.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # makes the log
        self._file.opened()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writing, self._connection, STATEMENTS)
        self._shortening = loop.create_task(self._keep_log_short(), name="write-ahead log")

    async def _disconnect(self) -> None:
        self._near = None  # no more reads
        if self._shortening is not None:
            self._shortening.cancel()
            await asyncio.gather(self._shortening, return_exceptions=True)
        self._writing.shutdown()
        # outside the event loop, which interrupts the statements of cancelled reads
        await asyncio.to_thread(self._reading.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

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
        if self._near is None:
            raise Overloaded
        connection = connect(self.path, cache_kib=STREAM_CACHE_KIB)
        self._file.require_in_place()
        thread = ThreadPoolExecutor(1, "stream")
        loop = asyncio.get_running_loop()

        def begin() -> sqlite3.Cursor:
            return connection.execute(compiled.sql, compiled.values(read.values))

        def fetch(cursor: sqlite3.Cursor) -> Sequence[Sequence[Any]]:
            return compiled.tuples(cursor.fetchmany(size))

        try:
            # one statement sees what was committed when it began, and nothing later
            cursor = await loop.run_in_executor(thread, begin)
            while rows := await loop.run_in_executor(thread, fetch, cursor):
                yield rows
        finally:
            connection.interrupt()  # whoever was cancelled has left the thread at work
            thread.submit(connection.close)
            thread.shutdown(wait=False)

    async def _fetched(self, read: Read[Any]) -> tuple[Compiled, list[Any]]:
        try:
            fetched = await self._fetched_nearby(read)
        except sqlite3.Error as error:
            if self._near is None:  # closed meanwhile
                raise Overloaded from error
            if not is_unavailable(error):
                raise
            self._outage.failed(READING, error)
            raise Unavailable from error
        self._outage.succeeded(READING)
        return fetched

    async def _fetched_nearby(self, read: Read[Any]) -> tuple[Compiled, list[Any]]:
        """Read in the event loop by key, otherwise in a thread."""
        if self._near is None:
            raise Overloaded
        if read.by_key:
            return self._fetch(self._near, read)
        return await run_interruptibly(
            self._reading, self._connection, lambda connection: self._fetch(connection, read)
        )

    def _fetch(self, connection: sqlite3.Connection, read: Read[Any]) -> tuple[Compiled, list[Any]]:
        self._file.require_recently_in_place()
        compiled = self.statements.of(read.shape, read.build)
        cursor = connection.execute(compiled.sql, compiled.values(read.values))
        return compiled, cursor.fetchall()

    async def gather_statistics(self) -> list[str]:
        return await asyncio.get_running_loop().run_in_executor(
            self._writing, lambda: gather_on_sqlite(self._connection())
        )

    async def _keep_log_short(self) -> None:
        """Shorten the log's file whenever it has become large."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(write_ahead_log.LOOK_SECONDS)
            if not write_ahead_log.is_large(self.path):
                continue
            try:
                self._file.require_in_place()
                for executor, shorten in (
                    (self._writing, write_ahead_log.leave_growing),
                    (self._reading, write_ahead_log.copy),
                    (self._writing, write_ahead_log.truncate),
                ):
                    await loop.run_in_executor(executor, lambda do: do(self._connection()), shorten)
            except DatabaseFileMoved:
                continue  # what is asked next says so
            except sqlite3.Error as error:
                logger.warning("The write-ahead log could not be shortened: %r", error)

    def _connect(self, statements: int = STATEMENTS) -> sqlite3.Connection:
        connection = connect(self.path, statements=statements)
        self._connections.append(connection)
        return connection

    def _connection(self, statements: int = FILTERED_STATEMENTS) -> sqlite3.Connection:
        """The connection of this thread; the writer's is made when the storage is opened."""
        if not hasattr(self._of_thread, "connection"):
            self._of_thread.connection = self._connect(statements)
            self._file.require_in_place()
        connection: sqlite3.Connection = self._of_thread.connection
        return connection

    async def _transact(self, requests: list[Request]) -> BatchOutcomes:
        performed, changed = await asyncio.get_running_loop().run_in_executor(
            self._writing, self._transaction, requests
        )
        self._tell(changed, queued=performed.queued)
        return performed

    def _transaction(self, requests: list[Request]) -> tuple[BatchOutcomes, dict[Any, int]]:
        connection = self._connection()
        committing = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            work = UnitOfWork(
                _Open(connection), self.statements, self.clock(), self._numbers, self.observer
            )
            performed = perform(work, requests, trouble)
            self._file.require_in_place()
            committing = True
            connection.execute("COMMIT")
            self._file.require_in_place()  # deleted during the commit: not to be acknowledged
        except BaseException as error:
            self._numbers.rollback()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not isinstance(error, Exception):
                raise
            if trouble(error) is ErrorMeaning.LOCKED:  # another program has locked the file
                return BatchOutcomes(again=requests), {}
            if committing and _is_input_output(error):
                raise OutcomeUnknown from error
            return undone(requests, error, trouble(error)), {}
        self._numbers.commit()
        return performed, work.changed_organizations


class _Open:
    """The connection inside its transaction, as a unit of work calls it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def fetch(self, statement: Compiled | Combined, values: list[Any]) -> Iterable[Iterable[Any]]:
        return self._connection.execute(statement.sql, values).fetchall()

    def execute_many(self, statement: Compiled, values: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(statement.sql, values)

    def encode(self, model: type[SQLModel], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        return encoder(model, "sqlite", names_of(model))(rows)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)


def trouble(error: BaseException) -> ErrorMeaning:
    match error:
        case sqlite3.IntegrityError():
            return ErrorMeaning.CONSTRAINT
        case sqlite3.OperationalError() if error.sqlite_errorcode & PRIMARY_CODE in BUSY:
            return ErrorMeaning.LOCKED
        case _ if is_unavailable(error):
            return ErrorMeaning.UNAVAILABLE
        case _:
            return ErrorMeaning.FAULT


def _is_input_output(error: Exception) -> bool:
    """Whether the file failed: after a commit, its last pages may be on the disk or not."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & PRIMARY_CODE == sqlite3.SQLITE_IOERR
