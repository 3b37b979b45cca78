"""The bare drivers: a statement, its values, and nothing around it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from benchmarks import data, databases
from resolvers.storage import SQLITE_SCHEME
from resolvers.storage.columns import instant_text
from resolvers.storage.sqlite import connect


class Driver(Protocol):
    """A connection; $1 of a statement is the organization."""

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]: ...


@asynccontextmanager
async def driver_at(url: str) -> AsyncIterator[Driver]:
    """The driver of a database, on a connection of its own."""
    if databases.kind_of(url) == "postgresql":
        settings = {"jit": "off", "timezone": "UTC"}
        connection = await asyncpg.connect(url, server_settings=settings)
        try:
            yield _Asyncpg(connection)
        finally:
            await connection.close()
    else:
        with closing(connect(Path(url.removeprefix(SQLITE_SCHEME)))) as file:
            yield _Sqlite3(file)


class _Asyncpg:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        organization = data.organization_id()
        rows: Sequence[Any] = await self._connection.fetch(statement, organization, *values)
        return rows


class _Sqlite3:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Any]:
        given = [data.organization_id().hex, *map(_as_kept, values)]
        rows: Sequence[Any] = self._connection.execute(
            statement.replace("$", "?"), given
        ).fetchall()
        return rows


def _as_kept(value: Any) -> Any:
    match value:
        case UUID():
            return value.hex
        case datetime():
            return instant_text(value)
    return value
