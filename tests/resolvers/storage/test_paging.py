"""Keyset pages: what they hold is what sorting in Python gives, whatever is inserted meanwhile."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.events.reads import SORT_TERMS
from resolvers.reading import page_of
from resolvers.refusals import Invalid
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.paging import MOST, Ordering, PageRequest, ordering_of, page_request
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Event
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventKind, EventSortField, SortDirection
from tests.resolvers.storage.conftest import Results, do_nothing
from tests.resolvers.stored import as_stored

pytestmark = pytest.mark.both_databases

NOON = datetime(2027, 1, 11, 12, tzinfo=UTC)
INSTANTS = st.sampled_from([None, *(NOON + timedelta(microseconds=n) for n in (0, 1, 999_999))])
"""Few different values, so that there are ties."""

VALUES = st.fixed_dictionaries(
    {
        "start_at": INSTANTS,
        "end_at": INSTANTS.map(lambda at: at and at + timedelta(seconds=1)),
        "number": st.sampled_from([None, -(2**31), 0, 7, 2**31 - 1]),
        "title": st.sampled_from(["", "A", "a", "Ä", "b\n", "\U0001f600"]),
        "last_change_time": INSTANTS.filter(lambda at: at is not None),
    }
)
SORT = st.lists(
    st.tuples(st.sampled_from(EventSortField), st.sampled_from(SortDirection)),
    min_size=1,
    max_size=4,
)


class Events:
    """The events of an organization, with what they are sorted by."""

    def __init__(self, storage: Storage, viewer: Viewer) -> None:
        self.storage, self.viewer = storage, viewer

    async def insert(self, values: Sequence[dict[str, Any]]) -> list[Any]:
        rows = [self._row(**given) for given in values]

        def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
            work.insert(Event, rows)
            return do_nothing(work, commands)

        await self.storage.write(run, [None])
        return rows

    async def clear(self, rows: Sequence[Any]) -> None:
        def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
            work.delete(Event, [{"id": row.id} for row in rows])
            return do_nothing(work, commands)

        await self.storage.write(run, [None])

    def _row(self, **values: Any) -> Any:
        made = new_row(
            Event,
            organization_id=self.viewer.organization_id,
            id=new_key(),
            identifier=new_key(),
            kind=EventKind.EXAM,
            time_zone="UTC",
            **values,
        )
        return as_stored(Event, made)

    async def page(self, page: PageRequest) -> Any:
        return page.rows(await self.storage.read(page_of(Event, self.viewer, page, UNRESTRICTED)))


@pytest.fixture
def events(storage: Storage, viewer: Viewer) -> Events:
    return Events(storage, viewer)


def in_order(rows: Sequence[Any], ordering: Ordering) -> list[Any]:
    """The rows as Python sorts them; nulls count as greater than every value."""
    found = list(rows)
    for term in reversed(ordering.terms):
        found.sort(
            key=lambda row: (
                (value := getattr(row, term.column)) is None,
                0 if value is None else value.bytes if isinstance(value, UUID) else value,
            ),
            reverse=term.descending,
        )
    return found


def keys(rows: Sequence[Any]) -> list[UUID]:
    return [row.id for row in rows]


thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.anyio
@thorough
@given(
    values=st.lists(VALUES, max_size=10),
    late=st.lists(VALUES, max_size=6),
    sort=SORT,
    size=st.integers(1, 4),
    backward=st.booleans(),
)
async def test_pages_lose_and_repeat_nothing(
    events: Events,
    values: list[dict[str, Any]],
    late: list[dict[str, Any]],
    sort: Any,
    size: int,
    backward: bool,
):
    """From page to page, in either direction, every row that was there comes once and in order.

    Rows that are inserted meanwhile come once if they belong behind the place, and never before it.
    """
    ordering = ordering_of("test", SORT_TERMS, sort)
    there = await events.insert(values)
    inserted: list[Any] = []
    found: list[Any] = []
    place, more, later = None, True, iter(late)
    while more:
        page = PageRequest(ordering, size, backward, *((None, place) if backward else (place,)))
        answer = await events.page(page)
        found = [*answer.rows, *found] if backward else [*found, *answer.rows]
        more = answer.has_previous if backward else answer.has_next
        if answer.rows:
            edge = answer.rows[0 if backward else -1]
            place = ordering.place(ordering.cursor(edge))
        if extra := next(later, None):
            inserted += await events.insert([extra])

    assert keys(found) == keys(in_order(found, ordering))
    assert len(set(keys(found))) == len(found)
    assert set(keys(there)) <= set(keys(found)) <= set(keys([*there, *inserted]))
    everything = in_order([*there, *inserted], ordering)
    last = PageRequest(ordering, MOST)
    assert keys((await events.page(last)).rows) == keys(everything)
    await events.clear(everything)


@pytest.mark.anyio
@thorough
@given(
    values=st.lists(VALUES, min_size=1, max_size=10),
    sort=SORT,
    size=st.integers(0, 5),
    backward=st.booleans(),
    ends=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    given_ends=st.tuples(st.booleans(), st.booleans()),
)
async def test_pages_between_two_places(
    events: Events,
    values: list[dict[str, Any]],
    sort: Any,
    size: int,
    backward: bool,
    ends: tuple[int, int],
    given_ends: tuple[bool, bool],
):
    """A page after one row and before another is the slice between them, both left out."""
    ordering = ordering_of("test", SORT_TERMS, sort)
    rows = in_order(await events.insert(values), ordering)
    low, high = (end % len(rows) for end in ends)
    page = page_request(
        ordering,
        first=None if backward else size,
        last=size if backward else None,
        after=ordering.cursor(rows[low]) if given_ends[0] else None,
        before=ordering.cursor(rows[high]) if given_ends[1] else None,
    )

    answer = await events.page(page)

    between = rows[low + 1 if given_ends[0] else 0 : high if given_ends[1] else None]
    expected = between[max(0, len(between) - size) :] if backward else between[:size]
    assert keys(answer.rows) == keys(expected)
    more = answer.has_previous if backward else answer.has_next
    assert more == (len(between) > size)
    await events.clear(rows)


# ---------------------------------------------------------------- cursors

BY_ALL = ordering_of("test", SORT_TERMS, [(f, SortDirection.ASC) for f in EventSortField])


def encoded(value: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def cursor(*values: Any, name: str = BY_ALL.name) -> str:
    return encoded([name, *values])


AT, KEY = "2027-01-11T12:00:00+00:00", "0" * 32


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        "====",
        "\0",
        "é",
        "\ud800",
        "a" * 1_000_000,
        encoded([[]] * 100_000),
        encoded(None),
        encoded(3),
        encoded("text"),
        encoded({}),
        encoded({BY_ALL.name: 1}),
        encoded([]),
        urlsafe_b64encode(b"[" * 100_000).decode(),
        urlsafe_b64encode(b"\xff\xfe").decode(),
        cursor(),
        cursor(AT, AT, 1, "title", AT),
        cursor(AT, AT, 1, "title", AT, KEY, KEY),
        cursor(AT, AT, 1, "title", AT, KEY, name="another list"),
        cursor(AT, AT, True, "title", AT, KEY),
        cursor(AT, AT, 1.0, "title", AT, KEY),
        cursor(AT, AT, "1", "title", AT, KEY),
        cursor(AT, AT, 2**63, "title", AT, KEY),
        cursor(AT, AT, 2**64 - 1, "title", AT, KEY),
        cursor(AT, AT, -(2**63), "title", AT, KEY),
        cursor(AT, AT, 1, None, AT, KEY),
        cursor(AT, AT, 1, 5, AT, KEY),
        cursor(AT, AT, 1, "nul \0", AT, KEY),
        cursor(AT, AT, 1, ["title"], AT, KEY),
        cursor(AT, AT, 1, "title", None, KEY),
        cursor(AT, AT, 1, "title", 5, KEY),
        cursor("soon", AT, 1, "title", AT, KEY),
        cursor("2027-01-11T12:00:00", AT, 1, "title", AT, KEY),
        cursor("0001-01-01T00:00:00+10:00", AT, 1, "title", AT, KEY),
        cursor("9999-12-31T23:59:59-10:00", AT, 1, "title", AT, KEY),
        cursor(AT, AT, 1, "title", AT, None),
        cursor(AT, AT, 1, "title", AT, 5),
        cursor(AT, AT, 1, "title", AT, ["x"]),
        cursor(AT, AT, 1, "title", AT, "0" * 31),
    ],
    ids=lambda value: f"{len(value)}-characters",
)
def test_bad_cursors_are_refused(bad: str):
    """Whatever is sent as a cursor, the answer is that it is none of this list in this order."""
    for side in ("after", "before"):
        places: dict[str, Any] = {"after": None, "before": None, side: bad}
        with pytest.raises(Invalid) as refused:
            page_request(BY_ALL, first=1, last=None, **places)
        assert refused.value.path == (side,)


@pytest.mark.parametrize("number", [1 - 2**63, -1, 2**31, 2**63 - 1])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"])
async def test_made_up_cursors_find_what_is_beyond_them(events: Events, number: int, at: str):
    """A cursor of this order with any value that its columns' kinds know is a place like others."""
    [row] = await events.insert(
        [{"start_at": NOON, "number": 5, "title": "t", "last_change_time": NOON}]
    )
    by_number = ordering_of("test", SORT_TERMS, [(EventSortField.NUMBER, SortDirection.ASC)])
    by_start = ordering_of("test", SORT_TERMS, [(EventSortField.START, SortDirection.ASC)])

    after_number = by_number.place(cursor(number, KEY, name=by_number.name))
    after_start = by_start.place(cursor(at, KEY, name=by_start.name))

    found = await events.page(PageRequest(by_number, 1, after=after_number))
    assert keys(found.rows) == ([row.id] if number < 5 else [])
    found = await events.page(PageRequest(by_start, 1, after=after_start))
    assert keys(found.rows) == ([row.id] if at < "2" else [])


@given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_garbage_is_no_cursor(garbage: str):
    """No text at all makes anything but Invalid."""
    with pytest.raises(Invalid):
        BY_ALL.place(garbage, "after")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_position_in_the_log_is_a_whole_number(value: Any):
    """Of any JSON value only a number that the log can have is a place in it."""
    try:
        raw = encoded([IN_COMMIT_ORDER.name, value])
    except TypeError:
        return  # half a character, which no JSON holds
    if type(value) is int and abs(value) < 2**63:
        assert IN_COMMIT_ORDER.place(raw) == (value,)
    else:
        with pytest.raises(Invalid):
            IN_COMMIT_ORDER.place(raw)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(-1, None, "OUT_OF_RANGE"), (101, None, "OUT_OF_RANGE"), (None, -1, "OUT_OF_RANGE"),
     (None, 101, "OUT_OF_RANGE"), (1, 1, "INVALID_VALUE"), (2**70, None, "OUT_OF_RANGE")],
)  # fmt: skip
def test_page_sizes(first: int | None, last: int | None, code: str):
    """From 0 to 100 rows, from one end."""
    with pytest.raises(Exception) as refused:  # noqa: PT011 - its code is compared
        page_request(BY_ALL, first=first, last=last, after=None, before=None)
    assert refused.value.code == code  # type: ignore[attr-defined]


async def test_concurrent_pages_of_one_shape(events: Events):
    """Many readers page at once, each from its own place."""
    values = [
        {"start_at": None, "number": n, "title": "t", "last_change_time": NOON} for n in range(50)
    ]
    await events.insert(values)
    ordering = ordering_of("test", SORT_TERMS, [(EventSortField.NUMBER, SortDirection.ASC)])
    pages = [
        PageRequest(ordering, 5, after=ordering.place(cursor(n, "f" * 32, name=ordering.name)))
        for n in range(50)
    ]

    found = await asyncio.gather(*(events.page(page) for page in pages))

    for n, answer in enumerate(found):
        assert [row.number for row in answer.rows] == list(range(n + 1, min(n + 6, 50)))
