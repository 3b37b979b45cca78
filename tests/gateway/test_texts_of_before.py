"""Texts that were stored before the gateway had normal forms."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resolvers.storage.migrate import migrate
from resolvers.texts import folded, sort_key
from tests.gateway.migrating import new_database, rows_in, run_script, upgrade_with_rows

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
    "REF ": ("REF ", "REF "),
    "ref": ("ref", "ref"),
    "R2": ("R2", "r2"),
    "R2\u3000": ("R2\u3000", "R2\u3000"),
    "\u200b": ("\u200b", "\u200b"),
}
"""By the reference of before: the reference and its folded form afterwards."""


@pytest.fixture
def new_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, of the kind of `database_url`."""
    with new_database(database_url.partition(":")[0], tmp_path) as url:
        yield url


def test_texts_of_before_get_their_forms(new_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Rows of one folded form keep their texts, and the log names those that are set apart."""
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
    logged = caplog.text
    assert all(f"{n:012x}" in logged for n in (2, 3, 6))
    assert OTHER.upper() in logged


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
