"""Makes a database of many times the size: copies of its rows, made by PostgreSQL itself.

Generating a million enrolments in Python takes minutes and 10 GB. A copy of a row has other keys
and references, and everything else is the same, so a query finds as many rows in each copy.
"""

import asyncio
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlmodel import SQLModel

from benchmarks import databases
from benchmarks.seats import COUNT_SEATS
from resolvers.storage.tables import (
    Booking,
    Candidate,
    Centre,
    ChangeLog,
    Enrolment,
    Event,
    Payment,
    Registration,
    Room,
    table,
)

COPIED: Final[tuple[type[SQLModel], ...]] = (
    *(Centre, Room, Candidate, Event),
    *(Booking, Enrolment, Payment, Registration, ChangeLog),
)
SHARED_KEYS: Final = frozenset({"organization_id", "test_id", "subject_id"})
"""The keys of rows that are not copied."""

REFERENCES: Final = frozenset({"reference", "reference_folded", "search_text"})
NUMBERS: Final = frozenset({"number", "position"})
COUNTED: Final = (
    "UPDATE log_position SET position = position * {times}",
    "UPDATE number_series SET next = 1 + (next - 1) * {times}",
)
"""What the numbers of the rows are taken from."""

MOST_TIMES: Final = 16
"""A copy changes the last hexadecimal digit of each key."""


def kept(url: str, times: int, *, rebuild: bool = False) -> str:
    """The address of a database with so many times the rows of one of `benchmarks.data`.

    It is built unless it is there already.
    """
    enlarged = f"{url}_{times}"
    if rebuild or not databases.is_there(enlarged):
        unfinished = f"{enlarged}_unfinished"
        databases.copy(url, unfinished)
        asyncio.run(_enlarge(unfinished, times))
        databases.drop(enlarged)
        databases.rename(unfinished, enlarged)
    return enlarged


async def _enlarge(url: str, times: int) -> None:
    assert 1 <= times <= MOST_TIMES, times
    connection = await asyncpg.connect(url)
    try:
        # the copies refer to each other, and checking a million references takes minutes
        await connection.execute("SET session_replication_role = replica")
        for model in COPIED:
            await connection.execute(_copies(table(model), times))
        for statement in (*COUNTED, *COUNT_SEATS):
            await connection.execute(statement.format(times=times))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _copies(of: sa.Table, times: int) -> str:
    """The statement that makes all copies of a table's rows."""
    names = ", ".join(column.name for column in of.columns)
    values = ", ".join(_value(column) for column in of.columns)
    source = f"{of.name} CROSS JOIN generate_series(1, {times - 1}) AS nth"
    return f"INSERT INTO {of.name} ({names}) SELECT {values} FROM {source}"  # noqa: S608


def _value(column: sa.Column[Any]) -> str:
    """A column's value in a copy."""
    name = column.name
    if isinstance(column.type, sa.Uuid) and name not in SHARED_KEYS:
        digit = f"to_hex(('x' || right({name}::text, 1))::bit(4)::int # nth)"
        return f"(left({name}::text, 35) || {digit})::uuid"
    if name in REFERENCES:
        return f"{name} || '-' || nth"
    if name in NUMBERS:
        return f"{name} + nth * (SELECT max({name}) FROM {column.table.name})"  # noqa: S608
    return name
