"""Whether a database has the tables that the code declares; `migrate` makes them.

Every start asks this. It reads the database through its driver and does not import Alembic, which
alone costs a quarter of a second.
"""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg

from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME, UnknownDatabase
from resolvers.storage.held_columns import HELD, Columns, declared_columns
from resolvers.values import frozen

MIGRATIONS: Final = Path(__file__).parent / "migrations"
STEP_FILE: Final = re.compile(r"v(\d+)_\w+\.py")

TABLES_ARE_OLD: Final = "the database's tables are not up to date: run `booking-gateway migrate`"
TABLES_DIFFER: Final = "the database's tables are not those that the migrations make"

ONE_AT_A_TIME: Final = 7_041_776_020
"""The advisory lock under which a process migrates a PostgreSQL database; any number of our own."""

STEP: Final = "SELECT version_num FROM alembic_version"


class NotMigrated(Exception):
    """The tables of the database are not the ones that this version of the gateway needs."""


@frozen
class _DatabaseState:
    """What a database says of itself: the last step that it has had, and its columns."""

    dialect_name: str
    step: str | None
    columns: Sequence[Sequence[Any]]


def is_newest(url: str) -> bool:
    """Whether the database at an address is there, and at the newest step.

    Not to be called from inside an event loop.
    Raises: UnknownDatabase, NotMigrated if the step is not one of ours.
    """
    return _held(url).step == newest_step()


def require_newest(url: str) -> None:
    """Require that the tables at an address are those that the code declares.

    Not to be called from inside an event loop.
    Raises: UnknownDatabase, NotMigrated.
    """
    held = _held(url)
    if held.step != newest_step():
        raise NotMigrated(TABLES_ARE_OLD)
    require_columns(declared_columns(held.dialect_name), held.columns)


def known_steps() -> frozenset[str]:
    """The steps of this version, by the names of their files."""
    matches = (STEP_FILE.fullmatch(file.name) for file in (MIGRATIONS / "versions").iterdir())
    return frozenset(match[1] for match in matches if match is not None)


def newest_step() -> str:
    """The step that the tables of this version are at."""
    return max(known_steps())


def require_known(step: str | None) -> None:
    """Raises: NotMigrated if a database is at a step that is not one of ours."""
    if step is not None and step not in known_steps():
        raise NotMigrated(
            f"the database is at step {step}, which this version does not know: "
            "it belongs to a newer version"
        )


def require_columns(expected: Columns, rows: Sequence[Sequence[Any]]) -> None:
    """Raises: NotMigrated, which names the first difference."""
    if difference := expected.first_difference(Columns(rows)):
        raise NotMigrated(f"{TABLES_DIFFER}: {difference}")


def _held(url: str) -> _DatabaseState:
    if url.startswith(SQLITE_SCHEME) and len(url) > len(SQLITE_SCHEME):
        held = _held_by_sqlite(Path(url.removeprefix(SQLITE_SCHEME)))
    elif url.startswith(POSTGRESQL_SCHEME):
        held = asyncio.run(_held_by_postgresql(url))
    else:
        raise UnknownDatabase(url)
    require_known(held.step)
    return held


def _held_by_sqlite(file: Path) -> _DatabaseState:
    if not file.exists():
        return _DatabaseState("sqlite", None, ())
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # waits for a migration that is under way
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        recorded = connection.execute(tables).fetchone() is not None
        step = connection.execute(STEP).fetchone() if recorded else None
        columns = connection.execute(HELD["sqlite"]).fetchall()
    return _DatabaseState("sqlite", None if step is None else step[0], columns)


async def _held_by_postgresql(url: str) -> _DatabaseState:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", ONE_AT_A_TIME)
            recorded = await connection.fetchval("SELECT to_regclass('alembic_version')")
            step = None if recorded is None else await connection.fetchval(STEP)
            columns = [tuple(row) for row in await connection.fetch(HELD["postgresql"])]
    finally:
        await connection.close()
    return _DatabaseState("postgresql", step, columns)
