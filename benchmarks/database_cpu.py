"""The CPU time of PostgreSQL's own processes, told apart by what they work for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from benchmarks import databases
from benchmarks.servers import cpu_seconds_of

PROCESSES: Final = """
    SELECT pid, datname = $1 AS serves FROM pg_stat_activity
    WHERE datname = $1 OR backend_type IN ('walwriter', 'checkpointer', 'background writer')
"""


@dataclass(frozen=True, slots=True)
class DatabaseCpu:
    """Seconds so far: of the processes that serve one database, and of those behind all."""

    serving: float = 0.0
    background: float = 0.0

    def since(self, before: "DatabaseCpu") -> "DatabaseCpu":
        return DatabaseCpu(self.serving - before.serving, self.background - before.background)


class DatabaseMeter:
    """Reads the CPU time of a PostgreSQL server on this machine; zero for SQLite.

    SQLite works within the server's own process.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def read(self, url: str) -> DatabaseCpu:
        """The CPU time of what serves the database at an address."""
        if self._connection is None or databases.kind_of(url) != "postgresql":
            return DatabaseCpu()
        name = urlsplit(url).path.removeprefix("/")
        seconds = {True: 0.0, False: 0.0}
        for process_id, serves in await self._connection.fetch(PROCESSES, name):
            if _is_here(process_id):
                seconds[bool(serves)] += cpu_seconds_of(process_id)
        return DatabaseCpu(seconds[True], seconds[False])


def _is_here(process_id: int) -> bool:
    """Whether the process is one of this machine: PostgreSQL may run on another."""
    try:
        return Path(f"/proc/{process_id}/comm").read_text().startswith("postgres")
    except OSError:
        return False


@asynccontextmanager
async def database_meter(kind: str) -> AsyncIterator[DatabaseMeter]:
    """A meter for databases of one kind."""
    if kind != "postgresql":
        yield DatabaseMeter(None)
        return
    connection = await asyncpg.connect(databases.SERVER)
    try:
        yield DatabaseMeter(connection)
    finally:
        await connection.close()
