"""What the planner does with a document beside answering it."""

from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

import orjson
import pytest
from graphql import get_named_type, is_leaf_type

from resolvers.storage import Storage
from resolvers.storage.columns import new_key
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import Permission, Role
from schema.plan import planner
from tests.plan.both_ways import BothWays, Told
from tests.plan.documents import Document, Known, document, doubled
from tests.plan.failing import ReadFailed, failing, replaced

PEOPLE = (
    "{ candidates(first: 3) { nodes { reference email bookings(first: 1) { nodes { id } } } } }"
)


async def same(both: BothWays, asked: Document, viewer: Viewer) -> Told:
    """What both ways tell."""
    told = await both.by_plans(asked, viewer)
    assert told.agrees(by_core := await both.by_core(asked, viewer)), (told, by_core)
    return told


# ---------------------------------------------------------------- who is asking


@pytest.mark.parametrize("part", range(2))
async def test_a_plan_is_never_used_for_somebody_with_other_rights(
    both: BothWays, there_is: Known, asking: dict[str, Viewer], part: int
):
    """One planner, and viewers that come in turn with the same documents."""
    for seed in range(part * 20, part * 20 + 20):
        random = Random(50_000 + seed)
        asked = document(both.schema, there_is, random, both.is_valid)
        names = random.sample(sorted(asking), 4)
        expected = {name: await both.by_core(asked, asking[name]) for name in names}

        for name in (*names, *reversed(names)):
            told = await both.by_plans(asked, asking[name])
            assert told.cancelled or told.agrees(expected[name]), (seed, name, asked)


async def test_personal_data_is_masked_also_after_somebody_who_sees_it(
    both: BothWays, asking: dict[str, Viewer]
):
    """And the rows of another organization stay its own."""
    asked = Document('{ candidates(search: "FULL") { nodes { lastName email passportNumber } } }')

    told = {name: await both.by_plans(asked, asking[name]) for name in asking}

    assert b"full@example.org" in told["admin"].data
    assert b"X1" in told["admin"].data
    assert told["invigilator"].data == (
        b'{"candidates":{"nodes":[{"lastName":"\xc3\x85ngstr\xc3\xb6m","email":null,'
        b'"passportNumber":null}]}}'
    )
    assert b"Ours" in told["others"].data
    assert told["nobody"].data == b'{"candidates":{"nodes":[]}}'
    assert both.planner.counts.answered == len(asking)


async def test_rights_may_grow_and_shrink_one_by_one(both: BothWays, asking: dict[str, Viewer]):
    """Every set of permissions has its own plan, whatever the role is called."""
    asked = Document("{ candidates(first: 30) { nodes { email dateOfBirth } } }")
    admin = asking["admin"]
    for gone in sorted(admin.permissions):
        await same(both, asked, replace(admin, permissions=admin.permissions - {gone}))


async def test_a_role_that_sees_less_with_the_same_permissions_has_its_own_plan(
    both: BothWays, asking: dict[str, Viewer]
):
    """Who is outside of the organization sees no other user of it, whoever asked before."""
    asked = Document(
        "{ enrolments(first: 5) { nodes { createdBy { name user { name email } } } } }"
    )
    staff = asking["staff"]
    outside = replace(staff, role=Role.AGENT, user_id=None)
    for viewer in (staff, outside, staff):
        await same(both, asked, viewer)

    assert (await both.by_plans(asked, staff)) != await both.by_plans(asked, outside)


async def test_possible_duplicates_are_for_those_who_see_the_organization(
    both: BothWays, asking: dict[str, Viewer]
):
    """A list for staff with VIEW_PII, null for everybody else; by plans and by graphql-core."""
    asked = Document(
        '{ candidates(first: 100, search: "student") { nodes {'
        " reference possibleDuplicates { reference email } } } }"
    )
    admin = asking["admin"]
    without = replace(admin, permissions=admin.permissions - {Permission.VIEW_PII})
    confined = replace(admin, scope=Scope(centres=frozenset({new_key()})))
    for viewer in (admin, without, confined, *asking.values()):
        await same(both, asked, viewer)

    shown = [node["possibleDuplicates"] for node in await nodes(both, asked, admin)]
    assert sum(map(len, shown)) == 6
    assert all(node["possibleDuplicates"] is None for node in await nodes(both, asked, without))
    assert both.planner.counts.not_planned == 0


async def nodes(both: BothWays, asked: Document, viewer: Viewer) -> Any:
    told = await both.by_plans(asked, viewer)
    return orjson.loads(told.data)["candidates"]["nodes"]


# ---------------------------------------------------------------- what is not compiled


async def test_fragments_that_double_themselves_are_not_compiled(
    both: BothWays, asking: dict[str, Viewer]
):
    """A kilobyte would be a million fields, of which graphql-core resolves those with data only."""
    asked = Document(f"{{ enrolments(first: 2) {{ nodes {{ ...F0 }} }} }}\n{doubled(16)}")

    for _ in range(2):
        await same(both, asked, asking["admin"])

    assert (both.planner.counts.answered, both.planner.counts.not_planned) == (0, 2)


# ---------------------------------------------------------------- giving up


async def test_a_plan_that_keeps_giving_up_rests(
    both: BothWays, asking: dict[str, Viewer], monkeypatch: pytest.MonkeyPatch
):
    """Graphql-core answers meanwhile; afterwards the plan is tried again."""
    asked, admin, counts = Document("{ events { nodes { title } } }"), asking["admin"], None
    with failing(both.storage, "event"):
        for _ in range(planner.TRIES + 2):
            assert (await both.by_plans(asked, admin)).errors
    counts = both.planner.counts
    assert (counts.gave_up, counts.not_planned) == (planner.TRIES, 2)

    await same(both, asked, admin)
    assert counts.answered == 0

    later = planner.time.monotonic() + planner.REST_SECONDS
    monkeypatch.setattr(planner.time, "monotonic", lambda: later)
    await same(both, asked, admin)
    assert counts.answered == 1


async def test_the_first_fallback_of_a_document_is_logged(
    both: BothWays, asking: dict[str, Viewer], caplog: pytest.LogCaptureFixture
):
    """With the document's hash and the exception; the later ones are counted."""
    text = "{ events { nodes { title } } }"
    with caplog.at_level("INFO", "schema.plan"), failing(both.storage, "event"):
        for _ in range(2):
            await both.by_plans(Document(text), asking["admin"])

    [record] = [one for one in caplog.records if one.name.startswith("schema.plan")]
    assert sha256(text.encode()).hexdigest() in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ReadFailed)
    assert both.operations._document(text).planned.fallbacks == 2


async def test_the_first_document_that_cannot_be_compiled_is_logged(
    both: BothWays, asking: dict[str, Viewer], caplog: pytest.LogCaptureFixture
):
    """With the reason, and once."""
    asked = Document("{ __schema { queryType { name } } }")
    with caplog.at_level("INFO", "schema.plan"):
        for _ in range(2):
            await both.by_plans(asked, asking["admin"])

    [record] = [one for one in caplog.records if one.name.startswith("schema.plan")]
    assert record.getMessage().endswith("__schema")
    assert both.operations._document(asked.text).planned.fallbacks == 2


async def test_the_mistakes_of_callers_give_no_plan_a_rest(
    both: BothWays, asking: dict[str, Viewer]
):
    """Whoever asks for too much again and again makes it no slower for the others."""
    asked = Document("query ($n: Int) { events(first: $n) { nodes { title } } }", {"n": 101})
    for _ in range(10):
        assert (await both.by_plans(asked, asking["admin"])).errors

    await same(both, replace(asked, variables={"n": 1}), asking["admin"])

    assert both.planner.counts.answered == 1


@pytest.mark.parametrize("when", [1, 2, 3])
async def test_a_query_that_gives_up_half_way_leaves_nothing_behind(
    both: BothWays, asking: dict[str, Viewer], when: int
):
    """What failed once does not fail graphql-core, which reads it again."""
    asked, admin = Document(PEOPLE), asking["admin"]
    expected = await both.by_core(asked, admin)
    left = when

    async def failing_once(read):
        nonlocal left
        left -= 1
        if left == 0:
            raise ReadFailed
        return await tuples(read)

    tuples = both.storage.tuples
    with replaced(both.storage, {"tuples": failing_once}):
        assert await both.by_plans(asked, admin) == expected

    assert both.planner.counts.gave_up == (1 if left <= 0 else 0)
    assert in_use(both.storage) == 0
    await same(both, asked, admin)


def in_use(storage: Storage) -> int:
    """How many connections are in somebody's hands."""
    pool = getattr(storage, "_pool", None)
    return 0 if pool is None else int(pool.get_size() - pool.get_idle_size())


# ---------------------------------------------------------------- test schedules

SCHEDULES = """{ testSchedules(first: 60) { totalCount nodes {
  id status scheduleStatus allowedActions keycode pin unscheduledBreakMinutes
  times { start end windows { date localStart start bufferedEnd } }
  test { name } subject { name } testForm { code } marker { name user { name } } startTime testTags
} } bookings(first: 60, filter: {status: [EXPIRED, CONFIRMED]}) { nodes { __typename status
  times { windows { start } } ... on TestSchedule { scheduleStatus startDate } } } }"""


async def test_test_schedules_are_planned(both: BothWays, asking: dict[str, Viewer]):
    """With their windows and what follows from the clock; secrets are masked for each viewer."""
    admin, nobody = (
        asking["admin"],
        replace(asking["admin"], permissions=frozenset({Permission.READ})),
    )

    told = await same(both, Document(SCHEDULES), admin)
    masked = await same(both, Document(SCHEDULES), nobody)

    assert both.planner.counts.answered == 2
    assert b'"scheduleStatus":"OPEN"' in told.data
    assert b'"bufferedEnd"' in told.data
    assert b'"keycode":"' in told.data
    assert b'"keycode":"' not in masked.data
    assert b'"pin":"' not in masked.data


# ---------------------------------------------------------------- what is not planned


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Event") { name } viewer { role } }',
    ],
)
async def test_what_is_not_planned_is_counted(both: BothWays, asking: dict[str, Viewer], text: str):
    """And graphql-core answers it."""
    await same(both, Document(text), asking["admin"])

    assert both.planner.counts.not_planned == 1
    assert both.planner.counts.gave_up == 0


@pytest.mark.parametrize(
    "text",
    [
        "{ candidates { nodes { address { __typename city c: country } emergencyContact { phone } "
        "groupIdentifiers } } }",
        "{ enrolments(first: 3) { nodes { candidate { groupIdentifiers address { line1 } } "
        "times { windows { date start } } } } }",
        "{ bookingChanges(first: 9) { nodes { origin { when organization reason } } } }",
        "{ enrolments(first: 40) { nodes { allowedActions previousAttempt { allowedActions } } } }",
        "{ bookingChanges(first: 40) { nodes { booking { reference allowedActions } } } }",
        "{ events(first: 9) { nodes { candidates(includeEligible: true) { __typename "
        "booked(first: 2) { totalCount nodes { reference candidate { fullName } } } "
        "eligible(last: 1) { nodes { reference } pageInfo { hasPreviousPage } } } } } }",
        "{ events(first: 9) { nodes { candidates { eligible { totalCount nodes { id } } } } } }",
        '{ centres { nodes { products { name startDates(from: "2027-01-01", to: "2027-12-31") } '
        'offers(kind: COURSE) { product { code } startDates(from: "2027-01-01", '
        'to: "2027-12-31") } } } }',
        "{ agentBookings { nodes { student { __typename firstNames gender email } "
        "agentContact { lastName telephone } specialRequirements { general allergies } "
        "homestayPreferences { smoking vegetarianMeals } validationMessages { path } } } }",
    ],
)
@pytest.mark.parametrize("who", ["admin", "invigilator"])
async def test_values_that_are_made_of_a_row_are_planned(
    both: BothWays, asking: dict[str, Viewer], text: str, who: str
):
    """Objects that a column holds or a function makes, and a column of many rows."""
    await same(both, Document(text), asking[who])

    assert (both.planner.counts.answered, both.planner.counts.gave_up) == (1, 0)


async def test_the_plans_of_a_document_are_bounded(both: BothWays, asking: dict[str, Viewer]):
    """A document with many conditions has many plans; it is answered rightly beyond the bound."""
    names = [f"v{n}" for n in range(7)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: title @skip(if: ${name})" for name in names)
    text = f"query ({declared}) {{ events(first: 1) {{ nodes {{ number {fields} }} }} }}"
    for bits in range(planner.VARIANTS + 10):
        values = {name: bool(bits >> n & 1) for n, name in enumerate(names)}
        await same(both, Document(text, values), asking["admin"])

    planned = both.operations._document(text).planned
    assert len(planned.plans) == planner.VARIANTS
    assert both.planner.counts.answered == planner.VARIANTS + 10


# ---------------------------------------------------------------- odd documents

ODD = {
    "nothing is left": Document("{ events @skip(if: true) { totalCount } }"),
    "only a typename": Document("{ __typename t: __typename }"),
    "typenames of a page": Document(
        "{ events(first: 2) { __typename edges { __typename } pageInfo { __typename } "
        "nodes { __typename } } }"
    ),
    "a page of no rows": Document(
        "{ events(first: 0) { nodes { title } pageInfo { hasNextPage startCursor } totalCount } }"
    ),
    "only whether there is more": Document("{ events(last: 1) { pageInfo { hasPreviousPage } } }"),
    "a condition that is null": Document(
        "query ($a: Boolean = true) { events { totalCount @skip(if: $a) } }", {"a": None}
    ),
    "skipped by null and not included": Document(
        "query ($a: Boolean = true) { events(first: 1) { nodes { title @include(if: false) "
        "@skip(if: $a) } } }",
        {"a": None},
    ),
    "a list for what is a condition elsewhere": Document(
        "query A($a: Boolean!) { viewer @skip(if: $a) { role } } "
        "query B($a: [ID!]!) { nodes(ids: $a) { id } }",
        {"a": ["x"]},
        "B",
    ),
    "no such operation": Document("query A { viewer { role } }", {}, "B"),
    "which operation": Document("query A { viewer { role } } query B { viewer { role } }"),
    "a variable that is missing": Document("query ($id: ID!) { node(id: $id) { id } }"),
    "a variable of another type": Document(
        "query ($n: Int) { events(first: $n) { totalCount } }", {"n": "many"}
    ),
    "both ways at once": Document(
        "{ candidates(first: 3) { a: nodes { reference } edges { cursor b: node { lastName "
        "bookings(last: 1) { totalCount } } } nodes { id } } }"
    ),
    "an id of nothing": Document('{ node(id: "x") { id } }'),
    "one of several types of bookings that have changed": Document(
        "{ none: bookingChanges(types: []) { totalCount nodes { cursor } } }"
    ),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("who", ["admin", "nobody"])
async def test_odd_documents(both: BothWays, asking: dict[str, Viewer], name: str, who: str):
    """They are told the same as by graphql-core."""
    await same(both, ODD[name], asking[who])


LEAVES = (
    *("Enrolment", "Candidate", "Event", "Centre", "Room", "Test", "TestForm", "Subject"),
    *("Module", "Department", "User", "Organization", "Payment", "Accommodation", "BookingChange"),
)


@pytest.mark.parametrize("name", LEAVES)
async def test_each_field_says_what_it_needs(
    both: BothWays, asking: dict[str, Viewer], there_is: Known, name: str
):
    """Alone, with no column that another field happens to need; of a row and of a joined one."""
    kind = both.schema.type_map[name]
    for field, made in kind.fields.items():
        inner = "" if is_leaf_type(get_named_type(made.type)) else "{ __typename }"
        text = f"{{ ... on {name} {{ {field} {inner} }} }}"
        for root in ("query ($id: ID!) { node(id: $id)", "query ($id: ID!) { nodes(ids: [$id])"):
            for id in there_is.ids[name][:4]:
                await same(both, Document(f"{root} {text} }}", {"id": id}), asking["admin"])
                assert both.planner.counts.gave_up == 0, field
                assert both.planner.counts.not_planned == 0, field


async def test_a_fragment_that_is_merged_with_more_at_one_of_its_places(
    both: BothWays, asking: dict[str, Viewer]
):
    """What is merged at one place is not shown at another."""
    asked = Document(
        "{ a: viewer { ...V } b: viewer { ...V organization { currency } } c: viewer { ...V } } "
        "fragment V on Viewer { organization { name } actor { name } }"
    )

    told = await same(both, asked, asking["admin"])

    assert told.data.count(b"currency") == 1
    assert both.planner.counts.answered == 1


async def test_objects_of_many_types_in_one_list(
    both: BothWays, asking: dict[str, Viewer], there_is: Known
):
    """In their order, with a null for what there is not, each with what is selected of its type."""
    ids = [one for kind in sorted(there_is.ids) for one in there_is.ids[kind][:2]]
    asked = Document(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id "
        "... on Sourced { externalIds { value } } ... on Candidate { fullName centres { name } } "
        "... on Booking { status candidate { lastName } event { title } } "
        "... on Room { centre { name } } ... on Payment { cost { amount } } } }",
        {"ids": [*ids, *ids[:3]]},
    )
    for who in ("admin", "candidate", "others"):
        await same(both, asked, asking[who])

    assert both.planner.counts.gave_up == 0
