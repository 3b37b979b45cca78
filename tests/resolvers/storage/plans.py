"""How much of the database each statement reads, measured while the gateway's own code runs it.

A plan is bad if it reads much more than it returns. Time is not measured: it depends on the machine
and on its load. On PostgreSQL, what is read is counted in buffers (pages of 8 KiB) of the plan that
was executed; on SQLite, in steps of its virtual machine.

    async with measured(url, clock=clock) as (storage, statements):
        await storage.write(book, [command])
    assert not bad(statements)
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from resolvers.notifications import outbox
from resolvers.storage import SQLITE_SCHEME, Storage
from resolvers.storage.postgresql import PostgresStorage
from resolvers.storage.sqlite import STATEMENTS, SqliteStorage

MOST_READ: Final = {"postgresql": (200, 30), "sqlite": (15_000, 700)}
"""What a good plan may read: so much for the statement, and so much more for each of its rows.

A scan of an index of 100,000 rows reads 500 buffers or more, and takes 300,000 steps or more.
"""

COUNTED_EACH: Final = 100
"""How many rows an aggregate may count for each row of its statement: the bookings of an event."""

STEPS_AT_ONCE: Final = 25
"""After how many steps SQLite reports them."""

AUTO_EXPLAIN: Final = {
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
    "auto_explain.log_nested_statements": "on",  # foreign keys
}
"""Makes PostgreSQL send the plan of each statement, once it has run, to the client that ran it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One execution of a statement: its rows, what it read for them, and its plan.

    On PostgreSQL, rows that an aggregate counts are rows, too; SQLite does not tell them.
    """

    sql: str
    rows: int
    read: int
    dialect: str
    plan: str = field(repr=False)

    @property
    def is_bad(self) -> bool:
        """Whether it read more than a good plan needs for its rows."""
        once, each = MOST_READ[self.dialect]
        return self.read > once + each * self.rows

    def __str__(self) -> str:
        sql = re.sub(r"^(SELECT) .*? (FROM)", r"\1 ... \2", self.sql.replace("\n", " "))
        return f"{self.rows} rows, {self.read} read: {sql}\n{self.plan}"


def bad(statements: Iterable[Statement]) -> list[str]:
    """The statements that read too much, with their plans; each SQL once."""
    return [str(one) for one in {one.sql: one for one in statements if one.is_bad}.values()]


@asynccontextmanager
async def measured(
    url: str, *, clock: Callable[[], datetime], plans: str = "auto"
) -> AsyncIterator[tuple[Storage, list[Statement]]]:
    """An open storage, and a list that grows by each statement that it executes.

    `plans` is PostgreSQL's `plan_cache_mode`: `force_generic_plan` makes the plan that a prepared
    statement has after some executions, `force_custom_plan` that of its first ones.
    """
    found: list[Statement] = []
    storage: Storage
    if url.startswith(SQLITE_SCHEME):
        storage = _MeasuredSqlite(Path(url.removeprefix(SQLITE_SCHEME)), found, clock=clock)
    else:
        storage = _MeasuredPostgres(url, found, plans, clock=clock)
    await storage.open()
    found.clear()
    try:
        yield storage, found
    finally:
        await storage.close()


class _MeasuredPostgres(PostgresStorage):
    def __init__(self, url: str, found: list[Statement], plans: str, **options: Any) -> None:
        super().__init__(url, outbox.fill, **options)
        self._found = found
        self._plans = plans

    async def _connect_reader(self) -> Any:
        reader = await super()._connect_reader()
        await self._measure(reader.connection)
        return reader

    async def _connect_writer(self) -> Any:
        connection, limit = await super()._connect_writer()
        await self._measure(connection)
        return connection, limit

    async def _measure(self, connection: Any) -> None:
        settings = {**AUTO_EXPLAIN, "plan_cache_mode": self._plans}
        await connection.execute("LOAD 'auto_explain'")
        for name, value in settings.items():
            await connection.execute(f"SET {name} = '{value}'")
        connection.add_log_listener(self._note)

    def _note(self, _: Any, message: asyncpg.PostgresLogMessage) -> None:
        told = message.message
        if told.startswith("duration:") and "plan:" in told:
            document = json.loads(told.partition("plan:")[2])
            self._found.append(_postgresql_statement(document["Query Text"], document["Plan"]))


def _postgresql_statement(sql: str, plan: dict[str, Any]) -> Statement:
    read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    steps = "\n".join(_postgresql_steps(plan))
    return Statement(sql, _rows_of(plan), read, "postgresql", steps)


def _rows_of(plan: dict[str, Any]) -> int:
    """The rows of a plan, or those that its aggregate counts.

    If each row shows what an aggregate counts, up to COUNTED_EACH of those belong to it.
    """
    while plan["Node Type"] == "Aggregate":
        [plan] = plan["Plans"]
    rows: int = plan["Actual Rows"]
    return max(rows, min(_counted(plan), COUNTED_EACH * rows))


def _counted(plan: dict[str, Any]) -> int:
    """The rows that the aggregates of a plan count."""
    parts = plan.get("Plans", ())
    if plan["Node Type"] == "Aggregate":
        return sum(part["Actual Rows"] * part["Actual Loops"] for part in parts)
    return sum(_counted(part) for part in parts)


def _postgresql_steps(plan: dict[str, Any], depth: int = 1) -> Iterable[str]:
    node = " ".join(
        str(plan[name])
        for name in ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter")
        if name in plan
    )
    buffers = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    yield f"{'  ' * depth}{node}: {plan['Actual Rows']} x {plan['Actual Loops']}, {buffers} read"
    for part in plan.get("Plans", ()):
        yield from _postgresql_steps(part, depth + 1)


class _MeasuredSqlite(SqliteStorage):
    def __init__(self, path: Path, found: list[Statement], **options: Any) -> None:
        super().__init__(path, outbox.fill, **options)
        self._found = found

    def _connect(self, statements: int = STATEMENTS) -> Any:
        return _MeasuredConnection(super()._connect(statements), self._found)


class _MeasuredConnection:
    """A connection that counts the steps of each statement until its last row is fetched."""

    def __init__(self, connection: Any, found: list[Statement]) -> None:
        self._connection = connection
        self._found = found
        self._steps = 0
        connection.set_progress_handler(self._count, STEPS_AT_ONCE)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self._steps = 0
        rows = self._connection.execute(sql, values).fetchall()
        self._note(sql, values, len(rows), self._steps)
        return _Fetched(rows)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        for values in rows:
            self.execute(sql, values)

    def _count(self) -> None:
        self._steps += STEPS_AT_ONCE

    def _note(self, sql: str, values: Sequence[Any], rows: int, steps: int) -> None:
        if sql.split(maxsplit=1)[0] in {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}:
            plan = self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            text = "\n".join(f"  {row[3]}" for row in plan)
            self._found.append(Statement(sql, rows, steps, "sqlite", text))


@dataclass(frozen=True, slots=True)
class _Fetched:
    rows: list[Any]

    def fetchall(self) -> list[Any]:
        return self.rows
