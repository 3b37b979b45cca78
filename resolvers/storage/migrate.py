"""Brings a database's tables to the newest version; the steps are in `migrations/versions`."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME, UnknownDatabase

Result = TypeVar("Result")

MIGRATIONS = Path(__file__).parent / "migrations"

ONE_AT_A_TIME = 7_041_776_020
"""The advisory lock under which a process migrates a PostgreSQL database; any number of our own."""


def migrate(url: str) -> None:
    """Bring the tables at an address to the newest version; where they are, nothing happens.

    All steps are one transaction. Not to be called from inside an event loop.
    Raises: UnknownDatabase.
    """
    if is_sqlite(url):
        Path(url.removeprefix(SQLITE_SCHEME)).parent.mkdir(parents=True, exist_ok=True)
    _in_transaction(url, upgrade)


def is_newest(url: str) -> bool:
    """Whether the tables at an address are there, and of the newest version.

    Not to be called from inside an event loop.
    Raises: UnknownDatabase.
    """
    if is_sqlite(url) and not Path(url.removeprefix(SQLITE_SCHEME)).exists():
        return False
    return _in_transaction(url, _is_newest)


def is_sqlite(url: str) -> bool:
    return url.startswith(SQLITE_SCHEME) and len(url) > len(SQLITE_SCHEME)


def upgrade(connection: sa.Connection) -> None:
    """Run the steps that a connection's database has not had, in the connection's transaction."""
    command.upgrade(_configuration(connection), "head")


def _is_newest(connection: sa.Connection) -> bool:
    newest = ScriptDirectory.from_config(_configuration(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


def _configuration(connection: sa.Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _in_transaction(url: str, action: Callable[[sa.Connection], Result]) -> Result:
    if is_sqlite(url):
        return _on_sqlite(Path(url.removeprefix(SQLITE_SCHEME)), action)
    if url.startswith(POSTGRESQL_SCHEME):
        return asyncio.run(_on_postgresql(url, action))
    raise UnknownDatabase(url)


def _on_sqlite(file: Path, action: Callable[[sa.Connection], Result]) -> Result:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(file)))
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin_immediately)
    try:
        with engine.begin() as connection:
            return action(connection)
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: Any, _: object) -> None:
    """Python's driver commits before some statements, which would leave half a step behind."""
    connection.isolation_level = None


def _begin_immediately(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _on_postgresql(url: str, action: Callable[[sa.Connection], Result]) -> Result:
    # the driver reads the address itself, as the storage lets it, so both mean the same database
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url)
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
            return await connection.run_sync(action)
    finally:
        await engine.dispose()
