"""What a plan reads: as few statements as there can be, and no more columns than are shown."""

import re

import orjson
import pytest

from resolvers.viewer import Viewer
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document, Known
from tests.plan.failing import statements

pytestmark = pytest.mark.both_databases

DETAIL = """query ($id: ID!) { booking(id: $id) { reference status
  candidate { firstNames lastName } event { title } room { name } centre { name timeZone } } }"""
ROSTER = """query ($n: Int) { enrolments(first: $n, filter: {status: [CONFIRMED]}) {
  edges { cursor node { id status bookedDate candidate { lastName email } room { name capacity }
    event { title test { name } } centre { name } payment { status cost { amount } }
    attemptNumber } } } }"""
FAN_OUT = """query ($n: Int) { events(first: $n) { nodes { title
  enrolments(first: 5) { nodes { reference candidate { fullName } } totalCount }
  seats { free } modules { name } externalIds { value } } } }"""


async def read_for(both: BothWays, asked: Document, viewer: Viewer) -> list[str]:
    """The SQL that a plan runs for a document. Raises: AssertionError if graphql-core answers."""
    answered = both.planner.counts.answered
    with statements(both.storage) as found:
        told = await both.by_plans(asked, viewer)
    assert both.planner.counts.answered == answered + 1
    assert told.agrees(await both.by_core(asked, viewer))
    return found


def columns_of(sql: str) -> list[str]:
    """The columns that a statement selects, by their own names."""
    selected = re.split(r"\sFROM\s", sql.removeprefix("SELECT "))[0]
    return [re.sub(r".*[.\s]", "", column.strip()) for column in selected.split(",")]


async def test_one_object_and_what_it_refers_to_is_one_statement(
    both: BothWays, asking: dict[str, Viewer], there_is: Known
):
    """Found by its key, joined to its candidate, event, room and centre."""
    asked = Document(DETAIL, {"id": there_is.ids["Enrolment"][0]})

    [sql] = await read_for(both, asked, asking["admin"])

    assert sql.count("LEFT OUTER JOIN") == 4


async def test_a_list_and_what_its_rows_refer_to_is_one_statement(
    both: BothWays, asking: dict[str, Viewer]
):
    """Whatever hangs on each row as a single row is joined, in several steps if need be."""
    [sql] = await read_for(both, Document(ROSTER, {"n": 20}), asking["admin"])

    assert sql.count("LEFT OUTER JOIN") == 7


@pytest.mark.parametrize("text", [ROSTER, FAN_OUT])
@pytest.mark.parametrize("who", ["admin", "staff", "invigilator"])
async def test_statements_do_not_grow_with_rows(
    both: BothWays, asking: dict[str, Viewer], text: str, who: str
):
    """As many for twenty rows as for eighty; of three none may lead to what the viewer may see."""
    few = await read_for(both, Document(text, {"n": 20}), asking[who])
    many = await read_for(both, Document(text, {"n": 80}), asking[who])

    assert len(few) == len(many)
    assert len(few) <= 8


@pytest.mark.parametrize(
    ("selected", "columns"),
    [
        ("firstNames", ["first_names", "id"]),
        ("firstNames email", ["first_names", "email", "id"]),
        ("a: firstNames b: firstNames __typename", ["first_names", "id"]),
        ("fullName lastName", ["first_names", "last_name", "id"]),
        ("id", ["id"]),
        ("__typename", ["id"]),
    ],
)
async def test_only_the_selected_columns_are_read_and_the_key(
    both: BothWays,
    asking: dict[str, Viewer],
    there_is: Known,
    selected: str,
    columns: list[str],
):
    """Two fields of a candidate are two columns and the key."""
    asked = Document(
        f"query ($id: ID!) {{ node(id: $id) {{ ... on Candidate {{ {selected} }} }} }}",
        {"id": there_is.ids["Candidate"][0]},
    )

    [sql] = await read_for(both, asked, asking["admin"])

    assert sorted(columns_of(sql)) == sorted(columns)


async def test_what_is_joined_is_read_no_wider(both: BothWays, asking: dict[str, Viewer]):
    """Of a row that is joined the selected columns, and the key at most."""
    asked = Document("{ enrolments(first: 2) { nodes { candidate { lastName } } } }")

    [sql] = await read_for(both, asked, asking["admin"])

    assert "last_name" in columns_of(sql)
    assert set(columns_of(sql)) <= {"id", "last_name"}


async def test_what_is_masked_is_not_read(both: BothWays, asking: dict[str, Viewer]):
    """Without the permission the column is in no statement."""
    asked = Document("{ candidates(first: 2) { nodes { lastName email } } }")

    [open_to_admin] = await read_for(both, asked, asking["admin"])
    [closed] = await read_for(both, asked, asking["invigilator"])

    assert columns_of(open_to_admin) == ["last_name", "email"]
    assert columns_of(closed) == ["last_name"]


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ("nodes { title }", ["rows"]),
        ("totalCount", ["count"]),
        ("nodes { title } pageInfo { hasNextPage } totalCount", ["count", "rows"]),
        ("pageInfo { endCursor }", ["rows"]),
        ("__typename", []),
    ],
)
async def test_a_list_is_counted_only_when_asked_for(
    both: BothWays, asking: dict[str, Viewer], selected: str, expected: list[str]
):
    """And its rows are read only if something of them is shown."""
    for text in (
        f"{{ events(first: 2) {{ {selected} }} }}",
        f"{{ centres(first: 2) {{ nodes {{ events(first: 2) {{ {selected} }} }} }} }}",
    ):
        found = await read_for(both, Document(text), asking["admin"])
        kinds = sorted("count" if "count(" in sql else "rows" for sql in found)
        parents = ["rows"] if "centres" in text else []
        assert kinds == sorted([*expected, *parents])


async def test_what_only_some_may_see_is_not_joined(both: BothWays, asking: dict[str, Viewer]):
    """A candidate that is out of scope is null beside a booking that is not."""
    asked = Document("{ enrolments(first: 5) { nodes { reference candidate { lastName } } } }")

    assert len(await read_for(both, asked, asking["staff"])) == 2
    assert len(await read_for(both, asked, asking["admin"])) == 1


async def test_nothing_is_asked_for_nobody(both: BothWays, asking: dict[str, Viewer]):
    """Places that no row leads to take no statement."""
    asked = Document(ROSTER.replace("attemptNumber", "accommodations { type }"), {"n": 5})

    assert len(await read_for(both, asked, asking["others"])) == 1


async def test_objects_of_one_type_are_answered_together(
    both: BothWays, asking: dict[str, Viewer], there_is: Known
):
    """However many ids are given, of however many types."""
    text = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Centre { rooms { name } }
      ... on Candidate { lastName centres { name } } } }"""
    few = [*there_is.ids["Candidate"][:1], *there_is.ids["Centre"][:1]]
    many = [*there_is.ids["Candidate"][:9], *there_is.ids["Centre"][:4], *few]

    one = await read_for(both, Document(text, {"ids": few}), asking["admin"])

    assert len(await read_for(both, Document(text, {"ids": many}), asking["admin"])) == len(one)


PAPER = """query ($id: ID!) { scrapPaper(eventId: $id) { event { title centre { name } }
  sheets { seat reference candidate { fullName email departments { name } } } } }"""
ON_DATE = """query ($date: Date!) { eventsOnDate(date: $date) {
  title status centre { name } test { name modules { name } } seats { free } } }"""


@pytest.mark.parametrize("who", ["admin", "staff", "invigilator", "others"])
async def test_scrap_paper_costs_the_same_for_every_event(
    both: BothWays, asking: dict[str, Viewer], there_is: Known, who: str
):
    """Its event and its sheets, and what hangs on them; however many they are."""
    most, sheets = 0, set()
    for event in there_is.ids["Event"]:
        asked = Document(PAPER, {"id": event})
        most = max(most, len(await read_for(both, asked, asking[who])))
        told = orjson.loads((await both.by_core(asked, asking[who])).data or b"")
        sheets.add(len(told["scrapPaper"]["sheets"]) if told["scrapPaper"] else None)

    assert most <= 6
    assert len(sheets) > 1 or who == "others"


async def test_the_events_of_a_date_cost_the_same_for_every_date(
    both: BothWays, asking: dict[str, Viewer]
):
    """The events, and what hangs on them; however many they are."""
    dates = Document("{ events(first: 100) { nodes { times { localStart } } } }")
    nodes = orjson.loads((await both.by_core(dates, asking["admin"])).data or b"")["events"]
    days = {(node["times"]["localStart"] or "2027-01-01")[:10] for node in nodes["nodes"]}

    counts = {
        day: len(await read_for(both, Document(ON_DATE, {"date": day}), asking["admin"]))
        for day in days
    }

    assert len(days) > 2
    assert max(counts.values()) <= 5


async def test_classes_are_one_statement(both: BothWays, asking: dict[str, Viewer]):
    """And what is the same is read once."""
    [sql] = await read_for(both, Document("{ eventClasses }"), asking["admin"])

    assert "DISTINCT" in sql
