"""100,000 deliveries in the three states, and statistics that are missing, stale or fresh."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from resolvers.storage import SQLITE_SCHEME
from resolvers.storage.columns import instant_text
from tests.conftest import run_statements

DELIVERED: Final = 50_000
RETRYING: Final = 30_000
"""Each about a subject of its own, tried again in an hour."""

BEHIND: Final = 10_000
"""The number of them followed by a delivery that waits for them."""

DUE: Final = 10_000
"""Each about a subject of its own, due an hour ago."""

MISSING, STALE, FRESH = "missing", "stale", "fresh"

COPIED: Final = ("topic", "channel", "content", "give_up_at", "created_at")


async def multiply(url: str, seed: UUID, dead: UUID, good: UUID, now: datetime) -> None:
    """Copy a delivery: to a dead endpoint whatever waits for later, to a good one what is due."""
    later, before = now + timedelta(hours=1), now - timedelta(hours=1)
    kinds = [
        (DELIVERED, 1, good, "'DELIVERED', NULL, {before}, 1"),
        (RETRYING, 2, dead, "'RETRYING', {later}, NULL, 1"),
        (BEHIND, 2, dead, "'QUEUED', {later}, NULL, 0"),
        (DUE, 3, good, "'QUEUED', {before}, NULL, 0"),
    ]
    names = ", ".join(COPIED)
    statements = []
    for kind, (count, subjects, endpoint, values) in enumerate(kinds):
        written = values.format(before=_instant(url, before), later=_instant(url, later))
        statements.append(
            "INSERT INTO notification_delivery (organization_id, id, endpoint_id, subject_id,"
            f" position, status, next_attempt_at, delivered_at, attempts, {names})"
            f" SELECT organization_id, {_key(url, kind)}, '{endpoint.hex}', {_key(url, subjects)},"
            f" {1_000_000 * kind} + n, {written}, {names}"
            f" FROM notification_delivery, {_numbers(url, count)} WHERE id = '{seed.hex}'"
        )
    await run(url, *statements)


async def know(url: str, statistics: str) -> None:
    """Give the database statistics of what it has now, or take all of them away."""
    if statistics != MISSING:
        await run(url, "ANALYZE")
    elif url.startswith(SQLITE_SCHEME):
        await run(url, "ANALYZE", "DELETE FROM sqlite_stat1")
    else:
        await run(
            url,
            "DELETE FROM pg_statistic WHERE starelid >= 16384",
            "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid >= 16384",
        )


async def rewrite(url: str) -> None:
    """Free the pages of rows from earlier tests on PostgreSQL."""
    if not url.startswith(SQLITE_SCHEME):
        await run(url, "VACUUM FULL notification_delivery")


async def run(url: str, *statements: str) -> None:
    if not url.startswith(SQLITE_SCHEME):
        await run_statements(url, statements)
        return
    with closing(sqlite3.connect(url.removeprefix(SQLITE_SCHEME))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _key(url: str, kind: int) -> str:
    if url.startswith(SQLITE_SCHEME):
        return f"printf('%08x%024x', {kind}, n)"
    return f"('{kind:08x}' || lpad(to_hex(n), 24, '0'))::uuid"


def _numbers(url: str, count: int) -> str:
    if url.startswith(SQLITE_SCHEME):
        rows = f"SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {count}"
        return f"(WITH RECURSIVE c(n) AS ({rows}) SELECT n FROM c) AS c"
    return f"generate_series(1, {count}) AS c(n)"


def _instant(url: str, at: datetime) -> str:
    if url.startswith(SQLITE_SCHEME):
        return f"'{instant_text(at)}'"
    return f"timestamptz '{at.isoformat()}'"
