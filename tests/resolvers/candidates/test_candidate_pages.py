"""Pages of candidates and departments: order, search and scope."""

from dataclasses import replace

import pytest

from resolvers.candidates.commands import UpsertDepartment, upsert_candidates, upsert_departments
from resolvers.candidates.reads import (
    CANDIDATES_BY_NAME,
    DEPARTMENTS_BY_NAME,
    candidates_count,
    candidates_page,
    departments_count,
    departments_page,
)
from resolvers.references import ByKey
from resolvers.refusals import Refusal
from resolvers.storage.paging import page_request
from resolvers.viewer import Scope
from resolvers.vocabulary import Permission

pytestmark = pytest.mark.both_databases

PEOPLE = [
    ("P1", "Ada", "Byron", "a@example.org"),
    ("P2", "Zoë", "Byron", "b@example.org"),
    ("P3", "Jörg", "Groß", "Ad_a@Example.org"),
    ("100%", "Ève", "Ångström", None),
]


@pytest.fixture
async def people(storage, candidate):
    await storage.write(
        upsert_candidates,
        [
            candidate(reference, first_names=first, last_name=last, email=email)
            for reference, first, last, email in PEOPLE
        ],
    )


def a_page(ordering, size=100, after=None):
    return page_request(ordering, first=size, after=after, last=None, before=None)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (None, {"P1", "P2", "P3", "100%"}),
        ("", {"P1", "P2", "P3", "100%"}),
        ("BYRON", {"P1", "P2"}),
        ("ada by", {"P1"}),
        ("ZOË", {"P2"}),
        ("gross", {"P3"}),
        ("ångs", {"100%"}),
        ("%", {"100%"}),
        ("p3", {"P3"}),
        ("D_A@example", {"P3"}),
        ("\\", set()),
    ],
)
async def test_search(storage, viewer, people, search, expected):
    """A search matches part of a name, reference or email in any case; % and _ match literally."""
    found = await storage.read(candidates_page(viewer, a_page(CANDIDATES_BY_NAME), search))
    [count] = await storage.read(candidates_count(viewer, search))

    assert {row.reference for row in found} == expected
    assert count.total == len(expected)


async def test_email_is_personal(storage, viewer, people):
    """Without VIEW_PII, a search does not match emails."""
    stranger = replace(viewer, permissions=frozenset({Permission.READ}))

    assert (
        await storage.read(candidates_page(stranger, a_page(CANDIDATES_BY_NAME), "example.org"))
        == []
    )
    [count] = await storage.read(candidates_count(stranger, "example.org"))
    assert count.total == 0


@pytest.mark.parametrize(
    "search", ["a\0", "x" * 4_001, "\ud800"], ids=["nul", "long", "half a pair"]
)
async def test_search_that_no_database_takes(viewer, search):
    """A text that no database accepts is refused before the query."""
    with pytest.raises(Refusal) as refused:
        candidates_page(viewer, a_page(CANDIDATES_BY_NAME), search)

    assert refused.value.path == ("search",)


async def test_order_and_cursors(storage, viewer, people):
    """Pages are sorted by last name, then first names; each begins after the previous one."""
    everybody = await storage.read(candidates_page(viewer, a_page(CANDIDATES_BY_NAME), None))

    after, seen = None, []
    while True:
        page = a_page(CANDIDATES_BY_NAME, size=1, after=after)
        rows = page.rows(await storage.read(candidates_page(viewer, page, None)))
        seen += [row.reference for row in rows.rows]
        if not rows.has_next:
            break
        after = CANDIDATES_BY_NAME.cursor(rows.rows[-1])

    assert seen == [row.reference for row in everybody]
    assert seen.index("P1") < seen.index("P2") < seen.index("P3")


async def test_scope_confines_pages_and_counts(storage, viewer, candidate, around, people, make):
    """A page and its count include only candidates in the viewer's scope, with or without a
    search.
    """
    await make(
        upsert_candidates, candidate("P9", last_name="Byron", centre_ids=(ByKey(around.centre),))
    )
    staff = replace(viewer, scope=Scope(centres=frozenset({around.centre})))

    for search in (None, "byron"):
        rows = await storage.read(candidates_page(staff, a_page(CANDIDATES_BY_NAME), search))
        [count] = await storage.read(candidates_count(staff, search))
        assert [row.reference for row in rows] == ["P9"]
        assert count.total == 1


async def test_departments(storage, viewer):
    """Departments are found by name in any case."""
    names = ("Ökologie", "Arts", "arts & crafts")
    await storage.write(
        upsert_departments, [UpsertDepartment(viewer=viewer, name=name) for name in names]
    )

    for search, expected in [("ARTS", {"Arts", "arts & crafts"}), ("ÖK", {"Ökologie"})]:
        page = departments_page(viewer, a_page(DEPARTMENTS_BY_NAME), search)
        [count] = await storage.read(departments_count(viewer, search))
        assert {row.name for row in await storage.read(page)} == expected
        assert count.total == len(expected)
