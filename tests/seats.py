"""Whether the counters of seats are the numbers of bookings, after whatever a test has done."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg

from resolvers.storage import SQLITE_SCHEME


def _differing(counters: str, *key: str) -> str:
    names = ", ".join(("organization_id", *key))
    return f"""
        SELECT '{counters}', {names}, sum(booked) FROM (
            SELECT {names}, 1 AS booked FROM booking
            WHERE {key[0]} IS NOT NULL AND status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS')
            UNION ALL SELECT {names}, -taken FROM {counters}
        ) AS both_of GROUP BY {names} HAVING sum(booked) <> 0
    """


DIFFERING = (
    _differing("event_seats", "event_id"),
    _differing("room_seats", "room_id", "busy_until_at", "start_at"),
)


def miscounted(url: str) -> list[Any]:
    """The counters that differ from the bookings, with how many bookings more there are.

    None of a database whose file or tables are gone.
    """
    if url.startswith(SQLITE_SCHEME):
        return _in_file(Path(url.removeprefix(SQLITE_SCHEME)))
    return asyncio.run(_on_server(url))


def _in_file(file: Path) -> list[Any]:
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as connection:
        try:
            return [row for query in DIFFERING for row in connection.execute(query)]
        except sqlite3.DatabaseError as error:
            if "no such table" in str(error) or "not a database" in str(error):
                return []
            raise


async def _on_server(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return await miscounted_through(connection)
    finally:
        await connection.close()


async def miscounted_through(connection: "asyncpg.Connection[asyncpg.Record]") -> list[Any]:
    """The same, through a connection to PostgreSQL."""
    try:
        return [tuple(row) for query in DIFFERING for row in await connection.fetch(query)]
    except asyncpg.UndefinedTableError:
        return []
