"""Every criterion of a Shift iQ event finds exactly the matching events, nulls included."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.schema.event_fields import BY_SOURCE, FIELDS, REFUSED, Field, nested, uuid

EVENTS = """query ($filter: EventFilter) {
  events(filter: $filter) { nodes { id } totalCount } eventCount(filter: $filter) }"""
UPDATE = "mutation ($input: UpdateEventInput!) { updateEvent(input: $input) { errors { code } } }"

NO_CRITERION = {"BillingCodeEnabled", "OrganizationIdentifier"}
CRITERIA = [field for field in FIELDS if field.source not in NO_CRITERION]
STARTS = {"EventScheduledEnd": {"start": "2027-03-01T09:00:00Z"}}


def of_kind(kind: type) -> list[Field]:
    return [f for f in CRITERIA if type(f.first) is kind and f not in INSTANTS + IDENTIFIERS]


INSTANTS = [f for f in CRITERIA if isinstance(f.first, str) and f.first.startswith("2027-")]
IDENTIFIERS = [f for f in CRITERIA if f.source.endswith("Identifier")]
TEXTS, FLAGS, NUMBERS = of_kind(str), of_kind(bool), of_kind(int) + of_kind(float)


def test_every_criterion_has_its_case():
    """All fields except BillingCodeEnabled have a case; the organization has its own test."""
    cases = [*TEXTS, *FLAGS, *NUMBERS, *INSTANTS, *IDENTIFIERS]
    kinds = map(len, (TEXTS, FLAGS, NUMBERS, INSTANTS, IDENTIFIERS))

    assert tuple(kinds) == (28, 6, 7, 12, 7)
    assert {field.source for field in cases} == set(BY_SOURCE) - NO_CRITERION
    assert len(cases) + len({"OrganizationIdentifier"}) == 61


@dataclass
class Three:
    """Three events: with the first value of a field, with the second, and without a value.

    `none` is None if every event has a value.
    """

    client: Any
    field: Field
    first: str
    second: str
    none: str | None

    async def found(self, filter: dict[str, Any] | None) -> set[str]:
        """Return the names of the events that a filter finds."""
        result = await self.client.run(EVENTS, filter=filter)
        assert result.errors is None, result.errors
        keys = {node["id"] for node in result.data["events"]["nodes"]}
        assert len(keys) == result.data["events"]["totalCount"] == result.data["eventCount"]
        return {name for name in ("first", "second", "none") if getattr(self, name) in keys}

    async def by(self, **condition: Any) -> set[str]:
        """Return the names of the events that a condition on the field finds."""
        return await self.found({self.field.criterion: condition})

    @property
    def without(self) -> set[str]:
        return set() if self.none is None else {"none"}


@pytest.fixture
async def three(request, client, made, last_changed):
    """The three events of the field in the fixture's parameter."""
    field: Field = request.param
    if field.source == "VenueLocationIdentifier":
        for name in ("V1", "V2"):
            await made("upsertCentre", "centre", reference=name, name=name, timeZone="Asia/Tokyo")
    keys: list[str | None] = []
    for value in (field.first, field.second, None):
        if value is None and field.empty is REFUSED:
            keys.append(None)
        elif field.made_by is None:
            keys.append(None if value is None else await last_changed(field, value))
        else:
            given = {} if value is None else nested(field.made_by, value)
            given = {"title": "Some title", **STARTS.get(field.source, {}), **given}
            keys.append(await made("createEvent", "event", **given))
    return Three(client, field, *keys)


@pytest.fixture
def last_changed(client, made, clock):
    """Create an event whose last change has this time, type or user."""

    async def event(field: Field, value: str) -> str:
        if field.source == "LastChangeTime":
            clock.now = datetime.fromisoformat(value)
        key = await made("createEvent", "event", title="T")
        if value in ("Updated", "Cleo"):
            changed = {"eventId": key, "title": "U"}
            assert (await client.seeing(name="Cleo").of(UPDATE, input=changed))["errors"] == []
        return key

    return event


def cases(fields: list[Field]) -> Any:
    return pytest.mark.parametrize("three", fields, ids=lambda field: field.source, indirect=True)


@cases(TEXTS)
async def test_texts(three):
    """Texts match in any case, and pattern characters match literally."""
    first, second = three.field.first, three.field.second

    assert await three.by(eq=first.upper()) == await three.by(eq=first.lower()) == {"first"}
    assert await three.by(eq=first[:-1]) == set()
    assert await three.by(**{"in": [second.upper(), "x"]}) == {"second"}
    assert await three.by(**{"in": []}) == set()
    assert await three.by(contains=first[1:-1].upper()) == {"first"}
    assert await three.by(contains="%") == ({"first"} if "%" in first else set())
    assert await three.by(contains="a_") == ({"second"} if "a_" in second else set())
    assert await three.by(startsWith=second[:2].upper()) == {"second"}
    assert await three.by(startsWith=second[1:]) == set()
    await require_nulls(three, eq=first)


@cases(NUMBERS)
async def test_numbers(three):
    """Numbers match by equality, list and range; ranges include both ends."""
    first, second = three.field.first, three.field.second

    assert await three.by(eq=first) == {"first"}
    assert await three.by(eq=first + 1) == set()
    assert await three.by(gte=first) == await three.by(lte=second) == {"first", "second"}
    assert await three.by(gte=second) == await three.by(gte=first + 0.5 if is_float(first) else 4)
    assert await three.by(gte=second) == {"second"}
    assert await three.by(lte=first) == {"first"}
    assert await three.by(gte=first, lte=first) == {"first"}
    assert await three.by(gte=second, lte=first) == set()
    if not is_float(first):
        assert await three.by(**{"in": [second, 77]}) == {"second"}
        assert await three.by(**{"in": []}) == set()
    await require_nulls(three, eq=first)


def is_float(value: object) -> bool:
    return isinstance(value, float)


@cases(INSTANTS)
async def test_instants(three):
    """Instants match by equality and by exact range, in any time zone."""
    first, second = (datetime.fromisoformat(at) for at in (three.field.first, three.field.second))

    async def finds(**conditions: datetime) -> set[str]:
        return await three.by(**{name: at.isoformat() for name, at in conditions.items()})

    assert await finds(eq=first) == await finds(eq=first.replace(microsecond=999_999)) == {"first"}
    assert await finds(eq=first + timedelta(seconds=1)) == set()
    assert await three.by(eq="2027-04-01T18:00:00+09:00") == {"first"}
    assert await finds(gte=first) == await finds(lte=second) == {"first", "second"}
    assert await finds(gt=first) == await finds(gte=second) == {"second"}
    assert await finds(lt=second) == await finds(lte=first) == {"first"}
    assert await finds(gte=first, lt=second) == {"first"}
    assert await finds(gt=first, lt=second) == set()
    await require_nulls(three, eq=three.field.first)


@cases(IDENTIFIERS)
async def test_identifiers(three, client, key_of):
    """Identifiers match by equality and list, in either case; a centre matches by its key."""
    first, second = three.field.first, three.field.second
    if three.field.source == "VenueLocationIdentifier":
        centres = await client.of("{ centres { nodes { id } } }")
        first, second = (str(key_of(node["id"])) for node in centres["nodes"])

    assert await three.by(eq=first) == await three.by(eq=first.upper()) == {"first"}
    assert await three.by(eq=uuid(99)) == set()
    assert await three.by(**{"in": [second, uuid(99)]}) == {"second"}
    assert await three.by(**{"in": []}) == set()
    await require_nulls(three, eq=first)


@cases(FLAGS)
async def test_flags(three):
    """Flags match true or false; a null is no condition."""
    name = three.field.criterion

    assert await three.found({name: True}) == {"first"}
    assert await three.found({name: False}) == {"second"}
    assert await three.found({"not": {name: True}}) == {"second"}
    assert await three.found({name: None}) == {"first", "second"}


async def require_nulls(three: Three, **condition: Any) -> None:
    """An event without a value matches `isNull` and a negated condition."""
    name = three.field.criterion
    everything = {"first", "second"} | three.without

    assert await three.by(isNull=True) == three.without
    assert await three.by(isNull=False) == {"first", "second"}
    assert await three.found({"not": {name: condition}}) == everything - {"first"}
    assert await three.found({"not": {"not": {name: condition}}}) == {"first"}
    assert await three.found({"or": [{name: condition}, {name: {"isNull": True}}]}) == (
        {"first"} | three.without
    )
    assert await three.found({name: None}) == await three.found({name: {}}) == everything
    assert await three.by(eq=None, isNull=None) == everything


async def test_the_organization(client, made):
    """All events belong to the viewer's organization; no other organization matches."""
    await made("createEvent", "event", title="T")
    own = client.viewer.organization_id

    async def count(**condition: Any) -> int:
        filter = {"organizationIdentifier": condition}
        return (await client.run(EVENTS, filter=filter)).data["eventCount"]

    assert await count(eq=str(own)) == await count(**{"in": [uuid(9), str(own)]}) == 1
    assert await count(eq=uuid(9)) == await count(isNull=True) == await count(**{"in": []}) == 0
    assert await count(isNull=False) == 1
    assert UUID(uuid(9)) != own


TITLE = {"title": {"eq": "Law"}}


@pytest.fixture
async def titles(client, made):
    """Return the titles that a filter finds among three events."""
    for title, number in (("Law", 1), ("Art", 2), ("Music", None)):
        details = {} if number is None else {"details": {"number": number}}
        await made("createEvent", "event", title=title, **details)

    async def found(filter: Any) -> set[str]:
        query = "query ($filter: EventFilter) { events(filter: $filter) { nodes { title } } }"
        return {node["title"] for node in (await client.of(query, filter=filter))["nodes"]}

    return found


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"and": [TITLE, {"number": {"eq": 1}}]}, {"Law"}),
        ({"and": [TITLE, {"number": {"eq": 2}}]}, set()),
        ({"or": [TITLE, {"number": {"eq": 2}}]}, {"Law", "Art"}),
        ({"not": {"or": [TITLE, {"number": {"eq": 2}}]}}, {"Music"}),
        ({"not": {"and": [TITLE, {"number": {"eq": 1}}]}}, {"Art", "Music"}),
        ({"number": {"gte": 1}, "not": TITLE}, {"Art"}),
        ({"number": {"gte": 1}, "or": [TITLE, {"title": {"eq": "music"}}]}, {"Law"}),
        ({"not": {"number": {"gte": 1}}}, {"Music"}),
        ({"not": {"number": {"lte": 1}}}, {"Art", "Music"}),
        ({"not": {"not": {"not": {"not": TITLE}}}}, {"Law"}),
        ({"or": [{"and": [{"not": {"or": [TITLE]}}]}]}, {"Art", "Music"}),
        ({"and": []}, {"Law", "Art", "Music"}),
        ({"or": []}, set()),
        ({"not": {"or": []}}, {"Law", "Art", "Music"}),
        ({"and": None, "or": None, "not": None}, {"Law", "Art", "Music"}),
        ({"or": [{"and": []}]}, {"Law", "Art", "Music"}),
        ({"not": {}}, set()),
    ],
)
async def test_parts_are_joined(titles, filter, expected):
    """`and`, `or` and `not` can be nested; empty or null parts are no condition."""
    assert await titles(filter) == expected


@pytest.mark.parametrize("join", ["and", "or", "not"])
async def test_nesting_ends(client, titles, join):
    """A depth of five is accepted; the error for a deeper filter points at the first level beyond
    the limit.
    """

    def deep(levels: int) -> dict[str, Any]:
        filter = TITLE
        for _ in range(levels - 1):
            filter = {join: filter if join == "not" else [filter]}
        return filter

    assert await titles(deep(5)) == {"Law"}
    place = ".".join(["filter", *[join if join == "not" else f"{join}.0"] * 5])
    for levels in (6, 7, 50):
        assert await client.errors(EVENTS, filter=deep(levels)) == [
            ("OUT_OF_RANGE", place),
            ("OUT_OF_RANGE", place),
        ]


async def test_a_list_of_values_ends(client, titles):
    """A list has at most 1,000 values."""
    assert await titles({"title": {"in": ["law", *map(str, range(999))]}}) == {"Law"}
    refused = await client.errors(EVENTS, filter={"title": {"in": [*map(str, range(1_001))]}})
    assert set(refused) == {("OUT_OF_RANGE", "filter.title.in")}
