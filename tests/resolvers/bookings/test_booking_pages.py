"""Lists of bookings: filters, orders and pages."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.reads import (
    BY_START,
    bookings_by_id,
    bookings_count,
    bookings_of_each,
    bookings_order,
    bookings_page,
    count_of_bookings_of_each,
)
from resolvers.refusals import PermissionRefusal
from resolvers.storage.columns import new_key
from resolvers.storage.filters import (
    NO_FILTER,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Not,
    Operator,
)
from resolvers.storage.paging import PageRequest, page_request
from resolvers.storage.tables import Enrolment
from resolvers.tests.commands import UpsertModule, upsert_modules
from resolvers.viewer import PERMISSIONS
from resolvers.vocabulary import (
    BookingKind,
    BookingSortField,
    BookingStatus,
    DeliveryMode,
    Role,
    SortDirection,
)
from tests.resolvers.bookings.conftest import START, Maker
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

O = Operator  # noqa: E741 - as short as what it stands for
ALL = PageRequest(bookings_order(None), 100)
HOUR = timedelta(hours=1)


@pytest.fixture
async def made(world: World, a_booking: Maker, insert: Any) -> dict[str, Any]:
    """Two bookings: `one` has a value for every criterion, `other` has a different one or none."""
    centres = [await world.centre(name) for name in ("LON", "PAR")]
    rooms = [await world.room(centre) for centre in centres]
    events = [await world.event(centre=centre) for centre in centres]
    tests = [await world.test(name) for name in ("T1", "T2")]
    ada = await world.candidate(
        "C-1", first_names="Ada", last_name="Lovelace", email="Ada@x.example"
    )
    bob = await world.candidate("c_2", first_names="Bob", last_name="100%", email=None)
    one = await a_booking(
        candidate_id=ada,
        centre_id=centres[0],
        room_id=rooms[0],
        event_id=events[0],
        test_id=tests[0],
        reference="ENR-1",
        accommodation_count=2,
        created_at=START - HOUR,
        updated_at=START + timedelta(milliseconds=250),
    )
    other = await a_booking(
        candidate_id=bob,
        centre_id=centres[1],
        event_id=events[1],
        test_id=tests[1],
        reference="REG-1",
        kind=BookingKind.REGISTRATION,
        status=BookingStatus.PENDING,
        start_at=START + 10 * HOUR,
        created_at=START,
        updated_at=START + HOUR,
    )
    return {
        "one": one,
        "other": other,
        "candidate": ada,
        "centre": centres[0],
        "room": rooms[0],
        "event": events[0],
        "test": tests[0],
    }


async def found(world: World, filter: Filter, **made: Any) -> set[str]:
    """Return which of the two a filter finds; the count must agree."""
    rows = await world.storage.read(bookings_page(world.viewer, ALL, filter))
    [counted] = await world.storage.read(bookings_count(world.viewer, filter))
    assert counted.total == len(rows)
    return {name for name, row in made.items() if row.id in {r.id for r in rows}}


CRITERIA: list[tuple[str, Operator, Any, set[str]]] = [
    ("kind", O.IN, [BookingKind.ENROLMENT], {"one"}),
    ("kind", O.IN, [BookingKind.ENROLMENT, BookingKind.REGISTRATION], {"one", "other"}),
    ("status", O.IN, [BookingStatus.PENDING], {"other"}),
    ("status", O.IN, [], set()),
    ("reference", O.EQ, "enr-1", {"one"}),
    ("reference", O.IN, ["REG-1", "x"], {"other"}),
    ("reference", O.CONTAINS, "-1", {"one", "other"}),
    ("reference", O.STARTS_WITH, "reg", {"other"}),
    ("reference", O.IS_NULL, False, {"one", "other"}),
    ("candidate_id", O.EQ, "candidate", {"one"}),
    ("candidate_id", O.IN, "candidate", {"one"}),
    ("candidate_name", O.CONTAINS, "da love", {"one"}),
    ("candidate_name", O.EQ, "ADA LOVELACE", {"one"}),
    ("candidate_name", O.CONTAINS, "%", {"other"}),
    ("candidate_email", O.EQ, "ada@X.example", {"one"}),
    ("candidate_email", O.IS_NULL, True, {"other"}),
    ("candidate_email", O.IS_NULL, False, {"one"}),
    ("candidate_reference", O.EQ, "C_2", {"other"}),
    ("candidate_reference", O.CONTAINS, "_", {"other"}),
    ("candidate_reference", O.IN, ["c-1"], {"one"}),
    ("centre_id", O.EQ, "centre", {"one"}),
    ("room_id", O.EQ, "room", {"one"}),
    ("room_id", O.IS_NULL, True, {"other"}),
    ("event_id", O.IN, "event", {"one"}),
    ("test_id", O.EQ, "test", {"one"}),
    ("start", O.EQ, START, {"one"}),
    ("start", O.GTE, START, {"one", "other"}),
    ("start", O.GT, START, {"other"}),
    ("start", O.LT, START, set()),
    ("start", O.LTE, START, {"one"}),
    ("start", O.IS_NULL, True, set()),
    ("created_at", O.GTE, START, {"other"}),
    ("created_at", O.LT, START, {"one"}),
    ("updated_at", O.EQ, START, {"one"}),  # within the same second
    ("updated_at", O.EQ, START + timedelta(milliseconds=500), {"one"}),
    ("updated_at", O.EQ, START + timedelta(seconds=1), set()),
    ("updated_at", O.GT, START, {"one", "other"}),
    ("updated_at", O.LT, START + HOUR, {"one"}),
    ("has_accommodations", O.EQ, True, {"one"}),
    ("has_accommodations", O.EQ, False, {"other"}),
]


@pytest.mark.parametrize("field", list(dict.fromkeys(row[0] for row in CRITERIA)))
async def test_each_criterion_finds_what_it_says_and_its_negation_the_rest(
    world: World, made: dict[str, Any], field: str
) -> None:
    """A criterion does not match an unknown value, and its negation does."""
    both = {"one": made["one"], "other": made["other"]}

    for _, operator, value, expected in (row for row in CRITERIA if row[0] == field):
        if isinstance(value, str) and value in made:
            value = [made[value]] if operator is O.IN else made[value]
        condition = Condition(field, operator, value)
        assert await found(world, condition, **both) == expected, condition
        assert await found(world, Not(condition), **both) == {"one", "other"} - expected, condition


async def test_conditions_are_combined(world: World, made: dict[str, Any]) -> None:
    """An empty `and` matches everything, and an empty `or` nothing."""
    one = Condition("reference", O.EQ, "ENR-1")
    other = Condition("reference", O.EQ, "REG-1")
    both = {"one": made["one"], "other": made["other"]}

    assert await found(world, NO_FILTER, **both) == {"one", "other"}
    assert await found(world, AnyOf(()), **both) == set()
    assert await found(world, AnyOf((one, other)), **both) == {"one", "other"}
    assert await found(world, AllOf((one, other)), **both) == set()
    assert await found(world, AllOf((one, Not(other))), **both) == {"one"}


async def test_the_module_is_the_enrolment_s(
    world: World, made: dict[str, Any], insert: Any
) -> None:
    """A module does not match bookings of kinds without a module."""
    module = await world.made(
        upsert_modules, UpsertModule(viewer=world.viewer, reference="M", name="M")
    )
    await insert(
        Enrolment,
        id=made["one"].id,
        module_id=module,
        delivery=DeliveryMode.IN_PERSON,
        attempt_number=1,
    )
    both = {"one": made["one"], "other": made["other"]}

    assert await found(world, Condition("module_id", O.IN, [module]), **both) == {"one"}
    assert await found(world, Condition("module_id", O.IN, [new_key()]), **both) == set()


async def test_email_is_asked_for_by_those_who_may_see_it(world: World) -> None:
    """A filter by email at any depth requires VIEW_PII, since it would reveal the address."""
    marker = replace(world.viewer, role=Role.MARKER, permissions=PERMISSIONS[Role.MARKER])
    condition = Condition("candidate_email", O.EQ, "ada@x.example")

    for filter in (condition, Not(AllOf((AnyOf((condition,)),)))):
        with pytest.raises(PermissionRefusal) as refused:
            bookings_page(marker, ALL, filter)
        assert refused.value.path == ("filter", "candidateEmail")


async def test_deleted_bookings_are_listed_only_when_named(world: World, a_booking: Maker) -> None:
    """Deleted bookings are in lists and counts only if requested; they stay readable by id."""
    candidate = await world.candidate()
    kept = await a_booking(candidate_id=candidate)
    deleted = await a_booking(candidate_id=candidate, status=BookingStatus.DELETED)
    both = {"kept": kept, "deleted": deleted}
    named = Condition("status", O.IN, [BookingStatus.DELETED])
    live = Condition("status", O.IN, [BookingStatus.CONFIRMED])
    of_candidate = Condition("candidate_id", O.EQ, candidate)

    assert await found(world, NO_FILTER, **both) == {"kept"}
    assert await found(world, of_candidate, **both) == {"kept"}
    assert await found(world, Not(live), **both) == set()
    assert await found(world, named, **both) == {"deleted"}
    assert await found(world, AnyOf((named, live)), **both) == {"kept", "deleted"}
    assert await found(world, AllOf((named, of_candidate)), **both) == {"deleted"}
    rows = await world.storage.read(bookings_by_id(world.viewer, [deleted.id, kept.id]))
    assert {row.id for row in rows} == {kept.id, deleted.id}


FIELDS = {
    BookingSortField.START: "start_at",
    BookingSortField.CREATED_AT: "created_at",
    BookingSortField.UPDATED_AT: "updated_at",
    BookingSortField.REFERENCE: "reference",
}


@pytest.fixture
async def seven(world: World, a_booking: Maker) -> list[Any]:
    """Seven bookings, some with equal values."""
    candidate = await world.candidate()
    starts = [START, START + HOUR, START + 2 * HOUR, START, START, START - HOUR, START + HOUR]
    return [
        await a_booking(
            candidate_id=candidate,
            start_at=start,
            reference=f"ENR-{n * 5 % 7}",
            created_at=START + HOUR * (n % 3),
            updated_at=START + HOUR * (n % 2),
        )
        for n, start in enumerate(starts)
    ]


async def walked(world: World, sort: Any, size: int, *, backward: bool) -> list[UUID]:
    """Return every key of a list, page by page in one direction."""
    ordering, keys, cursor = bookings_order(sort), [], None
    while True:
        asked: dict[str, Any] = dict.fromkeys(("first", "after", "last", "before"))
        asked |= {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = page_request(ordering, **asked)
        rows = page.rows(await world.storage.read(bookings_page(world.viewer, page)))
        keys = [r.id for r in rows.rows] + keys if backward else keys + [r.id for r in rows.rows]
        if not (rows.has_previous if backward else rows.has_next):
            return keys
        cursor = ordering.cursor(rows.rows[0 if backward else -1])


@pytest.mark.parametrize("direction", SortDirection)
@pytest.mark.parametrize("field", BookingSortField)
async def test_pages_in_both_directions_have_everything_once_and_in_order(
    world: World,
    seven: list[Any],
    field: BookingSortField,
    direction: SortDirection,
) -> None:
    """Nulls are last in ascending order and first in descending order."""
    column = FIELDS[field]
    with_value = sorted((r for r in seven if getattr(r, column) is not None), key=lambda r: r.id)
    with_value = sorted(with_value, key=lambda r: (getattr(r, column), r.id))
    without = sorted((r for r in seven if getattr(r, column) is None), key=lambda r: r.id)
    expected = [row.id for row in [*with_value, *without]]
    if direction is SortDirection.DESC:
        expected.reverse()

    for size, backward in product((1, 2, 3, 100), (False, True)):
        assert await walked(world, [(field, direction)], size, backward=backward) == expected


async def test_several_fields_sort_one_after_the_other(world: World, seven: list[Any]) -> None:
    """Each field has its own direction; the default order is by start."""
    sort = [
        (BookingSortField.UPDATED_AT, SortDirection.DESC),
        (BookingSortField.REFERENCE, SortDirection.ASC),
    ]
    expected = sorted(seven, key=lambda r: r.reference)
    expected = sorted(expected, key=lambda r: r.updated_at, reverse=True)

    assert await walked(world, sort, 2, backward=False) == [row.id for row in expected]
    assert await walked(world, None, 2, backward=False) == await walked(
        world, BY_START, 100, backward=True
    )


async def test_each_parent_has_its_own_page_and_count(world: World, a_booking: Maker) -> None:
    """The limit, filter and count apply to each parent, without deleted bookings."""
    one, two, three = await world.candidates(3)
    for candidate, count in ((one, 3), (two, 1)):
        for n in range(count):
            await a_booking(candidate_id=candidate, start_at=START + HOUR * n)
    await a_booking(candidate_id=two, status=BookingStatus.DELETED)
    keys = [one, two, three]
    later = Condition("start", O.GT, START)
    page = PageRequest(bookings_order(None), 1)

    rows = await world.storage.read(bookings_of_each("candidate_id", world.viewer, keys, page))
    counts = await world.storage.read(count_of_bookings_of_each("candidate_id", world.viewer, keys))
    filtered = await world.storage.read(
        bookings_of_each("candidate_id", world.viewer, keys, page, later)
    )

    # One row more than the page shows that there is a next page.
    assert sorted(row.candidate_id for row in rows) == sorted([one, one, two])
    assert {row.parent_id: row.total for row in counts} == {one: 3, two: 1, three: 0}
    assert {row.candidate_id for row in filtered} == {one}
