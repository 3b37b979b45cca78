"""Databases with rows, at any step, keep their rows on the way to the newest step."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from resolvers.storage.migrate import migrate
from resolvers.storage.migrated import MIGRATIONS
from tests.conftest import SEED
from tests.gateway.migrating import (
    ROWS_AT,
    STEPS,
    Rows,
    faults_of_file,
    made_of,
    new_database,
    rows_in,
    upgrade_with_rows,
)
from tests.seats import miscounted

pytestmark = pytest.mark.both_databases

LANDED = Path(__file__).parent / "landed_migrations.sha256"

REWRITTEN: dict[str, set[str]] = {
    "0006": {"booking.lapses_at", "payment.due_by", "event.duration_minutes"},
}
"""For each step that changes values on purpose, or drops them: the columns, as `table.column`."""


CHOSEN = [*STEPS[SEED % 4 : -3 : 4], *STEPS[-3:]]
"""The newest steps, and each day another quarter of the earlier ones, which never change."""


@pytest.fixture
def new_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, of the kind of `database_url`."""
    with new_database(database_url.partition(":")[0], tmp_path) as url:
        yield url


@pytest.mark.parametrize("step", CHOSEN)
def test_rows_and_rules_survive_the_later_steps(step: str, new_url: str, database_url: str):
    """Every table has a row before the later steps."""
    upgrade_with_rows(new_url, step)
    before = rows_in(new_url)
    empty = [table for table, rows in before.items() if not rows]
    assert empty == [], f"put a row of each into {ROWS_AT.name}/{step}.sql"

    migrate(new_url)

    kept = kept_columns(before, since=step)
    assert only(rows_in(new_url), kept) == only(before, kept)
    assert made_of(new_url) == made_of(database_url)
    assert new_url.startswith("postgresql") or faults_of_file(new_url) == []
    assert miscounted(new_url) == []


def test_a_migration_that_has_landed_never_changes():
    """Databases have run it as it was: whatever is to change is a step of its own."""
    listed = {
        name: checksum
        for checksum, name in map(str.split, LANDED.read_text(encoding="utf-8").splitlines())
    }

    files = sorted((MIGRATIONS / "versions").glob("v*.py"))

    for file in files:
        found = hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        assert file.name in listed, f"add a line to {LANDED.name}: {found}  {file.name}"
        assert found == listed[file.name], (
            f"{file.name} has landed and must not change: databases that have run it would not get "
            "the change. Take the change back and write a new migration for it."
        )
    assert set(listed) == {file.name for file in files}, "a migration that has landed is missing"


def kept_columns(rows: Rows, *, since: str) -> dict[str, list[str]]:
    """Of each table that has rows, the columns that no later step rewrites."""
    later = STEPS[STEPS.index(since) + 1 :]
    rewritten = {column for step in later for column in REWRITTEN.get(step, ())}
    return {
        table: [name for name in found[0] if f"{table}.{name}" not in rewritten]
        for table, found in rows.items()
        if table != "alembic_version"
    }


def only(rows: Rows, kept: dict[str, list[str]]) -> Rows:
    return {
        table: sorted(({name: row[name] for name in names} for row in rows[table]), key=str)
        for table, names in kept.items()
    }
