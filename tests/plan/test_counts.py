"""The counts of lists, which stop at a limit."""

import re

import orjson
import pytest

from resolvers.viewer import Viewer
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document
from tests.plan.failing import statements

pytestmark = pytest.mark.both_databases

TOTAL = "totalCount totalCountPrecision"
OF_ROOT = f"{{ found: candidates {{ {TOTAL} }} }}"
OF_PARENTS = f"""{{ events(first: 100) {{ nodes {{
  enrolments {{ {TOTAL} }}
  candidates(includeEligible: true) {{ eligible {{ {TOTAL} }} }} }} }} }}"""
UNLIMITED = 1_000_000

Total = dict[str, object]


async def answered(both: BothWays, text: str, viewer: Viewer, limit: int) -> bytes:
    """The data that plans and graphql-core both return if counts stop at a limit."""
    both.max_total_count = limit
    told = await both.by_plans(Document(text), viewer)
    assert told.agrees(await both.by_core(Document(text), viewer))
    assert told.data is not None
    return told.data


def totals_of_parents(data: bytes) -> list[Total]:
    nodes = orjson.loads(data)["events"]["nodes"]
    return [
        total for node in nodes for total in (node["enrolments"], node["candidates"]["eligible"])
    ]


def limited(total: Total, limit: int) -> Total:
    """What an exact total becomes if counts stop at a limit."""
    count = total["totalCount"]
    assert isinstance(count, int)
    if count <= limit:
        return total
    return {"totalCount": limit, "totalCountPrecision": "AT_LEAST"}


async def test_the_count_of_a_list_stops_at_the_limit(both: BothWays, asking: dict[str, Viewer]):
    """A list with as many elements as the limit is counted exactly."""
    exact = orjson.loads(await answered(both, OF_ROOT, asking["admin"], UNLIMITED))["found"]
    assert exact["totalCountPrecision"] == "EXACT"

    for limit in range(exact["totalCount"] - 1, exact["totalCount"] + 2):
        data = await answered(both, OF_ROOT, asking["admin"], limit)
        assert orjson.loads(data)["found"] == limited(exact, limit)


async def test_the_count_of_each_list_of_many_stops_at_the_limit(
    both: BothWays, asking: dict[str, Viewer]
):
    """The limit is that of each list, not of all of them together."""
    data = await answered(both, OF_PARENTS, asking["admin"], UNLIMITED)
    exact = totals_of_parents(data)
    assert {total["totalCountPrecision"] for total in exact} == {"EXACT"}

    data = await answered(both, OF_PARENTS, asking["admin"], 1)

    assert totals_of_parents(data) == [limited(total, 1) for total in exact]
    assert {total["totalCountPrecision"] for total in totals_of_parents(data)} == {
        "EXACT",
        "AT_LEAST",
    }


@pytest.mark.parametrize("text", [OF_ROOT, OF_PARENTS])
async def test_the_database_stops_counting_at_the_limit(
    both: BothWays, asking: dict[str, Viewer], text: str
):
    """One row more than the limit is read, in no order."""
    both.max_total_count = 17
    with statements(both.storage) as found:
        await both.by_plans(Document(text), asking["admin"])

    counts = [sql for sql in found if "count(*)" in sql]
    assert counts
    for sql in counts:
        _, counted = sql.split("count(*)")
        assert re.search(r"LIMIT 18\b", counted)
        assert "ORDER BY" not in counted
