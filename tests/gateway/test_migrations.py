"""Migrations lead to exactly the tables that the code declares, on both databases."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from resolvers.storage import UnknownDatabase
from resolvers.storage.migrate import is_newest, migrate
from resolvers.storage.tables import metadata
from resolvers.storage.tables.tenant import STATISTICS
from tests.conftest import POSTGRES_URL, on_server, url_of_database

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


def declared() -> sa.MetaData:
    """The tables as the code declares them, with a name of its own for every CHECK."""
    copy = sa.MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        made = table.to_metadata(copy)
        checks = [c for c in made.constraints if isinstance(c, sa.CheckConstraint)]
        for number, check in enumerate(checks):
            check.name = f"check_{number}"
    return copy


def in_sqlite(file: Path) -> set[str]:
    """A line for everything that a file's tables are made of."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    lines = set()
    for table, sql in rows.fetchall():
        for line in sql.splitlines():
            words = " ".join(line.replace('"', "").split()).rstrip(",")
            _, check, rule = words.partition("CHECK ")
            lines.add(f"{table}: {check + rule or words}")
    connection.close()
    return {line for line in lines if not line.startswith("alembic_version")}


async def in_postgresql(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    lines = {row[0] for query in QUERIES for row in await connection.fetch(query)}
    await connection.close()
    return {line for line in lines if "alembic_version" not in line}


def test_migrations_make_the_tables_on_sqlite(tmp_path: Path):
    migrate(f"sqlite:///{tmp_path}/migrated.db")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/declared.db")
    declared().create_all(engine)
    engine.dispose()

    assert in_sqlite(tmp_path / "migrated.db") ^ in_sqlite(tmp_path / "declared.db") == set()


@pytest.fixture
def two_databases() -> Iterator[tuple[str, str]]:
    names = [f"gateway_test_{uuid4().hex[:12]}_{what}" for what in ("migrated", "declared")]
    for name in names:
        on_server(f"CREATE DATABASE {name}")
    yield url_of_database(names[0]), url_of_database(names[1])
    for name in names:
        on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.skipif(POSTGRES_URL is None, reason="needs GATEWAY_TEST_POSTGRES_URL")
def test_migrations_make_the_tables_on_postgresql(two_databases: tuple[str, str]):
    migrated, made = two_databases

    async def create() -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(made)
        )
        async with engine.begin() as connection:
            await connection.run_sync(declared().create_all)
            for table in metadata.sorted_tables:
                for statement in table.info.get(STATISTICS, ()):
                    await connection.execute(sa.text(statement))
        await engine.dispose()

    migrate(migrated)
    asyncio.run(create())

    both = asyncio.run(in_postgresql(migrated)), asyncio.run(in_postgresql(made))
    assert both[0] ^ both[1] == set()


def test_migrating_again_changes_nothing(database_url: str):
    assert is_newest(database_url)

    migrate(database_url)

    assert is_newest(database_url)


def test_a_file_is_made_with_its_folder_and_not_by_asking(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/a/b%20c/gateway.db"
    assert not is_newest(url)
    assert list(tmp_path.iterdir()) == []

    migrate(url)

    assert is_newest(url)
    assert (tmp_path / "a" / "b%20c" / "gateway.db").exists()


def test_an_unknown_database_is_refused():
    with pytest.raises(UnknownDatabase):
        migrate("mysql://x")
