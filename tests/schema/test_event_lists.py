"""Lists of events: every criterion, and the sort orders."""

from datetime import timedelta

import pytest

EVENTS = """query ($filter: EventFilter, $sort: [EventSort!]) {
  events(filter: $filter, sort: $sort) { nodes { title } totalCount } }"""
COUNT = "query ($filter: EventFilter) { eventCount(filter: $filter) }"


@pytest.fixture
async def three(made, world):
    """`Anatomy in spring`, a draft, and an on-demand event."""
    await made("createEvent", "event", title="Draft", details={"summary": "50% done"})
    await made("createEvent", "event", title="Open", onDemand=True, capacityMaximum=5)


@pytest.mark.parametrize(
    ("filter", "titles"),
    [
        (None, {"Anatomy in spring", "Draft", "Open"}),
        ({}, {"Anatomy in spring", "Draft", "Open"}),
        ({"title": {"startsWith": "ANATOMY"}}, {"Anatomy in spring"}),
        ({"summary": {"contains": "0%"}}, {"Draft"}),
        ({"status": ["DRAFT"]}, {"Draft"}),
        ({"not": {"status": ["DRAFT"]}}, {"Anatomy in spring", "Open"}),
        ({"or": [{"examType": {"eq": "class"}}, {"kind": ["CLASS"]}]}, {"Anatomy in spring"}),
        ({"or": [{"title": {"eq": "open"}}, {"status": ["DRAFT"]}]}, {"Draft", "Open"}),
        ({"and": [{"kind": ["EXAM"]}, {"start": {"isNull": True}}]}, {"Draft", "Open"}),
        ({"capacityMaximum": {"gte": 5, "lte": 5}}, {"Open"}),
        ({"capacityMaximum": {"isNull": True}}, {"Draft"}),
        ({"localDate": "2027-03-01"}, {"Anatomy in spring"}),
        ({"start": {"eq": "2027-03-01T10:00:00.5+01:00"}}, {"Anatomy in spring"}),
        ({"identifier": {"in": ["11111111-1111-1111-1111-111111111111"]}}, {"Anatomy in spring"}),
        ({"identifier": {"in": []}}, set()),
        ({"hasFreeSeats": True}, {"Anatomy in spring", "Draft", "Open"}),
        ({"creditHours": {"isNull": False}}, set()),
    ],
)  # fmt: skip
async def test_filters(client, three, filter, titles):
    """A filter finds the same events in a list and in a count."""
    found = await client.of(EVENTS, filter=filter)

    assert {node["title"] for node in found["nodes"]} == titles
    assert found["totalCount"] == await client.of(COUNT, filter=filter) == len(titles)


async def test_filter_by_centre(client, three, world):
    """A centre's global id is accepted; an id of another type is refused."""
    found = await client.of(EVENTS, filter={"centreId": {"eq": world.centre}})

    assert found["totalCount"] == 1
    [(code, path)] = await client.errors(EVENTS, filter={"centreId": {"in": [world.room]}})
    assert code == "INVALID_VALUE"
    assert path.startswith("filter.")


async def test_every_criterion(client, three):
    """Each criterion works alone and with all others."""
    kinds = client.schema._schema.type_map
    values = {
        "StringFilter": {"contains": "x"},
        "IntFilter": {"lte": 1},
        "FloatFilter": {"lte": 1.0},
        "DateTimeFilter": {"lt": "2000-01-01T00:00:00Z"},
        "UuidFilter": {"eq": "00000000-0000-0000-0000-000000000009"},
        "IdFilter": {"isNull": True},
        "Boolean": True,
        "Date": "2000-01-01",
        "[EventStatus!]": ["COMPLETED"],
        "[EventKind!]": ["APPOINTMENT"],
    }
    fields = kinds["EventFilter"].fields.items()
    criteria = {n: values[str(f.type)] for n, f in fields if n not in {"and", "or", "not"}}

    for name, value in criteria.items():
        assert await client.of(COUNT, filter={name: value}) in {0, 1, 2, 3}, name
    assert await client.of(COUNT, filter=criteria) == 0
    assert len(criteria) == 66


async def test_sort(client, three):
    """Events are sorted by start by default, nulls last; later terms break ties."""

    async def titles(sort):
        return [node["title"] for node in (await client.of(EVENTS, sort=sort))["nodes"]]

    assert (await titles(None))[0] == "Anatomy in spring"
    assert await titles([{"field": "TITLE"}]) == ["Anatomy in spring", "Draft", "Open"]
    by_start = [{"field": "START"}, {"field": "TITLE", "direction": "DESC"}]
    assert await titles(by_start) == ["Anatomy in spring", "Open", "Draft"]


PAGE = """query ($sort: [EventSort!], $first: Int, $after: String, $last: Int, $before: String) {
  events(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
    nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ALL = """query ($sort: [EventSort!]) { events(sort: $sort, first: 100) {
  nodes { title number times { start end } lastChangeTime } } }"""
SHOWN = {
    "START": lambda event: event["times"]["start"],
    "END": lambda event: event["times"]["end"],
    "NUMBER": lambda event: event["number"],
    "TITLE": lambda event: event["title"],
    "LAST_CHANGE_TIME": lambda event: event["lastChangeTime"],
}


@pytest.fixture
def event(made, clock):
    """Create an event that has values, or nulls, in all sorted columns."""

    async def made_so(title, hour=None, number=None):
        at = {} if hour is None else {"start": f"2027-03-01T{hour:02}:00:00Z"}
        end = {} if hour is None else {"end": f"2027-03-01T{hour:02}:30:00Z"}
        clock.now += timedelta(seconds=1)
        return await made(
            "createEvent", "event", title=title, **at, **end, details={"number": number}
        )

    return made_so


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", SHOWN)
async def test_pages_in_every_order(client, event, field, direction, forward):
    """Pages in both directions lose and repeat nothing, nulls included, while events are
    inserted.
    """
    there = [("D", 9, 4), ("B", None, None), ("F", 7, 2), ("C", 8, None), ("A", None, 3)]
    for values in there:
        await event(*values)
    late = iter([("E", None, None), ("AA", 6, 1), ("G", 10, 5), ("BB", None, 0)])
    sort = [{"field": field, "direction": direction}]
    size, place, more, edge = (
        ("first", "after", "hasNextPage", "endCursor")
        if forward
        else ("last", "before", "hasPreviousPage", "startCursor")
    )

    seen, info = [], {more: True, edge: None}
    while info[more]:
        page = await client.of(PAGE, sort=sort, **{size: 2, place: info[edge]})
        titles, info = [node["title"] for node in page["nodes"]], page["pageInfo"]
        seen = seen + titles if forward else titles + seen
        if extra := next(late, None):
            await event(*extra)

    everything = (await client.of(ALL, sort=sort))["nodes"]
    values = [SHOWN[field](one) for one in everything]
    expected = sorted((v for v in values if v is not None), reverse=direction == "DESC")
    nulls = [None] * (len(values) - len(expected))
    assert values == (expected + nulls if direction == "ASC" else nulls + expected)
    assert [one["title"] for one in everything if one["title"] in seen] == seen
    assert {title for title, *_ in there} <= set(seen)
