"""Databases at any step of the migrations, with rows, and what their tables are made of."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from resolvers.storage.migrate import in_transaction, upgrade
from resolvers.storage.migrated import MIGRATIONS
from resolvers.storage.migrations.table_text import TableText
from resolvers.storage.sqlite import add_functions
from resolvers.storage.tables import metadata
from tests.conftest import DISCONNECT_OTHERS, on_server, run_statements, url_of_database

SCRIPTS = ScriptDirectory(str(MIGRATIONS))
STEPS = [step.revision for step in SCRIPTS.walk_revisions()][::-1]
"""The steps, from the first to the newest."""

ROWS_AT = Path(__file__).parent / "rows_at"
"""For each step that makes tables, a file that puts rows into them; SQL for both databases."""

COLUMNS = """
    SELECT table_name || '.' || column_name || ' ' || data_type
        || coalesce('(' || character_maximum_length || ')', '')
        || CASE is_nullable WHEN 'YES' THEN '' ELSE ' NOT NULL' END
        || coalesce(' DEFAULT ' || column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
"""
# the rules themselves, not what a CHECK is called
CONSTRAINTS = """
    SELECT conrelid::regclass || CASE contype WHEN 'c' THEN '' ELSE ' ' || conname END
        || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
KEPT_STATISTICS = "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext"
QUERIES = (COLUMNS, CONSTRAINTS, INDEXES, KEPT_STATISTICS)

EMPTY_SCHEMA = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
UNUSED: list[str] = []
"""Databases without tables. To create or to drop one waits for the server's disk."""

Rows = dict[str, list[dict[str, Any]]]
"""Every row of every table, by column."""


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / uuid4().hex}.db"
        return
    if not UNUSED:
        UNUSED.append(f"gateway_test_{uuid4().hex}")
        on_server(f"CREATE DATABASE {UNUSED[-1]}")
    name = UNUSED.pop()
    url = url_of_database(name)
    yield url
    asyncio.run(run_statements(url, (DISCONNECT_OTHERS, *EMPTY_SCHEMA)))
    UNUSED.append(name)


def drop_unused() -> None:
    """Drop the databases without tables that this process has made."""
    while UNUSED:
        on_server(f"DROP DATABASE {UNUSED.pop()} WITH (FORCE)")


def upgrade_with_rows(url: str, step: str) -> None:
    """Bring an empty database to a step, and put rows into the tables that each step makes."""
    for each in STEPS[: STEPS.index(step) + 1]:
        rows = ROWS_AT / f"{each}.sql"
        if rows.exists() or each == step:
            in_transaction(url, lambda connection, each=each: upgrade(connection, each))
        if rows.exists():
            run_script(url, rows.read_text(encoding="utf-8"))


def run_script(url: str, script: str) -> None:
    """Run statements, all or none of them."""
    if url.startswith("sqlite"):
        with closing(_file(url)) as connection:
            connection.executescript(f"PRAGMA foreign_keys = ON; BEGIN; {script}; COMMIT")
        return

    asyncio.run(run_statements(url, [script]))


def run_step(url: str, step: Callable[[], None]) -> None:
    """Run what a migration does, in a transaction as `migrate` has it."""
    in_transaction(url, lambda connection: _run_step(connection, step))


def try_step(url: str, step: Callable[[], None], look: Callable[[sa.Connection], None]) -> None:
    """Run what a migration does, look at the outcome, and undo it."""

    def run(connection: sa.Connection) -> None:
        _run_step(connection, step)
        look(connection)
        raise _Undo

    with suppress(_Undo):
        in_transaction(url, run)


class _Undo(Exception):
    """What was done is to be undone."""


def _run_step(connection: sa.Connection, step: Callable[[], None]) -> None:
    opts = {"target_metadata": metadata}
    with Operations.context(MigrationContext.configure(connection, opts=opts)):
        step()


def rows_in(url: str) -> Rows:
    """Every row; in no order that means anything, but always the same."""

    def read(connection: sa.Connection) -> Rows:
        found = {}
        for table in sa.inspect(connection).get_table_names():
            rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').mappings()
            found[table] = sorted((dict(row) for row in rows), key=str)
        return found

    return in_transaction(url, read)


def made_of(url: str) -> set[str]:
    """A line for everything that a database's tables are made of."""
    lines = _in_sqlite(url) if url.startswith("sqlite") else asyncio.run(_in_postgresql(url))
    return {line for line in lines if "alembic_version" not in line}


def faults_of_file(url: str) -> list[Any]:
    """What SQLite finds wrong with its indexes and foreign keys."""
    with closing(_file(url)) as connection:
        add_functions(connection)
        checked = connection.execute("PRAGMA integrity_check").fetchall()
        return [
            row
            for row in checked + connection.execute("PRAGMA foreign_key_check").fetchall()
            if row != ("ok",)
        ]


def declared() -> sa.MetaData:
    """The tables as the code declares them, with a name of its own for every CHECK."""
    copy = sa.MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        made = table.to_metadata(copy)
        checks = [c for c in made.constraints if isinstance(c, sa.CheckConstraint)]
        for number, check in enumerate(checks):
            check.name = f"check_{number}"
    return copy


def _file(url: str) -> sqlite3.Connection:
    return sqlite3.connect(url.removeprefix("sqlite:///"))


def _in_sqlite(url: str) -> set[str]:
    """Each part by itself: a table that was altered has them in another order."""
    lines = set()
    with closing(_file(url)) as connection:
        rows = connection.execute(
            "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).fetchall()
    for kind, table, sql in rows:
        if kind != "table":
            lines.add(_spaced(sql))
            continue
        parts = TableText.read(sql)
        for part in [*parts.columns.values(), *parts.constraints.values(), parts.options]:
            _, check, rule = part.partition("CHECK ")
            lines.add(f"{table}: {_spaced(check + rule or part)}")
    return lines


def _spaced(sql: str) -> str:
    return " ".join(sql.replace('"', "").split())


async def _in_postgresql(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    lines = {row[0] for query in QUERIES for row in await connection.fetch(query)}
    await connection.close()
    return lines
