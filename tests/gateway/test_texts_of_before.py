"""Texts that were stored before the gateway had normal forms."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.candidates.reads import (
    CANDIDATES_BY_NAME,
    DEPARTMENTS_BY_NAME,
    candidates_page,
    departments_page,
)
from resolvers.notifications import outbox
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, storage_at
from resolvers.storage.migrate import migrate
from resolvers.storage.paging import page_request
from resolvers.texts import folded, sort_key
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role
from tests.conftest import SettableClock
from tests.gateway.migrating import new_database, rows_in, run_script, upgrade_with_rows

pytestmark = pytest.mark.both_databases

ORGANIZATION = "01a22cdfa08a73fa9dc3c45e363b46e7"
CANDIDATE = (
    "INSERT INTO candidate (organization_id, id, reference, reference_generated, first_names,"
    " last_name, search_text, email) VALUES ('{of}', '{n:032x}', '{reference}', FALSE,"
    " '\u0130brahim ', '\u00c4rger', '', '\u0130@example.org')"
)
EXTERNAL_ID = (
    "INSERT INTO external_id (organization_id, system, kind, value, object_type, object_id)"
    " VALUES ('{of}', 'SHIFT_IQ_V2', 'learner', '{value}', 'Candidate', '{n:032x}')"
)
UUID_TEXT = "c4d81e72-5b06-4f3a-9d8c-0e6a2b7f0009"
OTHER = "c4d81e72-5b06-4f3a-9d8c-0e6a2b7f0010"

KEPT = {
    "\u00a0Zoe\u0308": ("Zo\u00eb", "zo\u00eb"),
    "Ref": ("Ref", "Ref"),
    "REF ": ("REF (2)", "ref (2)"),
    "ref": ("ref", "ref"),
    "R2": ("R2", "r2"),
    "R2\u3000": ("R2 (3)", "r2 (3)"),
    "r2 (2)": ("r2 (2)", "r2 (2)"),
    "\u200b": ("unnamed", "unnamed"),
    "\u200c": ("unnamed (2)", "unnamed (2)"),
}
"""By the reference of before: the reference and its folded form afterwards."""


@pytest.fixture
def new_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, of the kind of `database_url`."""
    with new_database(database_url.partition(":")[0], tmp_path) as url:
        yield url


def test_texts_of_before_get_their_forms(new_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Rows of one folded form keep texts that requests can name; the log names the others."""
    upgrade_with_rows(new_url, "0006")
    made = [
        CANDIDATE.format(of=ORGANIZATION, n=n, reference=reference)
        for n, reference in enumerate(KEPT, 1)
    ]
    values = (f"{{{UUID_TEXT.upper()}}}", OTHER, OTHER.upper(), "not a UUID")
    made += [EXTERNAL_ID.format(of=ORGANIZATION, n=n, value=v) for n, v in enumerate(values, 1)]
    run_script(new_url, ";\n".join(made))

    migrate(new_url)

    rows = {_number(row["id"]): row for row in rows_in(new_url)["candidate"]}
    for n, (reference, form) in enumerate(KEPT.values(), 1):
        assert (rows[n]["reference"], rows[n]["reference_folded"]) == (reference, form)
    first = rows[1]
    assert (first["first_names"], first["name_folded"]) == ("\u0130brahim", "ibrahim \u00e4rger")
    assert first["search_text"] == "ibrahim \u00e4rger\nzo\u00eb"
    assert first["sort_key"] == sort_key("\u00c4rger", "\u0130brahim")
    assert first["email_folded"] == folded("\u0130@example.org")
    assert _external_values(new_url) == {UUID_TEXT, OTHER, OTHER.upper(), "not a UUID"}
    assert OTHER.upper() in caplog.text
    logged = [record.getMessage() for record in caplog.records]
    for number, text, other in ((2, "Ref", 4), (3, "REF ", 4), (6, "R2\u3000", 5)):
        [line] = [line for line in logged if f"candidate.reference: row {UUID(int=number)}" in line]
        assert repr(text) in line
        assert str(UUID(int=other)) in line


LONG = "D" * 199
DEPARTMENT = (
    "INSERT INTO department (organization_id, id, name) VALUES ('{of}', '{n:032x}', '{name}')"
)


@pytest.fixture
async def migrated(new_url: str, clock: SettableClock) -> AsyncIterator[Storage]:
    """A database in which texts collided in migration 0007."""
    await asyncio.to_thread(upgrade_with_rows, new_url, "0006")
    names = ("Arts", "ARTS ", "Law", "LAW", LONG, f"{LONG.lower()} ")
    made = [DEPARTMENT.format(of=ORGANIZATION, n=n, name=name) for n, name in enumerate(names, 1)]
    made += [
        CANDIDATE.format(of=ORGANIZATION, n=n, reference=reference)
        for n, reference in enumerate(("ref", "REF "), 1)
    ]
    await asyncio.to_thread(run_script, new_url, ";\n".join(made))
    await asyncio.to_thread(migrate, new_url)
    storage = storage_at(new_url, outbox.fill, clock=clock)
    await storage.open()
    yield storage
    await storage.close()


ADMIN = Viewer(
    organization_id=UUID(ORGANIZATION),
    role=Role.ADMIN,
    name="admin",
    key="admin",
    permissions=PERMISSIONS[Role.ADMIN],
)


async def test_rows_whose_texts_collided_are_found(migrated: Storage) -> None:
    """By search, also if they differ only in case and keep their texts, and by reference."""
    for search, names in (
        ("arts", ["ARTS (2)", "Arts"]),
        ("LAW", ["LAW", "Law"]),
        ("ddd", [LONG, f"{LONG.lower()[:196]} (2)"]),
    ):
        page = page_request(DEPARTMENTS_BY_NAME, first=10, after=None, last=None, before=None)
        departments = await migrated.read(departments_page(ADMIN, page, search))
        assert sorted(row.name for row in departments) == names

    page = page_request(CANDIDATES_BY_NAME, first=10, after=None, last=None, before=None)
    [candidate] = await migrated.read(candidates_page(ADMIN, page, "REF (2)"))
    again = {"reference": "Ref (2)", "first_names": "Ada", "last_name": "Byron"}
    [outcome] = await migrated.write(upsert_candidates, [UpsertCandidate(viewer=ADMIN, **again)])
    assert isinstance(outcome, Outcome)
    assert (outcome.subject, outcome.created) == (candidate.id, False)
    assert candidate.id.int == 2


def test_filters_of_events_find_texts_that_had_blanks(new_url: str) -> None:
    """The folded form of an event's text is that of its normal form, as filters compare it."""
    upgrade_with_rows(new_url, "0006")
    blanks = "title = '\u00a0Zoe\u0308 ', summary = ' plain', venue_room = 'plain'"
    run_script(new_url, f"UPDATE event SET {blanks};\nUPDATE event_version SET {blanks}")

    migrate(new_url)

    rows = rows_in(new_url)
    assert {_forms(row) for row in rows["event"]} == {("zo\u00eb", None, None)}
    assert {_forms(row) for row in rows["event_version"]} == {("zo\u00eb", "plain", None)}


def _forms(row: dict[str, Any]) -> tuple[str | None, ...]:
    found = row["folded_texts"]
    forms = json.loads(found) if isinstance(found, str) else found
    return tuple(forms.get(name) for name in ("title", "summary", "venue_room"))


def _number(key: Any) -> int:
    return int(str(key).replace("-", ""), 16)


def _external_values(url: str) -> set[str]:
    rows = rows_in(url)["external_id"]
    return {
        row["value"] for row in rows if row["kind"] == "learner" and _number(row["object_id"]) < 9
    }
