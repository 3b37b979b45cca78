"""Bookings found by a text of their candidates; if few candidates match, the query starts with
them.
"""

from typing import Any
from uuid import UUID

import pytest

from resolvers import reading
from resolvers.bookings.reads import bookings_count, bookings_order, bookings_page
from resolvers.storage.filters import NO_FILTER, AllOf, AnyOf, Condition, Filter, Not, Operator
from resolvers.storage.paging import PageRequest, page_request
from resolvers.vocabulary import BookingKind, BookingStatus
from tests.resolvers.bookings.conftest import START, Maker
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

O = Operator  # noqa: E741 - as short as what it stands for
ORDER = bookings_order(None)
LONG_NAME = "ß" * 140
"""Case folding doubles each letter; `search_text` truncates two such names."""

NAMES = (
    ("Ada", "Lovelace"),
    ("Ada\nMarie", "Smith"),
    ("100%", "O_Brien"),
    (LONG_NAME, f"{LONG_NAME}zebra"),
    ("Zoë", "Adams"),
)


@pytest.fixture
async def candidates(world: World, a_booking: Maker) -> list[UUID]:
    """A candidate of each name with two bookings, whose starts are in mixed order."""
    keys = [
        await world.candidate(
            f"C{n}", first_names=first, last_name=last, email=f"c{n}@ada{n % 2}.example"
        )
        for n, (first, last) in enumerate(NAMES)
    ]
    for n in range(2 * len(NAMES)):
        await a_booking(
            candidate_id=keys[n % len(NAMES)], start_at=START.replace(minute=n * 7 % 10)
        )
    return keys


def where(field: str, operator: Operator, value: Any) -> Condition:
    return Condition(f"candidate_{field}", operator, value)


FILTERS: dict[str, tuple[Filter, list[int]]] = {
    "a part of a name": (where("name", O.CONTAINS, "ADA"), [0, 1, 4]),
    "a part of two names": (where("name", O.CONTAINS, "da love"), [0]),
    "a line break": (where("name", O.CONTAINS, "a\nm"), [1]),
    "a blank for a line break": (where("name", O.CONTAINS, "a m"), []),
    "a wildcard": (where("name", O.CONTAINS, "%"), [2]),
    "the end of a long name": (where("name", O.CONTAINS, "zebra"), [3]),
    "a name and a reference": (where("name", O.CONTAINS, "lovelace\nc0"), []),
    "the beginning of a name": (where("name", O.STARTS_WITH, "zoË"), [4]),
    "not the beginning": (where("name", O.STARTS_WITH, "adams"), []),
    "a whole name": (where("name", O.EQ, "ada lovelace"), [0]),
    "not a whole name": (where("name", O.EQ, "ada"), []),
    "no text": (where("name", O.CONTAINS, ""), [0, 1, 2, 3, 4]),
    "no candidate's": (where("name", O.CONTAINS, "featherstonehaugh"), []),
    "a part of a reference": (where("reference", O.CONTAINS, "c3"), [3]),
    "a whole reference": (where("reference", O.EQ, "C3"), [3]),
    "a part of an email": (where("email", O.CONTAINS, "@ada1"), [1, 3]),
    "a whole email": (where("email", O.EQ, "C2@ADA0.example"), [2]),
    "two texts": (
        AllOf((where("name", O.CONTAINS, "ada"), where("email", O.CONTAINS, "@ada0"))),
        [0, 4],
    ),
    "one of two texts": (
        AnyOf((where("name", O.CONTAINS, "smith"), where("reference", O.EQ, "c2"))),
        [1, 2],
    ),
    "no such text": (Not(where("name", O.CONTAINS, "ada")), [2, 3]),
}


@pytest.mark.parametrize("few", [0, 1, 2, reading.FEW])
@pytest.mark.parametrize("name", FILTERS)
async def test_bookings_are_found_by_the_texts_of_their_candidates(
    world: World,
    candidates: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    few: int,
) -> None:
    """Pages and counts are the same whether or not the query starts with the candidates."""
    monkeypatch.setattr(reading, "FEW", few)
    filter, numbers = FILTERS[name]
    everything = await world.storage.read(bookings_page(world.viewer, of_size(100), NO_FILTER))
    expected = [
        row.id for row in everything if row.candidate_id in {candidates[n] for n in numbers}
    ]

    assert await walked(world, filter, backward=False) == expected
    assert await walked(world, filter, backward=True) == expected
    [counted] = await world.storage.read(bookings_count(world.viewer, filter))
    assert counted.total == len(expected)


def of_size(size: int) -> PageRequest:
    return PageRequest(ORDER, size)


async def walked(world: World, filter: Filter, *, backward: bool) -> list[UUID]:
    """Return the keys of all pages of two, in list order."""
    keys: list[UUID] = []
    place: str | None = None
    while True:
        size, end = (None, 2) if backward else (2, None)
        after, before = (None, place) if backward else (place, None)
        page = page_request(ORDER, first=size, after=after, last=end, before=before)
        found = page.rows(await world.storage.read(bookings_page(world.viewer, page, filter)))
        of_page = [row.id for row in found.rows]
        keys = of_page + keys if backward else keys + of_page
        if not (found.has_previous if backward else found.has_next):
            return keys
        place = ORDER.cursor(found.rows[0 if backward else -1])


async def test_other_conditions_hold_too(
    world: World, candidates: list[UUID], a_booking: Maker
) -> None:
    """The kind and other criteria also apply to bookings found by a name."""
    named = where("name", O.CONTAINS, "lovelace")
    cancelled = await a_booking(
        candidate_id=candidates[0], kind=BookingKind.REGISTRATION, status=BookingStatus.COMPLETED
    )
    await a_booking(candidate_id=candidates[0], status=BookingStatus.DELETED)
    completed = Condition("status", O.IN, [BookingStatus.COMPLETED])

    of_kind = await world.storage.read(
        bookings_page(world.viewer, of_size(9), named, BookingKind.REGISTRATION)
    )
    both = await world.storage.read(
        bookings_page(world.viewer, of_size(9), AllOf((completed, AllOf((named,)))))
    )
    [counted] = await world.storage.read(bookings_count(world.viewer, named))

    assert [row.id for row in of_kind] == [row.id for row in both] == [cancelled.id]
    assert counted.total == 3
