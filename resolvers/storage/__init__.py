"""Storage on SQLite (embedded, the default) or PostgreSQL; the same behaviour on both."""

import math
from pathlib import Path

from resolvers.storage.idempotency import Idempotency
from resolvers.storage.limits import STATEMENT_SECONDS
from resolvers.storage.observing import Observer
from resolvers.storage.overloaded import OutcomeUnknown, Overloaded, Unavailable
from resolvers.storage.postgresql import PostgresStorage
from resolvers.storage.read import Read, one_row
from resolvers.storage.sqlite import SqliteStorage
from resolvers.storage.storage import Clock, Storage, utc_now
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.storage.writer import LOCK_PATIENCE_SECONDS

SQLITE_SCHEME = "sqlite:///"
POSTGRESQL_SCHEME = "postgresql://"


class UnknownDatabase(ValueError):
    """A database address that is neither sqlite:///FILE nor postgresql://USER@HOST/DB."""

    def __init__(self, url: str) -> None:
        super().__init__(f"expected sqlite:///FILE or postgresql://USER@HOST/DB, not {url!r}")


def storage_at(
    url: str,
    observer: Observer,
    *,
    clock: Clock = utc_now,
    lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
    wait_seconds: float = math.inf,
    statement_seconds: float = STATEMENT_SECONDS,
) -> Storage:
    """The storage at an address; not yet open.

    `wait_seconds` limits how long a command waits for others, and `statement_seconds` each
    statement on PostgreSQL.

    Raises: UnknownDatabase.
    """
    if url.startswith(SQLITE_SCHEME) and len(url) > len(SQLITE_SCHEME):
        file = Path(url.removeprefix(SQLITE_SCHEME))
        return SqliteStorage(
            file,
            observer,
            clock=clock,
            lock_patience_seconds=lock_patience_seconds,
            wait_seconds=wait_seconds,
        )
    if url.startswith(POSTGRESQL_SCHEME):
        return PostgresStorage(
            url,
            observer,
            clock=clock,
            lock_patience_seconds=lock_patience_seconds,
            wait_seconds=wait_seconds,
            statement_seconds=statement_seconds,
        )
    raise UnknownDatabase(url)


__all__ = [
    "STATEMENT_SECONDS",
    "Clock",
    "Idempotency",
    "OutcomeUnknown",
    "Overloaded",
    "Read",
    "Storage",
    "Unavailable",
    "UnitOfWork",
    "UnknownDatabase",
    "one_row",
    "storage_at",
    "utc_now",
]
