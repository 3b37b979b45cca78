"""Tables that have rows are altered the same way on both databases."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from resolvers.storage.migrations.altering import Alteration, altering
from resolvers.storage.migrations.words import (
    big_number,
    check,
    choice,
    index,
    key,
    number,
    of_organization,
    primary_key,
    refers_to,
    text,
    unique,
)
from tests.conftest import DATABASES
from tests.gateway.migrating import (
    faults_of_file,
    made_of,
    new_database,
    rows_in,
    run_script,
    run_step,
)

ORGANIZATION, FIRST, SECOND, CHILD = ("0" * 31 + digit for digit in "1234")
ROWS = f"""
    INSERT INTO organization (id) VALUES ('{ORGANIZATION}');
    INSERT INTO parent (organization_id, id, name, size, state)
        VALUES ('{ORGANIZATION}', '{FIRST}', 'It''s: (a), b', 7, 'NEW');
    INSERT INTO parent (organization_id, id, name, size, state)
        VALUES ('{ORGANIZATION}', '{SECOND}', 'ÄÖ', NULL, 'OLD');
    INSERT INTO child (organization_id, id, parent_id)
        VALUES ('{ORGANIZATION}', '{CHILD}', '{FIRST}')
"""

PARTS: dict[str, Callable[[], Any]] = {
    "name": lambda: text("name", 50),
    "long name": lambda: text("name", 90),
    "size": lambda: number("size", null=True),
    "big size": lambda: big_number("size"),
    "state": lambda: choice("state", ("NEW", "OLD")),
    "more states": lambda: choice("state", ("NEW", "OLD", "LOST")),
    "any state": lambda: text("state", 32),
    "alias": lambda: text("alias", 50),
    "colour": lambda: choice("colour", ("RED", "BLUE"), null=True),
    "other": lambda: key("other_id", null=True),
    "refers": lambda: refers_to("parent", "other_id"),
    "unique": lambda: unique("organization_id", "name"),
    "check": lambda: check("odd", "name <> 'CHECK (,:x)'"),
}


def make(names: list[str]) -> None:
    """Three tables, each referring to the one before; the second has these columns and rules."""
    op.create_table("organization", key("id"), primary_key("id"))
    op.create_table(
        "parent",
        key("organization_id"),
        key("id"),
        *(PARTS[name]() for name in names),
        primary_key("organization_id", "id"),
        of_organization(),
    )
    index("ix_parent_name", "parent", "organization_id", "lower(name)", where="name <> 'x, y'")
    op.create_table(
        "child",
        key("organization_id"),
        key("id"),
        key("parent_id"),
        primary_key("organization_id", "id"),
        refers_to("parent", "parent_id"),
    )


@pytest.fixture(params=DATABASES)
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two databases without tables."""
    with new_database(request.param, tmp_path) as one, new_database(request.param, tmp_path) as two:
        yield one, two


def add(parent: Alteration) -> None:
    parent.add(PARTS["alias"](), value="name || '!'")
    parent.add(PARTS["colour"]())


def change(parent: Alteration) -> None:
    parent.change(PARTS["big size"](), value="coalesce(size, 1)")
    parent.change(PARTS["long name"]())
    parent.change(PARTS["more states"]())


def constrain(parent: Alteration) -> None:
    parent.add(PARTS["other"](), value=f"'{FIRST}'")
    parent.add_reference("parent", "other_id")
    parent.add_unique("organization_id", "name")
    parent.add_check("odd", "name <> 'CHECK (,:x)'")


def loosen(parent: Alteration) -> None:
    parent.drop_reference("parent", "other_id")
    parent.drop("other_id")
    parent.drop_unique("organization_id", "name")
    parent.drop_check("odd")
    parent.drop_check("state")
    parent.change(PARTS["any state"]())


PLAIN = ["name", "size", "state"]
STRICT = [*PLAIN, "other", "refers", "unique", "check"]


@pytest.mark.parametrize(
    ("alter", "before", "after", "first", "second"),
    [
        (
            add,
            PLAIN,
            [*PLAIN, "alias", "colour"],
            {"alias": "It's: (a), b!", "colour": None},
            {"alias": "ÄÖ!", "colour": None},
        ),
        (change, PLAIN, ["big size", "long name", "more states"], {"size": 7}, {"size": 1}),
        (constrain, PLAIN, STRICT, {"other_id": FIRST}, {"other_id": FIRST}),
        (loosen, STRICT, ["name", "size", "any state"], {}, {}),
    ],
)
def test_an_altered_table_is_as_if_made_so_and_keeps_its_rows(
    databases: tuple[str, str],
    alter: Callable[[Alteration], None],
    before: list[str],
    after: list[str],
    first: dict[str, Any],
    second: dict[str, Any],
):
    altered, made = databases
    run_step(altered, lambda: make(before))
    run_step(made, lambda: make(after))
    run_script(altered, ROWS)
    rows = parents(altered)

    run_step(altered, lambda: alter_parent(alter))

    names = {"organization_id", "id", *(PARTS[name]().name for name in after)}
    assert made_of(altered) == made_of(made)
    assert parents(altered) == [
        {name: value for name, value in {**row, **new}.items() if name in names}
        for row, new in zip(rows, (first, second), strict=True)
    ]
    assert_child_is_bound(altered)


def test_a_column_is_added_to_a_table_that_was_altered_by_the_database(tmp_path: Path):
    """SQLite keeps what it adds itself in a line with the column before it."""
    with new_database("sqlite", tmp_path) as url:
        run_step(url, lambda: make(PLAIN))
        run_script(url, f"{ROWS}; ALTER TABLE parent ADD COLUMN note VARCHAR(9) DEFAULT 'a, (b'")

        run_step(url, lambda: alter_parent(add))

        assert [(row["note"], row["alias"]) for row in parents(url)] == [
            ("a, (b", "It's: (a), b!"),
            ("a, (b", "ÄÖ!"),
        ]
        assert_child_is_bound(url)


def test_a_rule_that_rows_break_changes_nothing(databases: tuple[str, str]):
    url, _ = databases
    run_step(url, lambda: make(PLAIN))
    run_script(url, ROWS)
    before = made_of(url), rows_in(url)

    with pytest.raises(sa.exc.IntegrityError):
        run_step(url, lambda: alter_parent(lambda parent: parent.add_check("size", "size > 7")))

    assert (made_of(url), rows_in(url)) == before


def test_a_table_is_not_made_again_while_foreign_keys_are_on(tmp_path: Path):
    """Dropping the old table would then delete the rows that refer to it."""
    with new_database("sqlite", tmp_path) as url:
        run_step(url, lambda: make(PLAIN))
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            with (
                pytest.raises(RuntimeError, match="foreign keys must be off"),
                Operations.context(MigrationContext.configure(connection)),
            ):
                alter_parent(add)
        engine.dispose()


def alter_parent(alter: Callable[[Alteration], None]) -> None:
    with altering("parent") as parent:
        alter(parent)


def parents(url: str) -> list[dict[str, Any]]:
    """The rows of the second table, with keys as text."""
    return [
        {name: value.hex if isinstance(value, UUID) else value for name, value in row.items()}
        for row in rows_in(url)["parent"]
    ]


def assert_child_is_bound(url: str) -> None:
    """The row of the third table is still there, and no row may refer to a parent that is not."""
    assert len(rows_in(url)["child"]) == 1
    assert url.startswith("postgresql") or faults_of_file(url) == []
    with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)):
        run_script(url, f"UPDATE child SET parent_id = '{SECOND[::-1]}'")
    with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)):
        run_script(url, f"DELETE FROM parent WHERE id = '{FIRST}'")
