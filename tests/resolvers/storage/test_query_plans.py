"""On 100,000 bookings no statement of a command, of the feed or of a list reads too much."""

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import strawberry

from resolvers.notifications import outbox
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import SQLITE_SCHEME, storage_at
from resolvers.storage.migrate import migrate
from resolvers.storage.sqlite import add_functions
from schema import build_schema
from tests.conftest import on_server, run_statements, url_of_database
from tests.plan.both_ways import BothWays
from tests.plan.worlds import administrator
from tests.resolvers.storage.everyday import Everyday
from tests.resolvers.storage.many_rows import CANDIDATE, DAYS, EVENT, key, multiply
from tests.resolvers.storage.plans import Statement, bad, measured

pytestmark = pytest.mark.both_databases

AT = datetime(2027, 1, 11, 12, 0, tzinfo=UTC)
EVENTS_TO_COME = [key(EVENT, number) for number in (DAYS // 2, DAYS // 2 + 1)]
NEAR_THE_END = 190_000
"""A position of the log that few changes come after."""

NAME = f"gateway_plans_{os.getpid()}"


def now() -> datetime:
    return AT


@dataclass
class Crowded:
    """A database with many rows, whose statistics are those of a few."""

    url: str
    world: dict[str, Any]
    schema: strawberry.Schema

    async def used(self, reference: str, *, plans: str = "auto") -> list[Statement]:
        """What all statements read. `reference` must be new."""
        async with measured(self.url, clock=now, plans=plans) as (storage, statements):
            everyday = Everyday(**{**self.world, "storage": storage})
            await everyday.write(EVENTS_TO_COME, reference)
            await everyday.follow(NEAR_THE_END)
            service = BothWays(self.schema, storage)
            await everyday.look(service, EVENTS_TO_COME[0], key(CANDIDATE, 4711))
            await asyncio.sleep(0)
            return statements

    async def booked(self, reference: str) -> list[Statement]:
        """What the statements of one booking, by a new candidate, read."""
        async with measured(self.url, clock=now) as (storage, statements):
            everyday = Everyday(**{**self.world, "storage": storage})
            candidate = await everyday.associated(reference)
            await everyday.booked_enrolment(candidate, EVENTS_TO_COME[0])
            return statements

    async def gathered(self) -> list[str]:
        """The tables whose statistics the gateway gathers."""
        storage = storage_at(self.url, outbox.fill, clock=now)
        await storage.open()
        try:
            return await storage.gather_statistics()
        finally:
            await storage.close()

    async def sql(self, statement: str) -> None:
        if not self.url.startswith(SQLITE_SCHEME):
            await run_statements(self.url, [statement])
            return
        with closing(sqlite3.connect(self.url.removeprefix(SQLITE_SCHEME))) as connection:
            add_functions(connection)
            connection.execute(statement)
            connection.commit()


@pytest.fixture(scope="module")
def crowded(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    if database == "sqlite":
        file = tmp_path_factory.mktemp("plans") / "gateway.db"
        yield asyncio.run(_crowd(f"{SQLITE_SCHEME}{file}"))
        Path(file).unlink()  # it has hundreds of megabytes
        return
    drop = f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"
    on_server(drop, f"CREATE DATABASE {NAME}")
    try:
        yield asyncio.run(_crowd(url_of_database(NAME)))
    finally:
        on_server(drop)


async def _crowd(url: str) -> Crowded:
    await asyncio.to_thread(migrate, url)
    storage = storage_at(url, outbox.fill, clock=now)
    await storage.open()
    command = MakeOrganization(name="Northfield", time_zone="Europe/London", currency="GBP")
    [outcome] = await storage.write(make_organization, [command])
    assert isinstance(outcome, Outcome)
    everyday = Everyday(storage, administrator(outcome.subject))
    seeds = await everyday.make()
    await storage.close()
    crowded = Crowded(url, everyday.keys(), build_schema())
    await crowded.sql("ANALYZE")
    await multiply(url, seeds, AT)
    return crowded


async def test_no_statement_reads_too_much_once_statistics_were_gathered(
    crowded: Crowded, database: str
) -> None:
    """With those of a few rows, lists read tables whole; the gateway gathers them anew.

    On PostgreSQL, with the plans of first executions and with those of prepared statements.
    """
    assert bad(await crowded.used("S")) != []

    assert "booking" in await crowded.gathered()

    modes = ["auto"] if database == "sqlite" else ["force_custom_plan", "force_generic_plan"]
    for n, mode in enumerate(modes):
        assert bad(await crowded.used(f"G{n}", plans=mode)) == []
    assert await crowded.gathered() == []


async def test_no_statement_reads_too_much_after_analyze(crowded: Crowded) -> None:
    """SQLite must not skip-scan an index whose first columns have few values."""
    await crowded.sql("ANALYZE")

    assert bad(await crowded.used("A")) == []


async def test_missing_statistics_are_gathered(crowded: Crowded, database: str) -> None:
    """Without any, a booking reads too much on PostgreSQL, and SQLite chooses other indexes."""
    if database == "sqlite":
        await crowded.sql("DROP TABLE sqlite_stat1")
    else:
        await crowded.sql("""
            DELETE FROM pg_statistic WHERE starelid = 'booking'::regclass;
            UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = 'booking'::regclass
        """)

    assert "booking" in await crowded.gathered()

    assert bad(await crowded.booked("NONE")) == []
    assert await crowded.gathered() == []
