"""Pages of events: each sort order starts at its position in an index, at any depth."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from resolvers.events.reads import SORT_TERMS, events_page, ordering_of
from resolvers.outcomes import Outcome
from resolvers.storage.columns import new_key
from resolvers.storage.filters import NO_FILTER, AllOf, Condition, Filter, Operator
from resolvers.storage.nulls import STAND_INS
from resolvers.storage.paging import PageRequest
from resolvers.storage.read import DIALECTS, Compiled
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Event
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventSortField, SortDirection
from tests.resolvers.events.conftest import event_row

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 11, 12, tzinfo=UTC)
VALUES: dict[type, Any] = {datetime: NOW, int: 7, str: "Law"}
SINCE = Condition("start", Operator.GTE, NOW)

TYPES = ("Class", "Final")

INDEXES = {
    EventSortField.START: "ix_event_start",
    EventSortField.END: "ix_event_end",
    EventSortField.NUMBER: "ix_event_number",
    EventSortField.TITLE: "ix_event_sort_key",
    EventSortField.LAST_CHANGE_TIME: "ix_event_last_change_time",
}


def compiled(
    url: str, viewer: Viewer, page: PageRequest, filter: Filter
) -> tuple[str, str, list[Any]]:
    read = events_page(viewer, page, filter, now=NOW)
    kind = "postgresql" if url.startswith("postgresql") else "sqlite"
    made = Compiled(read.build(kind), DIALECTS[kind])
    return kind, made.sql, made.values(read.values)


@pytest.fixture
def explained(database_url: str, viewer: Viewer) -> Any:
    """Return each index that a page reads, with its bounds, and each sort."""

    async def plan(page: PageRequest) -> list[str]:
        kind, statement, values = compiled(database_url, viewer, page, NO_FILTER)
        if kind == "sqlite":
            return in_sqlite(database_url, f"EXPLAIN QUERY PLAN {statement}", values)
        # the planner prefers to sort few rows; where it must sort, it still does
        lines = await in_postgresql(database_url, f"EXPLAIN {statement}", values, enable_sort="off")
        return [
            line.partition("(cost")[0] + following
            for line, following in zip(lines, [*lines[1:], ""], strict=True)
            if "Index Scan" in line or "Sort" in line.partition("(cost")[0]
        ]

    return plan


async def in_postgresql(url: str, statement: str, values: list[Any], **settings: str) -> list[str]:
    # the planner prefers to read a small table completely
    settings = {"enable_seqscan": "off", "enable_bitmapscan": "off", **settings}
    connection = await asyncpg.connect(url, server_settings=settings)
    rows = await connection.fetch(statement, *values)
    await connection.close()
    return [row[0].strip().removeprefix("->").strip() for row in rows]


def in_sqlite(url: str, statement: str, values: list[Any]) -> list[str]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    rows = connection.execute(statement, values).fetchall()
    connection.close()
    return [row[3] for row in rows]


def instructions(url: str, statement: str, values: list[Any]) -> int:
    count = 0

    def one_more() -> int:
        nonlocal count
        count += 1
        return 0

    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.set_progress_handler(one_more, 1)
    connection.execute(statement, values).fetchall()
    connection.close()
    return count


@pytest.mark.parametrize(
    ("field", "direction", "backward", "null"),
    [
        case
        for case in product(EventSortField, SortDirection, (False, True), (False, True))
        if not case[3] or SORT_TERMS[case[0]][2]
    ],
)
async def test_a_deep_page_begins_at_its_place(explained, field, direction, backward, null):
    """One index serves an order in both directions, from a value or a null, without sorting."""
    place = (None if null else VALUES[SORT_TERMS[field][1]], UUID(int=5))
    page = PageRequest(
        ordering_of([(field, direction)]), 50, backward, *((None, place) if backward else (place,))
    )

    [line] = await explained(page)

    assert INDEXES[field] in line
    assert ">" in line.split("Cond")[-1] or "<" in line.split("Cond")[-1]


@pytest.fixture
def work(database_url: str, viewer: Viewer) -> Any:
    """Return the work for a page: instructions on SQLite, blocks read on PostgreSQL."""

    async def done(page: PageRequest, filter: Filter) -> int:
        kind, statement, values = compiled(database_url, viewer, page, filter)
        if kind == "sqlite":
            return instructions(database_url, statement, values)
        explain = f"EXPLAIN (ANALYZE, BUFFERS) {statement}"
        lines = await in_postgresql(database_url, explain, values)
        [blocks] = [line for line in lines if line.startswith("Buffers")][:1]
        return int(blocks.partition("hit=")[2].split()[0])

    return done


@pytest.fixture
async def term(storage, database_url, organization_id):
    """One event per minute, in order, each with its own title and number; of two types."""
    events = [
        new_row(
            Event,
            organization_id=organization_id,
            **event_row(
                key, id=key, start_at=at, title=f"{n:05}", number=n, exam_type=TYPES[n % 2]
            ),
        )
        for n in range(3_000)
        for key, at in [(new_key(), NOW + timedelta(minutes=n))]
    ]

    def insert(unit: Any, _: Any) -> list[Outcome]:
        unit.insert(Event, events)
        return [Outcome(organization_id)]

    await storage.write(insert, [None])
    if database_url.startswith("postgresql"):
        await in_postgresql(database_url, "ANALYZE event", [])
    return events


async def test_of_two_beginnings_the_place_counts(work, term):
    """The last page of a list with a minimum start costs the same as its first page."""
    place = (term[-60].start_at, term[-60].id)
    until = Condition("start", Operator.LT, NOW + timedelta(days=30))

    first = await work(PageRequest(ordering_of(None), 50), AllOf((SINCE, until)))
    last = await work(PageRequest(ordering_of(None), 50, after=place), AllOf((SINCE, until)))

    assert last < 1.5 * first


@pytest.mark.parametrize("field", [EventSortField.START, EventSortField.TITLE])
async def test_orders_in_two_directions_begin_at_their_place(work, term, field):
    """The last page of a mixed order costs the same as its first page."""
    order = ordering_of([(field, SortDirection.ASC), (EventSortField.NUMBER, SortDirection.DESC)])
    place = [getattr(term[-60], part.column) for part in order.terms]

    first = await work(PageRequest(order, 50), NO_FILTER)
    last = await work(PageRequest(order, 50, after=tuple(place)), NO_FILTER)

    assert last < 1.5 * first


async def test_postgresql_knows_how_often_a_text_is_there(database_url, viewer, term):
    """Without statistics, PostgreSQL assumes that every text is rare and sorts instead of reading
    an index.
    """
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite keeps no statistics of texts")
    of_type = Condition("exam_type", Operator.EQ, "CLASS")
    page = PageRequest(ordering_of(None), 50)
    _, statement, values = compiled(database_url, viewer, page, of_type)

    lines = await in_postgresql(database_url, f"EXPLAIN {statement}", values)

    [expected] = [re.findall(r"rows=(\d+)", line) for line in lines if "Index Scan" in line]
    assert 1_000 < int(expected[0]) < 2_000


def test_what_stands_for_a_null_is_no_value():
    """The values that represent nulls are refused as start, end or number."""
    assert STAND_INS[datetime] > datetime(9998, 6, 1, tzinfo=UTC)
    assert STAND_INS[int] > 2**31
