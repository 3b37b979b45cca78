"""Pages: both directions during inserts, invalid arguments, counts, searches."""

import pytest

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
  departments(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { name } } nodes { name } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""

LISTS = ("candidates", "centres", "departments", "subjects", "tests", "users", "events")


@pytest.fixture
async def departments(made):
    for name in "BDFHJ":
        await made("upsertDepartment", "department", name=name)


@pytest.mark.parametrize("forward", [True, False])
async def test_rows_that_come_in_meanwhile(client, made, departments, forward):
    """Pages lose and repeat no row while others are inserted before and after them."""
    seen, cursor, inserted = [], None, iter("ACEGK")
    size, place = ("first", "after") if forward else ("last", "before")
    while True:
        page = await client.of(PAGE, **{size: 2, place: cursor})
        names = [edge["node"]["name"] for edge in page["edges"]]
        seen = seen + names if forward else names + seen
        info = page["pageInfo"]
        assert info["startCursor"] == page["edges"][0]["cursor"]
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            break
        assert info["hasPreviousPage" if forward else "hasNextPage"] == (cursor is not None)
        cursor = info["endCursor" if forward else "startCursor"]
        await made("upsertDepartment", "department", name=next(inserted))

    assert seen == sorted(set(seen))
    assert set("BDFHJ") <= set(seen)


async def test_page_and_count(client, departments):
    """A page has 20 rows by default; the count covers the complete list."""
    everything = await client.of(PAGE)
    none = await client.of(PAGE, first=0)

    assert [node["name"] for node in everything["nodes"]] == list("BDFHJ")
    assert none["nodes"] == []
    assert everything["totalCount"] == none["totalCount"] == 5
    assert none["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("first: 101", ("OUT_OF_RANGE", "first")),
        ("last: -1", ("OUT_OF_RANGE", "last")),
        ("first: 1, last: 1", ("INVALID_VALUE", "last")),
        ('after: "nonsense"', ("INVALID_VALUE", "after")),
        ('before: "W10"', ("INVALID_VALUE", "before")),
    ],
)
@pytest.mark.parametrize("name", LISTS)
async def test_refused_arguments(client, name, arguments, told):
    """Each list refuses invalid arguments by name."""
    assert await client.errors(f"{{ {name}({arguments}) {{ totalCount }} }}") == [told]


@pytest.mark.parametrize("name", LISTS[:-1])
async def test_searches(client, world, name):
    """A search matches text in any case; a null is the same as no argument."""
    texts = {
        "candidates": "BYR",
        "centres": "yor",
        "departments": "ART",
        "subjects": "MEDI",
        "tests": "anatomy T",
        "users": "CLEO",
    }
    document = f"query ($text: String) {{ {name}(search: $text, first: null) {{ totalCount }} }}"

    for text, count in ((texts[name], 1), ("nowhere", 0), (None, 1)):
        assert await client.of(document, text=text) == {"totalCount": count}
    assert await client.errors(document, text="a\0") == [("INVALID_VALUE", "search")]


async def test_a_cursor_belongs_to_its_list(client, departments, world):
    """A cursor of another list or order is refused."""
    page = await client.of("{ events(sort: [{field: TITLE}]) { pageInfo { endCursor } } }")
    cursor = page["pageInfo"]["endCursor"]

    document = "query ($after: String) { events(after: $after) { totalCount } }"
    assert await client.errors(document, after=cursor) == [("INVALID_VALUE", "after")]


async def test_pages_of_parents(client, made, world):
    """Each centre has its own page of events, in order, in both directions."""
    for centre in ("C2", "C3"):
        await made("upsertCentre", "centre", reference=centre, name=centre, timeZone="Asia/Tokyo")
    for centre in ("C2", "C3"):
        for day in (3, 1, 2):
            start = f"2027-03-0{day}T00:00:00Z"
            title = f"{centre} {day}"
            await made(
                "createEvent", "event", centre={"reference": centre}, start=start, title=title
            )
    document = """{ centres(search: "c") { nodes { reference
      head: events(first: 2) { nodes { title } totalCount pageInfo { hasNextPage } }
      tail: events(last: 2, filter: {title: {startsWith: "c"}}) {
        nodes { title } totalCount pageInfo { hasPreviousPage }
      }
      none: events(first: 2, filter: {title: {eq: "nowhere"}}) { nodes { title } totalCount }
    } } }"""

    found = {c["reference"]: c for c in (await client.of(document))["nodes"]}

    for centre in ("C2", "C3"):
        head, tail = found[centre]["head"], found[centre]["tail"]
        assert [node["title"] for node in head["nodes"]] == [f"{centre} 1", f"{centre} 2"]
        assert [node["title"] for node in tail["nodes"]] == [f"{centre} 2", f"{centre} 3"]
        assert head["totalCount"] == tail["totalCount"] == 3
        assert head["pageInfo"] == {"hasNextPage": True}
        assert tail["pageInfo"] == {"hasPreviousPage": True}
        assert found[centre]["none"] == {"nodes": [], "totalCount": 0}
    assert found["C1"]["tail"]["totalCount"] == 0
