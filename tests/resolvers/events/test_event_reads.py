"""Reads of events: pages in every order, modules, seats, and eligible candidates."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest

from resolvers.candidates.reads import CANDIDATES_BY_NAME
from resolvers.events.eligibility import eligible_candidates, eligible_counts
from resolvers.events.reads import (
    SORT_TERMS,
    assembled_seats,
    class_codes,
    count_of_events_of_centres,
    events_by_id,
    events_of_centres,
    events_page,
    modules_of_events,
    ordering_of,
    seats_of_events,
)
from resolvers.refusals import Invalid
from resolvers.storage.filters import NO_FILTER, Condition, Operator
from resolvers.storage.paging import page_request
from resolvers.storage.tables import (
    CandidateGroup,
    CandidateModule,
    EventModule,
    TestModule,
)
from resolvers.viewer import Scope
from resolvers.vocabulary import BookingStatus, EventSortField, SeatState, SortDirection

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 11, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ASC, DESC = SortDirection.ASC, SortDirection.DESC

ORDERS = [
    *([pair] for pair in product(EventSortField, SortDirection)),
    [(EventSortField.NUMBER, ASC), (EventSortField.TITLE, DESC)],
    [(EventSortField.TITLE, DESC), (EventSortField.NUMBER, DESC), (EventSortField.START, ASC)],
    [],
]


def in_order(events, sort):
    """Return the events sorted by the fields and the key, nulls last."""
    ordered = sorted(
        events, key=lambda event: event.id, reverse=(sort or [(None, ASC)])[-1][1] is DESC
    )
    for field, direction in reversed(sort or [(EventSortField.START, ASC)]):
        column = SORT_TERMS[field][0]

        def value(event, column=column):
            found = getattr(event, column)
            return (found is None, found if found is not None else 0)

        nulls = [event for event in ordered if getattr(event, column) is None]
        rest = [event for event in ordered if getattr(event, column) is not None]
        rest.sort(key=value, reverse=direction is DESC)
        ordered = nulls + rest if direction is DESC else rest + nulls
    return [event.id for event in ordered]


@pytest.fixture
async def events(an_event):
    """Events with ties and nulls in every nullable column."""
    return [
        await an_event(
            start_at=None if n % 4 == 3 else NOW + (n % 3) * HOUR,
            end_at=None if n % 4 == 3 or n % 5 == 0 else NOW + (n % 3 + 2) * HOUR,
            number=None if n % 3 == 0 else n % 4,
            title=f"Title {n % 3}",
            last_change_time=NOW - (n % 4) * HOUR,
        )
        for n in range(13)
    ]


@pytest.mark.parametrize("sort", ORDERS)
async def test_pages_follow_each_other_in_every_order(storage, viewer, events, sort):
    """In both directions, each event is on one page, in the same order, with nulls and ties."""
    ordering, expected = ordering_of(sort), in_order(events, sort)

    async def walk(*, backward):
        found, cursor = [], None
        while True:
            size, after, before = (None, None, cursor) if backward else (4, cursor, None)
            last = 4 if backward else None
            page = page_request(ordering, first=size, after=after, last=last, before=before)
            rows = page.rows(await storage.read(events_page(viewer, page, NO_FILTER, now=NOW)))
            keys = [row.id for row in rows.rows]
            found = keys + found if backward else found + keys
            if not (rows.has_previous if backward else rows.has_next):
                return found
            cursor = ordering.cursor(rows.rows[0 if backward else -1])

    assert await walk(backward=False) == expected
    assert await walk(backward=True) == expected


def test_a_cursor_belongs_to_its_order():
    """A cursor of another order is refused; a repeated field counts once."""
    by_title, by_number = (
        ordering_of([(EventSortField.TITLE, ASC)]),
        ordering_of([(EventSortField.NUMBER, ASC)]),
    )
    twice = ordering_of([(EventSortField.TITLE, ASC), (EventSortField.TITLE, DESC)])

    class Row:
        sort_key, number, id = "x", 1, uuid4()

    assert twice == by_title
    assert by_title.place(by_title.cursor(Row), "after")
    with pytest.raises(Invalid):
        by_number.place(by_title.cursor(Row), "after")


async def test_events_are_read_by_key(storage, viewer, an_event):
    """Unknown keys and another organization's keys return nothing."""
    event = await an_event()
    elsewhere = replace(viewer, organization_id=uuid4())

    [found] = await storage.read(events_by_id(viewer, [event.id, uuid4()]))

    assert found == event
    assert await storage.read(events_by_id(elsewhere, [event.id])) == []


async def test_each_centre_has_its_first_events(storage, viewer, an_event, a_centre):
    """Pages and counts of several centres, with a filter, take one statement each."""
    one, two, none = await a_centre(), await a_centre(), await a_centre()
    mine = [await an_event(venue_id=one.id, start_at=NOW + n * HOUR) for n in (3, 2, 1)]
    theirs = await an_event(venue_id=two.id)
    await an_event(venue_id=two.id, title="Other")
    page = page_request(ordering_of(None), first=1, after=None, last=None, before=None)
    narrowed = Condition("title", Operator.EQ, "biology")
    keys = [one.id, two.id, none.id]

    rows = await storage.read(events_of_centres(viewer, keys, page, narrowed, now=NOW))
    counts = await storage.read(count_of_events_of_centres(viewer, keys, narrowed, now=NOW))

    assert [row.id for row in rows if row.venue_id == one.id] == [mine[2].id, mine[1].id]
    assert [row.id for row in rows if row.venue_id == two.id] == [theirs.id]
    assert {row.parent_id: row.total for row in counts} == {one.id: 3, two.id: 1, none.id: 0}


async def test_class_codes_are_distinct_and_sorted(storage, viewer, an_event):
    """Each code appears once; events without a code add none."""
    for code in ("B", "A", None, "B"):
        await an_event(class_code=code)

    assert [row.class_code for row in await storage.read(class_codes(viewer))] == ["A", "B"]


async def test_an_event_without_modules_has_its_tests(
    storage, viewer, an_event, a_test, a_module, link
):
    """Modules are sorted by name; an event's own modules replace the test's."""
    test = await a_test()
    cells, bones, art = await a_module("Cells"), await a_module("Bones"), await a_module("Art")
    own, tested = await an_event(test_id=test.id), await an_event(test_id=test.id)
    bare = await an_event()
    for module in (cells, bones):
        await link(TestModule, test_id=test.id, module_id=module.id)
    await link(EventModule, event_id=own.id, module_id=art.id)

    keys = [own.id, tested.id, bare.id]
    rows = await storage.read(modules_of_events(viewer, keys))

    names = {key: [row.name for row in rows if row.parent_id == key] for key in keys}
    assert names == {own.id: ["Art"], tested.id: ["Bones", "Cells"], bare.id: []}


@pytest.fixture
def seats(storage, viewer):
    """Return the seats of one event."""

    async def of(event):
        rows = await storage.read(seats_of_events(viewer, [event.id]))
        [facts] = assembled_seats(rows, now=NOW).values()
        return facts

    return of


async def test_seats_count_live_bookings(seats, an_event, a_booking):
    """Pending, confirmed and started bookings take seats; waiting and ended ones do not."""
    event = await an_event(start_at=NOW + HOUR, capacity_maximum=4, capacity_minimum=4)
    for status in BookingStatus:
        if status is not BookingStatus.CANCELLED:
            await a_booking(event, status=status)

    facts = await seats(event)

    assert (facts.capacity, facts.taken, facts.free) == (4, 3, 1)
    assert (facts.state, facts.below_minimum) == (SeatState.FREE, True)


async def test_seats_are_limited_by_the_room_while_the_event_lasts(
    seats, an_event, a_booking, a_room, a_centre
):
    """Other bookings in the room count by their maximum at one time; adjacent ones do not
    overlap.
    """
    room = await a_room(await a_centre(), capacity=5)
    event = await an_event(start_at=NOW + HOUR, end_at=NOW + 2 * HOUR, room_id=room.id)
    other = await an_event(start_at=NOW, end_at=NOW + 9 * HOUR, room_id=room.id)
    for start, end in [(0, 60), (70, 90), (80, 100), (85, 300), (90, 100), (120, 200)]:
        await a_booking(other, start_at=NOW + start * MINUTE, end_at=NOW + end * MINUTE)
    await a_booking(event)

    facts = await seats(event)

    assert (facts.capacity, facts.taken, facts.free) == (5, 1, 1)


@pytest.fixture
def eligible(storage, viewer):
    """Return the eligible candidates by last name; the count must agree."""

    async def names(event, module_ids=None, viewer=viewer):
        page = page_request(CANDIDATES_BY_NAME, first=50, after=None, last=None, before=None)
        rows = await storage.read(eligible_candidates(viewer, [event.id], page, module_ids))
        [count] = await storage.read(eligible_counts(viewer, [event.id], module_ids))
        assert count.total == len(rows)
        assert {row.parent_id for row in rows} <= {event.id} == {count.parent_id}
        return [row.last_name for row in rows]

    return names


async def test_the_eligible_have_a_module_of_the_event(
    eligible, viewer, an_event, a_booking, a_candidate, a_module, a_test, link
):
    """Eligible candidates have a module of the event or its test, match the filter, and have no
    booking.
    """
    cells, bones, art = [await a_module(name) for name in ("Cells", "Bones", "Art")]
    test = await a_test()
    own = await an_event(eligibility_configured=True, test_id=test.id)
    tested = await an_event(eligibility_configured=True, test_id=test.id)
    for module in (cells, bones):
        await link(EventModule, event_id=own.id, module_id=module.id)
    await link(TestModule, test_id=test.id, module_id=art.id)
    people = {name: await a_candidate(name) for name in ("Ash", "Birch", "Cedar", "Elm", "Fir")}
    for name, module in [
        ("Ash", cells),
        ("Ash", bones),
        ("Birch", bones),
        ("Cedar", art),
        ("Elm", cells),
    ]:
        await link(CandidateModule, candidate_id=people[name].id, module_id=module.id)
    await a_booking(own, people["Elm"])
    await a_booking(tested, people["Ash"])

    assert await eligible(own) == ["Ash", "Birch"]
    assert await eligible(tested) == ["Cedar"]
    assert await eligible(own, [cells.id]) == ["Ash"]
    assert await eligible(own, [art.id]) == []
    assert await eligible(own, []) == []
    itself = replace(viewer, scope=Scope(candidate=people["Birch"].id))
    assert await eligible(own, viewer=itself) == ["Birch"]


async def test_the_eligible_of_many_events_are_read_together(
    storage, viewer, an_event, a_booking, a_candidate, a_module, link
):
    """Each event returns its first candidates, even if events share them; an event without any
    returns none.
    """
    module, other = await a_module(), await a_module()
    events = [await an_event(eligibility_configured=True) for _ in range(3)]
    for event, of_event in zip(events, (module, module, other), strict=True):
        await link(EventModule, event_id=event.id, module_id=of_event.id)
    people = [await a_candidate(name) for name in ("Ash", "Birch", "Cedar")]
    for candidate in people:
        await link(CandidateModule, candidate_id=candidate.id, module_id=module.id)
    await a_booking(events[1], people[0])
    page = page_request(CANDIDATES_BY_NAME, first=1, after=None, last=None, before=None).exactly()
    keys = [event.id for event in events]

    rows = await storage.read(eligible_candidates(viewer, keys, page, None))
    counts = await storage.read(eligible_counts(viewer, keys, None))

    found = {row.parent_id: row.last_name for row in rows}
    assert found == {keys[0]: "Ash", keys[1]: "Birch"}
    assert {count.parent_id: count.total for count in counts} == dict(
        zip(keys, (3, 2, 0), strict=True)
    )


async def test_the_eligible_are_in_the_learner_group(
    eligible, an_event, a_candidate, a_module, link
):
    """A group alone is sufficient; with modules both apply; without either, the list is empty."""
    group, module = uuid4(), await a_module()
    by_group = await an_event(learner_registration_group_identifier=group)
    by_both = await an_event(
        learner_registration_group_identifier=group, eligibility_configured=True
    )
    by_none = await an_event()
    await link(EventModule, event_id=by_both.id, module_id=module.id)
    ash, birch, cedar = [await a_candidate(name) for name in ("Ash", "Birch", "Cedar")]
    for candidate, of_group in [(ash, group), (birch, group), (cedar, uuid4())]:
        await link(CandidateGroup, candidate_id=candidate.id, group_id=of_group)
    for candidate in (birch, cedar):
        await link(CandidateModule, candidate_id=candidate.id, module_id=module.id)

    assert await eligible(by_group) == ["Ash", "Birch"]
    assert await eligible(by_group, [uuid4()]) == ["Ash", "Birch"]
    assert await eligible(by_both) == ["Birch"]
    assert await eligible(by_none) == []
