"""Users: roles and scopes."""

from dataclasses import replace

import pytest

from resolvers.candidates.commands import UpsertCandidate, upsert_candidates
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.organizations.users import (
    USERS_BY_NAME,
    UpsertUser,
    centres_of_users,
    subjects_of_users,
    upsert_users,
    users_by_id,
    users_count,
    users_page,
)
from resolvers.references import ByKey, ByReference
from resolvers.storage.paging import page_request
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.viewer import NOTHING
from resolvers.vocabulary import Role


@pytest.fixture
def user(viewer):
    return UpsertUser(viewer=viewer, reference="U1", name="Ann", role=Role.SCHEDULER)


@pytest.fixture
async def candidate_id(viewer, make):
    candidate = UpsertCandidate(viewer=viewer, reference="P", first_names="A", last_name="B")
    return await make(upsert_candidates, candidate)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference": "x" * 51}, ("STRING_LENGTH", "reference")),
        ({"name": ""}, ("STRING_LENGTH", "name")),
        ({"email": "@"}, ("INVALID_EMAIL", "email")),
        ({"candidate": ByReference("P")}, ("INVALID_VALUE", "candidate")),
        ({"role": Role.CANDIDATE, "candidate": ByReference("?")}, ("NOT_FOUND", "candidate")),
        ({"subject_ids": (ByReference("?"),)}, ("NOT_FOUND", "subject_ids.0")),
    ],
)
async def test_refused(user, candidate_id, refusals, values, expected):
    """Each field has its limits, and only the role CANDIDATE has a candidate."""
    code, path = expected

    assert await refusals(upsert_users, replace(user, **values)) == [(code, path)]


async def test_scope_of_a_user(storage, viewer, make, user):
    """A list replaces centres or subjects; deactivating a user keeps the rest."""
    centre = UpsertCentre(viewer=viewer, reference="C", name="C", time_zone="Europe/London")
    subject = UpsertSubject(viewer=viewer, reference="S", name="S")
    keys = [await make(upsert_centres, centre), await make(upsert_subjects, subject)]
    scoped = replace(user, centre_ids=(ByKey(keys[0]),), subject_ids=(ByKey(keys[1]),))
    key = await make(upsert_users, replace(scoped, email="ann@example.org", may_mark=True))

    await make(upsert_users, replace(user, active=False))

    [row] = await storage.read(users_by_id(viewer, [key]))
    assert (row.email, row.active, row.may_mark) == ("ann@example.org", False, False)
    for read, expected in [(centres_of_users, keys[:1]), (subjects_of_users, keys[1:])]:
        assert [row.id for row in await storage.read(read(viewer, [key]))] == expected


async def test_who_is_no_candidate_any_more(storage, viewer, make, user, candidate_id):
    """A user's candidate is removed when the role is no longer CANDIDATE."""
    candidate = replace(user, role=Role.CANDIDATE, candidate=ByKey(candidate_id))
    key = await make(upsert_users, candidate)

    for command, expected in [
        (replace(candidate, candidate=None), candidate_id),
        (user, None),
    ]:
        await make(upsert_users, command)
        [row] = await storage.read(users_by_id(viewer, [key]))
        assert row.candidate_id == expected


async def test_pages(storage, viewer, make, user):
    """Users are sorted by name and found by name or reference in any case."""
    for reference, name in [("U1", "Zoë"), ("U2", "Ann")]:
        await make(upsert_users, replace(user, reference=reference, name=name))
    page = page_request(USERS_BY_NAME, first=10, after=None, last=None, before=None)

    for search, expected in [(None, ["Ann", "Zoë"]), ("ZOË", ["Zoë"]), ("u2", ["Ann"])]:
        rows = await storage.read(users_page(viewer, page, search))
        [count] = await storage.read(users_count(viewer, search))
        assert [row.name for row in rows] == expected
        assert count.total == len(expected)


@pytest.mark.parametrize(
    ("role", "seen"),
    [(Role.CANDIDATE, ["Zoë"]), (Role.AGENT, ["Zoë"]), (Role.MARKER, ["Ann", "Zoë"])],
)
async def test_who_sees_whom(storage, viewer, make, user, role, seen):
    """Staff see every user; a candidate or an agent sees only themselves."""
    own = await make(upsert_users, replace(user, reference="U1", name="Zoë"))
    other = await make(upsert_users, replace(user, reference="U2", name="Ann"))
    page = page_request(USERS_BY_NAME, first=10, after=None, last=None, before=None)
    asking = replace(viewer, role=role, user_id=own, scope=NOTHING)

    listed = await storage.read(users_page(asking, page, None))
    [count] = await storage.read(users_count(asking, None))
    found = await storage.read(users_by_id(asking, [own, other]))

    assert [row.name for row in listed] == seen
    assert count.total == len(seen)
    assert sorted(row.name for row in found) == seen
