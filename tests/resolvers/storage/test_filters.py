"""Filters: trees of conditions mean the same on both databases as they do in Python."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolvers.events.folded_texts import folded_text
from resolvers.storage import Read, Storage
from resolvers.storage.canonical_filters import canonical
from resolvers.storage.filters import (
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Not,
    Operator,
    in_folded_form,
    plain,
    prepared,
    shape_and_values,
    sql,
    to_the_second,
    with_following_seconds,
)
from resolvers.storage.paging import Ordering, Term, page_request
from resolvers.storage.tables import Event, columns, table
from resolvers.texts import folded, sort_key
from resolvers.viewer import Viewer
from tests.resolvers.storage.test_paging import NOON, Events

pytestmark = pytest.mark.both_databases

TEXTS = frozenset({"title", "summary"})
BY_TITLE = Ordering("by title", (Term("sort_key", str), Term("id", UUID)))

WORDS = [
    "",
    "%",
    "_",
    "\\",
    "a%b",
    "a_b",
    "a\\b",
    "axb",
    "100%",
    "'; --",
    "ÄPFEL",
    "äpfel",
    "ÉCOLE",
    "ΟΔΟΣ",
    "ΟΔΟΣΑ",
    "Straße",
    "STRASSE",
    "İzmir",
    "izmir",
    "Москва",
    "МОСКВА",  # noqa: RUF001 - Cyrillic is meant
    "\U0001f600",
]


class Filtering(Events):
    """Events, found by filters."""

    async def found(self, condition: Filter) -> set[Any]:
        c = columns(Event)
        criteria = {
            "title": in_folded_form(folded_text("title")),
            "summary": in_folded_form(folded_text("summary")),
            "number": plain(c.number),
            "start_at": to_the_second(c.start_at),
        }
        shape, values = shape_and_values(canonical(prepared(condition, TEXTS)))
        read: Read[Event] = Read(
            ("test filter", shape),
            lambda _: sa.select(table(Event)).where(sql(shape, criteria)),
            with_following_seconds(values),
        )
        return {row.id for row in await self.storage.read(read)}


@pytest.fixture
def filtering(storage: Storage, viewer: Viewer) -> Filtering:
    return Filtering(storage, viewer)


def holds(row: Any, condition: Filter) -> bool | None:
    """What a filter says of a row, in Python: None where it is unknown."""
    match condition:
        case AllOf(parts):
            found = [holds(row, part) for part in parts]
            return False if False in found else None if None in found else True
        case AnyOf(parts):
            found = [holds(row, part) for part in parts]
            return True if True in found else None if None in found else False
        case Not(part):
            return not holds(row, part)
        case Condition(field, operator, value):
            return _compares(getattr(row, field), operator, value)


def _compares(have: Any, operator: Operator, value: Any) -> bool | None:
    if operator is Operator.IS_NULL:
        return (have is None) == value
    if have is None:
        return None
    if isinstance(have, str):
        have = folded(have)
        value = [folded(v) for v in value] if operator is Operator.IN else folded(value)
    match operator:
        case Operator.EQ:
            return bool(have == value)
        case Operator.IN:
            return have in value
        case Operator.GTE:
            return bool(have >= value)
        case Operator.GT:
            return bool(have > value)
        case Operator.LTE:
            return bool(have <= value)
        case Operator.LT:
            return bool(have < value)
        case Operator.CONTAINS:
            return value in have
        case Operator.STARTS_WITH:
            return bool(have.startswith(value))
    raise ValueError(operator)


NUMBERS = st.sampled_from([-1, 0, 1, 2])
TEXT_CONDITIONS = st.builds(
    Condition,
    st.sampled_from(sorted(TEXTS)),
    st.sampled_from([Operator.EQ, Operator.CONTAINS, Operator.STARTS_WITH]),
    st.sampled_from(WORDS),
)
CONDITIONS = (
    TEXT_CONDITIONS
    | st.builds(
        Condition,
        st.just("number"),
        st.sampled_from([Operator.EQ, Operator.GTE, Operator.GT, Operator.LTE, Operator.LT]),
        NUMBERS,
    )
    | st.builds(Condition, st.just("number"), st.just(Operator.IN), st.lists(NUMBERS, max_size=3))
    | st.builds(
        Condition,
        st.sampled_from(sorted(TEXTS)),
        st.just(Operator.IN),
        st.lists(st.sampled_from(WORDS), max_size=3),
    )
    | st.builds(
        Condition,
        st.sampled_from(["number", *sorted(TEXTS)]),
        st.just(Operator.IS_NULL),
        st.booleans(),
    )
)
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: (
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=6,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(WORDS),
            "summary": st.none() | st.sampled_from(WORDS),
            "number": st.none() | NUMBERS,
        }
    ),
    max_size=8,
)


@pytest.mark.anyio
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=ROWS, conditions=st.lists(FILTERS, min_size=1, max_size=5))
async def test_filters_mean_what_they_say(
    filtering: Filtering, values: list[dict[str, Any]], conditions: list[Filter]
):
    """Any tree finds the rows of which it is true: over nulls, with LIKE's own characters."""
    rows = await filtering.insert([{**given, "last_change_time": NOON} for given in values])

    for condition in conditions:
        expected = {row.id for row in rows if holds(row, condition)}
        assert await filtering.found(condition) == expected, condition
        neither = await filtering.found(Not(condition))
        assert neither == {row.id for row in rows} - expected

    await filtering.clear(rows)


@pytest.mark.parametrize("word", [word for word in WORDS if word])
async def test_every_text_is_found_in_any_case(filtering: Filtering, word: str):
    """A text is found by itself, by its capitals and by its small letters, in part and whole."""
    [row] = await filtering.insert(
        [{"title": f"in {word} between", "summary": word, "last_change_time": NOON}]
    )

    for asked in {word, word.lower(), folded(word)}:
        for condition in (
            Condition("summary", Operator.EQ, asked),
            Condition("summary", Operator.IN, ["other", asked]),
            Condition("title", Operator.CONTAINS, asked),
            Condition("title", Operator.STARTS_WITH, f"IN {asked}"),
        ):
            assert await filtering.found(condition) == {row.id}, condition


async def test_instants_are_equal_within_a_second(filtering: Filtering):
    """Equal is the whole second of the value, whatever fraction of it either has."""
    parts = (-1, 0, 1, 500_000, 999_999, 1_000_000)
    rows = await filtering.insert(
        [
            {"title": "t", "last_change_time": NOON, "start_at": NOON + timedelta(microseconds=n)}
            for n in parts
        ]
    )

    for n in (0, 1, 500_000, 999_999):
        asked = Condition("start_at", Operator.EQ, NOON + timedelta(microseconds=n))
        assert await filtering.found(asked) == {row.id for row in rows[1:5]}
        assert await filtering.found(Not(asked)) == {rows[0].id, rows[5].id}
    later = Condition("start_at", Operator.GT, NOON + timedelta(microseconds=1))
    assert await filtering.found(later) == {row.id for row in rows[3:]}
    last = Condition("start_at", Operator.EQ, datetime.max.replace(tzinfo=UTC))
    assert await filtering.found(last) == set()


@given(FILTERS)
def test_equal_shapes_are_equal_filters_but_for_their_values(condition: Filter):
    """The shape holds no value, and every value has a name in it."""
    shape, values = shape_and_values(condition)
    other, _ = shape_and_values(_with_other_values(condition))

    assert shape == other
    assert hash(shape) == hash(other)
    assert {f"'{name}'" in repr(shape) for name in values} <= {True}


@given(FILTERS)
def test_equal_canonical_filters_have_one_shape_whatever_their_values(condition: Filter):
    shape, _ = shape_and_values(canonical(condition))
    other, _ = shape_and_values(canonical(_with_other_values(condition)))

    assert shape == other


def test_alternatives_that_differ_in_number_and_order_share_few_shapes():
    """Two hundred filters, each with another number of alternatives in another order."""
    chance = random.Random(5)
    shapes = set()
    for number in range(1, 201):
        parts: list[Filter] = [
            AllOf((Condition("title", Operator.CONTAINS, str(n)),)) for n in range(number)
        ]
        parts += [Condition("number", Operator.EQ, n) for n in range(2, number + 2)]
        parts += [Condition("number", Operator.IN, [n, n + 1]) for n in range(number)]
        parts += [
            AllOf((Condition("number", Operator.GTE, 1), Condition("title", Operator.EQ, "")))
        ]
        chance.shuffle(parts)
        shapes.add(shape_and_values(canonical(AnyOf(tuple(parts))))[0])

    assert len(shapes) == 9  # 1, 2, 4 … 256 texts; one list of numbers


def _with_other_values(condition: Filter) -> Filter:
    match condition:
        case AllOf(parts):
            return AllOf(tuple(_with_other_values(part) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_with_other_values(part) for part in parts))
        case Not(part):
            return Not(_with_other_values(part))
        case Condition(_, Operator.IS_NULL, _):
            return condition
        case Condition(field, operator, _):
            return Condition(field, operator, "another value")


GENERATED = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
) | st.sampled_from([word for word in WORDS if word])


@pytest.mark.anyio
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(titles=st.lists(GENERATED, min_size=1, max_size=6))
async def test_databases_fold_and_sort_as_python_does(filtering: Filtering, titles: list[str]):
    """Any text is found in any case, in part and whole, and has the place of its sort key."""
    rows = await filtering.insert([{"title": t, "last_change_time": NOON} for t in titles])
    found: dict[Condition, set[Any]] = {}
    wanted: dict[Condition, set[Any]] = {}

    for asked in {form for title in titles for form in (title, title.upper(), title.lower())}:
        whole = Condition("title", Operator.EQ, asked)
        part = Condition("title", Operator.CONTAINS, asked)
        wanted[whole] = {row.id for row in rows if folded(row.title) == folded(asked)}
        wanted[part] = {row.id for row in rows if folded(asked) in folded(row.title)}
        found |= {each: await filtering.found(each) for each in (whole, part)}
    page = page_request(BY_TITLE, first=100, after=None, last=None, before=None)
    listed = [row.id for row in (await filtering.page(page)).rows]
    await filtering.clear(rows)

    assert found == wanted
    assert listed == [row.id for row in sorted(rows, key=lambda r: (sort_key(r.title), r.id))]
