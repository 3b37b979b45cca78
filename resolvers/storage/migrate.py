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
from sqlalchemy.ext.asyncio import create_async_engine

from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME, UnknownDatabase
from resolvers.storage.held_columns import Columns, declared_columns, held_columns
from resolvers.storage.held_rules import first_difference
from resolvers.storage.migrated import (
    MIGRATIONS,
    ONE_AT_A_TIME,
    TABLES_ARE_OLD,
    TABLES_DIFFER,
    NotMigrated,
    newest_step,
    require_columns,
    require_known,
)
from resolvers.storage.sqlite import add_functions
from resolvers.storage.tables import metadata

Result = TypeVar("Result")

NEWEST = "head"


def migrate(url: str) -> None:
    """Bring the tables at an address to the newest version; where they are, nothing happens.

    All steps are one transaction. Not to be called from inside an event loop.
    Raises: UnknownDatabase, NotMigrated if the tables are not those that the steps make.
    """
    if is_sqlite(url):
        Path(url.removeprefix(SQLITE_SCHEME)).parent.mkdir(parents=True, exist_ok=True)
    in_transaction(url, upgrade)


def is_sqlite(url: str) -> bool:
    return url.startswith(SQLITE_SCHEME) and len(url) > len(SQLITE_SCHEME)


def upgrade(connection: sa.Connection, step: str = NEWEST) -> None:
    """Run the steps that a connection's database has not had, in the connection's transaction.

    Raises: NotMigrated if the tables, before the first step or after the last, are not those that
    the steps make.
    """
    is_new = _step(connection) is None
    if is_new:
        _require_no_tables(connection)
    _require_made_by_steps(connection)
    command.upgrade(_configuration(connection), step)
    if connection.dialect.name == "sqlite":
        _require_references(connection)
    if step == NEWEST and not is_new:
        _require_declared(connection)
        _require_rules(connection)


def _require_no_tables(connection: sa.Connection) -> None:
    """The first step makes all tables: none of them may be there without a record of a step."""
    ours = set(sa.inspect(connection).get_table_names()) & set(metadata.tables)
    if ours:
        raise NotMigrated(
            f"the database has the table {min(ours)}, but its table alembic_version names no step: "
            "restore alembic_version, or use an empty database"
        )


def _step(connection: sa.Connection) -> str | None:
    """The last step that the database has had. Raises: NotMigrated if it is not one of ours."""
    step = MigrationContext.configure(connection).get_current_revision()
    require_known(step)
    return step


def _require_made_by_steps(connection: sa.Connection) -> None:
    """The tables must be those that the steps up to the database's own make now.

    A step that was edited after it ran here would fail later, or leave what no version expects.
    """
    step = _step(connection)
    if step is None or step == newest_step():
        return  # nothing to alter, or compared afterwards
    with _engine(":memory:").begin() as scratch:
        command.upgrade(_configuration(scratch), step)
        made = Columns(scratch.execute(held_columns("sqlite")).all())
    if connection.dialect.name != "sqlite":
        made = made.of_any_type()
    _require(connection, made)


def require_tables(connection: sa.Connection) -> None:
    """Require that a connection's tables are those that the code declares. Raises: NotMigrated."""
    if _step(connection) != newest_step():
        raise NotMigrated(TABLES_ARE_OLD)
    _require_declared(connection)
    if connection.dialect.name == "sqlite":
        _require_rules(connection)  # PostgreSQL would make tables for it: `migrate` asks it


def _require_declared(connection: sa.Connection) -> None:
    _require(connection, declared_columns(connection.dialect.name))


def _require_rules(connection: sa.Connection) -> None:
    if difference := first_difference(connection):
        raise NotMigrated(f"{TABLES_DIFFER}: {difference}")


def _require(connection: sa.Connection, expected: Columns) -> None:
    require_columns(expected, connection.execute(held_columns(connection.dialect.name)).all())


def _require_references(connection: sa.Connection) -> None:
    """Foreign keys are off while the steps run; none may lead nowhere afterwards."""
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise NotMigrated(f"a row of {broken[0]} refers to a row of {broken[2]} that is not there")


def _configuration(connection: sa.Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def in_transaction(url: str, action: Callable[[sa.Connection], Result]) -> Result:
    if is_sqlite(url):
        return _on_sqlite(Path(url.removeprefix(SQLITE_SCHEME)), action)
    if url.startswith(POSTGRESQL_SCHEME):
        return asyncio.run(_on_postgresql(url, action))
    raise UnknownDatabase(url)


def _on_sqlite(file: Path, action: Callable[[sa.Connection], Result]) -> Result:
    engine = _engine(str(file))
    try:
        with engine.begin() as connection:
            return action(connection)
    finally:
        engine.dispose()


def _engine(file: str) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=file), hide_parameters=True)
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin_immediately)
    return engine


def _set_up(connection: Any, _: object) -> None:
    # Python's driver commits before some statements, which would leave half a step behind
    connection.isolation_level = None
    # a table that is made again is dropped first: neither may this delete the rows that refer to
    # it, nor may its new name be written into other tables
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA legacy_alter_table = OFF")
    add_functions(connection)


def _begin_immediately(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _on_postgresql(url: str, action: Callable[[sa.Connection], Result]) -> Result:
    # the driver reads the address itself, as the storage lets it, so both mean the same database
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), hide_parameters=True
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
            return await connection.run_sync(action)
    finally:
        await engine.dispose()
