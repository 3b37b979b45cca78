"""External ids: one object's each, replaced as a list."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import pytest

from resolvers.candidates.commands import UpsertDepartment, upsert_departments
from resolvers.external_ids import check_external_ids, external_ids_of
from resolvers.references import ByExternalId, Lookup
from resolvers.refusals import Refused
from resolvers.storage.read import DIALECTS, Compiled
from resolvers.storage.tables import Department
from resolvers.tests.commands import UpsertModule, upsert_modules
from resolvers.viewer import Viewer
from resolvers.vocabulary import Role, SourceSystem

pytestmark = pytest.mark.both_databases

ONE, TWO = (ByExternalId(SourceSystem.SURPASS_SCHEDULER, "department", v) for v in ("1", "2"))


async def ids(storage, viewer, *keys):
    rows = await storage.read(external_ids_of(viewer, keys))
    return {(row.object_id, row.object_type, row.value) for row in rows}


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (None, []),
        ([], []),
        ([ONE, ONE], []),
        ([ONE, replace(ONE, value="")], ["e.1.value"]),
        ([replace(ONE, value="x" * 201)], ["e.0.value"]),
        ([replace(ONE, kind="x" * 51, value="\0")], ["e.0.kind", "e.0.value"]),
        ([replace(ONE, value=str(n)) for n in range(501)], ["e"]),
    ],
)
def test_limits(given, paths):
    """Kinds have 1 to 50 characters, values 1 to 200, a list at most 500 different elements."""
    assert [".".join(refusal.path) for refusal in check_external_ids(given, "e")] == paths


async def test_claim_is_idempotent_and_a_list_replaces(storage, viewer, make):
    """The same ids again change nothing; another list takes their place; left out, they stay."""
    command = UpsertDepartment(viewer=viewer, name="Arts", external_ids=(ONE, ONE))
    key = await make(upsert_departments, command)

    [again] = await storage.write(upsert_departments, [command])
    [left_out] = await storage.write(upsert_departments, [replace(command, external_ids=None)])
    assert not again.changed
    assert not left_out.changed
    assert await ids(storage, viewer, key) == {(key, "Department", "1")}

    [replaced] = await storage.write(upsert_departments, [replace(command, external_ids=(TWO,))])
    assert replaced.changed
    assert await ids(storage, viewer, key) == {(key, "Department", "2")}


async def test_another_objects_id_is_refused(storage, viewer, make, refusals):
    """An id that is another object's, of any type, is ALREADY_EXISTS, and nothing is written."""
    await make(
        upsert_modules, UpsertModule(viewer=viewer, reference="M", name="M", external_ids=(TWO,))
    )
    command = UpsertDepartment(viewer=viewer, name="Arts", external_ids=(ONE, TWO))

    assert await refusals(upsert_departments, command) == [("ALREADY_EXISTS", "external_ids.1")]
    [later] = await storage.write(upsert_departments, [replace(command, external_ids=(ONE,))])
    assert later.created


async def test_claims_of_one_batch_meet(storage, viewer):
    """Inside a batch an id goes to the first that claims it, and is free again once given up."""
    arts = UpsertDepartment(viewer=viewer, name="Arts", external_ids=(ONE,))
    music = UpsertDepartment(viewer=viewer, name="Music", external_ids=(ONE,))
    given_up = replace(arts, external_ids=())

    first, refused, _, second = await storage.write(
        upsert_departments, [arts, music, given_up, music]
    )

    assert isinstance(refused, Refused)
    keys = first.subject, second.subject
    assert await ids(storage, viewer, *keys) == {(second.subject, "Department", "1")}


def test_a_look_up_does_not_read_the_other_ids(sqlite_template):
    """The index is entered with the whole key: how many ids an organization has does not matter."""
    asked_by = Viewer(UUID(int=1), Role.ADMIN, name="", key="", permissions=frozenset())
    [(_, read)] = Lookup(Department, [(asked_by, ONE)]).reads()
    statement = Compiled(read.build("sqlite"), DIALECTS["sqlite"])

    with closing(sqlite3.connect(sqlite_template)) as connection:
        explain = f"EXPLAIN QUERY PLAN {statement.sql}"
        rows = connection.execute(explain, statement.values(read.values)).fetchall()

    [searched] = [row[3] for row in rows if "external_id" in row[3]]
    assert "(organization_id=? AND system=? AND kind=? AND value=?)" in searched
