"""Keeps the planner's statistics up to date for tables that grow quickly.

Every index begins with the organization. Without statistics, or with those of a nearly empty table,
both databases take the rows of an organization for a few, and read all of them for one booking.
SQLite gathers statistics only on request. PostgreSQL's autovacuum does so once a minute, and not
where it is switched off.
"""

import logging
import sqlite3
from typing import Any

import asyncpg

logger = logging.getLogger(__name__)

GROWN = """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
    AND (
        pg_relation_size(c.oid) / current_setting('block_size')::int
            > greatest(c.relpages, 0) * 1.5 + 8
        OR pg_stat_get_mod_since_analyze(c.oid) > greatest(c.reltuples, 0) * 0.5 + 500
    )
    ORDER BY 1
"""
"""The tables that have become half as large again since their statistics were gathered.

CREATE INDEX notes the size, too, but counts no changes; a crash forgets the count of changes.
"""

PATIENCE = "1s"

SAMPLED_ROWS = 1000
"""How many rows of each index SQLite looks at; all of 100,000 bookings take it a second."""

GROWTH, SMALL_ROWS = 3, 500
"""A table has grown if it has so many times the rows of then, and so many more.

The number of then is an estimate of SQLite, which can be half of it.
"""


async def gather_on_postgresql(connection: "asyncpg.Connection[Any]") -> list[str]:
    """Gather the statistics of tables that have grown; their names.

    Reads and writes go on meanwhile; a table that another session analyzes is passed by. Plans that
    were prepared before are made again.
    """
    await connection.execute(f"SET lock_timeout = '{PATIENCE}'")
    tables = [row[0] for row in await connection.fetch(GROWN)]
    for table in tables:
        await connection.execute(f"ANALYZE (SKIP_LOCKED) {table}")
    return _logged(tables)


def gather_on_sqlite(writing: sqlite3.Connection) -> list[str]:
    """Gather all statistics if a table has grown; the names of those that have.

    Every connection to the file notices, since a table of the schema is made anew.
    """
    known = _known_rows(writing)
    rows = {table: _rows(writing, table) for table in _tables(writing)}
    tables = sorted(t for t in rows if rows[t] > GROWTH * known.get(t, 0) + SMALL_ROWS)
    if tables:
        writing.execute(f"PRAGMA analysis_limit = {SAMPLED_ROWS}").fetchall()
        writing.execute("BEGIN IMMEDIATE")
        try:
            writing.execute("DROP TABLE IF EXISTS sqlite_stat1")
            writing.execute("ANALYZE")
            writing.execute("COMMIT")
        except BaseException:
            writing.execute("ROLLBACK")
            raise
    return _logged(tables)


def _tables(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    return [name for (name,) in connection.execute(sql).fetchall()]


def _known_rows(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table had when its statistics were gathered."""
    sql = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"
    if not connection.execute(sql).fetchall():
        return {}
    # a statistic begins with the number of rows
    sql = "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl"
    return dict(connection.execute(sql).fetchall())


def _rows(connection: sqlite3.Connection, table: str) -> int:
    """About how many rows a table has, without counting them: the oldest are deleted first."""
    [(first,)] = connection.execute(f'SELECT min(rowid) FROM "{table}"').fetchall()  # noqa: S608
    [(last,)] = connection.execute(f'SELECT max(rowid) FROM "{table}"').fetchall()  # noqa: S608
    return 0 if first is None else last - first + 1


def _logged(tables: list[str]) -> list[str]:
    if tables:
        logger.info("Gathered the planner's statistics: %s had grown", ", ".join(tables))
    return tables
