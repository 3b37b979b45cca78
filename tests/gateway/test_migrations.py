"""Migrations lead to exactly the tables that the code declares, on both databases."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import op
from sqlalchemy.ext.asyncio import create_async_engine

from resolvers.storage import UnknownDatabase
from resolvers.storage.migrate import migrate, require_tables, upgrade
from resolvers.storage.migrated import (
    NotMigrated,
    is_newest,
    known_steps,
    newest_step,
    require_newest,
)
from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.words import index, number, text
from resolvers.storage.tables import metadata
from resolvers.storage.tables.tenant import STATISTICS
from tests.gateway.migrating import SCRIPTS, declared, made_of, new_database, try_step

pytestmark = pytest.mark.both_databases


def test_migrations_make_the_tables(database_url: str, tmp_path: Path):
    with new_database(database_url.partition(":")[0], tmp_path) as url:
        if url.startswith("sqlite"):
            engine = sa.create_engine(url)
            declared().create_all(engine)
            engine.dispose()
        else:
            asyncio.run(create_declared(url))

        assert made_of(database_url) ^ made_of(url) == set()


async def create_declared(url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url)
    )
    async with engine.begin() as connection:
        await connection.run_sync(declared().create_all)
        for table in metadata.sorted_tables:
            for statement in table.info.get(STATISTICS, ()):
                await connection.execute(sa.text(statement))
    await engine.dispose()


def test_migrating_again_changes_nothing(database_url: str):
    assert is_newest(database_url)

    migrate(database_url)

    assert is_newest(database_url)
    require_newest(database_url)


def test_a_file_is_made_with_its_folder_and_not_by_asking(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/a/b%20c/gateway.db"
    assert not is_newest(url)
    assert list(tmp_path.iterdir()) == []

    migrate(url)

    assert is_newest(url)
    assert (tmp_path / "a" / "b%20c" / "gateway.db").exists()


def test_steps_are_known_by_the_names_of_their_files():
    """`serve` reads the names only, since Alembic takes long to import."""
    assert known_steps() == {script.revision for script in SCRIPTS.walk_revisions()}
    assert newest_step() == SCRIPTS.get_current_head()


def test_an_unknown_database_is_refused():
    with pytest.raises(UnknownDatabase):
        migrate("mysql://x")


def drop_column() -> None:
    with altering("candidate") as candidate:
        candidate.drop("image_url")


def shorten() -> None:
    with altering("candidate") as candidate:
        candidate.change(text("telephone", 20, null=True))


def change_type() -> None:
    with altering("session_pin") as session_pin:
        session_pin.change(text("on_date", 10))


def allow_null() -> None:
    with altering("centre") as centre:
        centre.change(text("name", 200, null=True))


def require_value() -> None:
    with altering("centre") as centre:
        centre.change(number("minimum_age"))


def add_required() -> None:
    with altering("centre") as centre:
        centre.add(number("floor"), value="0")


def other_check() -> None:
    with altering("room") as room:
        room.drop_check("capacity")
        room.add_check("capacity", "capacity > 1")


def more_unique() -> None:
    with altering("room") as room:
        room.add_unique("organization_id", "capacity")


def no_unique_index() -> None:
    op.drop_index("uq_test_reference", "test")


def add_harmless() -> None:
    op.create_table("of_others", number("id"))
    index("ix_room_seats", "room", "capacity")
    op.execute("ALTER TABLE centre ADD COLUMN note VARCHAR(50)")
    op.execute("ALTER TABLE room ADD COLUMN floor INTEGER DEFAULT 0 NOT NULL")


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (lambda: op.drop_table("session_pin"), "the table session_pin is missing"),
        (drop_column, "the column candidate.image_url is missing"),
        (shorten, r"the column candidate.telephone is .*\(20\) instead of .*\(50\)"),
        (change_type, r"the column session_pin.on_date is .*\(10\) instead of date"),
        (allow_null, "the column centre.name is nullable instead of NOT NULL"),
        (require_value, "the column centre.minimum_age is NOT NULL instead of nullable"),
        (add_required, "the column centre.floor is unknown, and no row can be written without it"),
    ],
)
def test_tables_that_differ_are_not_used(
    database_url: str, damage: Callable[[], None], difference: str
):
    """The database says that it is at the newest step; its tables say that it is not."""

    def look(connection: sa.Connection) -> None:
        for use in (require_tables, upgrade):
            with pytest.raises(NotMigrated, match=f"(?i)that the migrations make: {difference}$"):
                use(connection)

    try_step(database_url, damage, look)


@pytest.mark.parametrize(
    ("damage", "difference"),
    [
        (other_check, "the rule 'room: CHECK .*capacity.*100000.*' is missing"),
        (more_unique, "the rule 'room: .*UNIQUE .*capacity.*' is unknown"),
        (no_unique_index, "the rule 'test: CREATE UNIQUE INDEX uq_test_reference .*' is missing"),
    ],
)
def test_rules_that_differ_are_not_used(
    database_url: str, damage: Callable[[], None], difference: str
):
    """A CHECK that an earlier text of a step has made refuses rows one by one."""

    def look(connection: sa.Connection) -> None:
        uses = (require_tables, upgrade) if connection.dialect.name == "sqlite" else (upgrade,)
        for use in uses:
            with pytest.raises(NotMigrated, match=f"that the migrations make: {difference}$"):
                use(connection)

    try_step(database_url, damage, look)


def test_tables_and_columns_of_others_are_left_alone(database_url: str):
    """Statements of the gateway name neither, and need not."""

    def look(connection: sa.Connection) -> None:
        require_tables(connection)
        upgrade(connection)

    try_step(database_url, add_harmless, look)


def test_a_database_of_a_newer_gateway_is_not_used(database_url: str):
    def look(connection: sa.Connection) -> None:
        for use in (require_tables, upgrade):
            with pytest.raises(NotMigrated, match="at step 9999, which this version does not know"):
                use(connection)

    try_step(
        database_url, lambda: op.execute("UPDATE alembic_version SET version_num = '9999'"), look
    )


def test_tables_without_a_record_of_a_step_are_not_migrated(database_url: str):
    """The error names a table and what to do, in our words."""

    def look(connection: sa.Connection) -> None:
        rule = "has the table accommodation, but its table alembic_version names no step"
        with pytest.raises(NotMigrated, match=rule):
            upgrade(connection)

    try_step(database_url, lambda: op.execute("DELETE FROM alembic_version"), look)
