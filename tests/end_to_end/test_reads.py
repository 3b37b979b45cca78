"""Reading over HTTP: the number of statements, paging while others write, every type's name."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

from resolvers.identity import global_id
from resolvers.storage import Read, Storage
from tests.end_to_end.clients import Client
from tests.end_to_end.conftest import ids
from tests.end_to_end.inputs import Examples, mutation
from tests.end_to_end.servers import Server
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

MANY = 100
BOOKING = """
    __typename id reference status allowedActions externalIds { value } candidate { fullName }
    centre { name city } room { name } event { title seats { taken } centre { name } }
    organization { name } times { localStart } accommodations { type } payment { status }
    cancellation { reason } createdBy { name user { name } }
    history(first: 2) { totalCount nodes { type actor { name } } }
    ... on Enrolment { attemptNumber previousAttempt { id } module { name } }
"""
QUERIES = [
    f"query ($n: Int!) {{ bookings(first: $n) {{ totalCount nodes {{ {BOOKING} }} }} }}",
    f"""query ($n: Int!) {{ enrolments(first: $n, sort: {{field: REFERENCE}}) {{
        nodes {{ {BOOKING} }}
    }} }}""",
    """query ($n: Int!) { events(first: $n) { nodes {
        title centre { name rooms { name } subjects { name } } room { name centre { name } }
        test { name forms { code } } modules { name } seats { capacity taken state }
        candidates(includeEligible: true) { booked { totalCount nodes { reference } } }
        bookings(first: 3) { totalCount nodes { reference candidate { fullName } } }
    } } }""",
    """query ($n: Int!) { candidates(first: $n) { nodes {
        fullName centres { name } subjects { name } departments { name } modules { name }
        bookings(first: 3) { totalCount nodes { reference event { title centre { name } } } }
    } } }""",
    """query ($n: Int!) { bookingChanges(first: $n) { nodes {
        type actor { name user { name } } booking { reference candidate { fullName } }
    } } }""",
]


@pytest.fixture
async def crowd(world: World) -> list[str]:
    """As many events as bookings, each of another candidate in another room; the bookings' ids."""
    centre = await world.centre()
    people = await world.candidates(MANY)

    async def booked(n: int) -> UUID:
        room = await world.room(centre, f"Room {n}")
        start = world.tomorrow(10) + timedelta(days=n % 10)
        event = await world.event(centre=centre, room=room, start_at=start)
        return await world.booked(people[n], event)

    return ids("Enrolment", list(await asyncio.gather(*(booked(n) for n in range(MANY)))))


@pytest.fixture
def statements(server: Server) -> list[Any]:
    """What the server reads from its storage, growing."""
    storage: Storage = server.app.state.storage
    done: list[Any] = []

    def counting(read: Any) -> Any:
        async def counted(asked: Read[Any]) -> Any:
            done.append(asked.shape)
            return await read(asked)

        return counted

    for name in ("read", "tuples"):  # as objects, and for plans
        setattr(storage, name, counting(getattr(storage, name)))
    return done


async def test_the_statements_of_a_query_do_not_grow_with_its_rows(
    client: Client, crowd: list[str], statements: list[Any]
):
    """Two rows or a hundred, and with all that hangs on them: as many statements."""

    async def count(document: str, **variables: Any) -> int:
        statements.clear()
        await client.ask(document, **variables)
        return len(statements)

    for document in QUERIES:
        for _ in range(4):  # whatever is learnt or made once
            await client.ask(document, n=1)
        assert await count(document, n=MANY) == await count(document, n=2), document
    nodes = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Booking {{ {BOOKING} }} }} }}"
    assert await count(nodes, ids=crowd) == await count(nodes, ids=crowd[:2])


async def test_a_list_of_a_hundred_lists_takes_no_more_statements_than_of_two(
    client: Client, world: World, statements: list[Any]
):
    """The rooms of each centre and the events of each room's centre, of all centres together."""

    async def centre(n: int) -> None:
        await world.room(await world.centre(f"C{n}"), f"Room {n}")

    await asyncio.gather(*(centre(n) for n in range(MANY)))
    document = """query ($n: Int!) { centres(first: $n) { nodes {
        rooms { name } subjects { name } events(first: 2) { totalCount nodes { title } }
    } } }"""
    await client.ask(document, n=2)
    counts = []
    for n in (2, MANY):
        statements.clear()
        assert len((await client.ask(document, n=n))["nodes"]) == n
        counts.append(len(statements))
    assert counts[0] == counts[1]


PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {{
    {0}(first: $first, after: $after, last: $last, before: $before) {{
        nodes {{ id }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
}}"""


async def pages(
    client: Client, name: str, write: Callable[[], Awaitable[Any]], *, backward: bool
) -> list[str]:
    """All ids of a list in its order, page by page, while somebody writes between the pages."""
    found: list[str] = []
    given: dict[str, Any] = {"last": 7} if backward else {"first": 7}
    while True:
        page = await client.ask(PAGE.format(name), **given)
        here = [node["id"] for node in page["nodes"]]
        found = here + found if backward else found + here
        info = page["pageInfo"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return found
        given |= {"before": info["startCursor"]} if backward else {"after": info["endCursor"]}
        await write()


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
async def test_paging_loses_and_repeats_nothing_while_others_write(
    client: Client, world: World, backward: bool
):
    """Every row that was there from the first page to the last is found once, in order."""
    centre = await world.centre()
    place = {"centre": centre, "room": await world.room(centre, "Hall", capacity=1000)}
    event = await world.event(**place)
    people = await world.candidates(100)
    for person in people[:30]:
        await world.booked(person, event)
        await world.event(start_at=world.tomorrow(12), **place)
    turns = iter(range(30, 100))

    async def write() -> None:
        """One at the beginning of each list, and one at its end."""
        turn = next(turns)
        await world.booked(people[turn], event)
        for hour, name in ((6, "Aa"), (18, "Zz")):
            await world.event(start_at=world.tomorrow(hour), **place)
            await world.candidate(f"{name}{turn}", last_name=name)

    for name in ("bookings", "enrolments", "candidates", "events", "bookingChanges"):
        before = await everything(client, name)
        found = await pages(client, name, write, backward=backward)
        assert len(found) == len(set(found)), name
        assert [id for id in found if id in set(before)] == before, name
        after = await everything(client, name)
        assert found == [id for id in after if id in set(found)], name


async def everything(client: Client, name: str) -> list[str]:
    async def nothing() -> None:
        pass

    return await pages(client, name, nothing, backward=False)


async def test_every_object_is_found_by_its_id(client: Client, examples: Examples):
    """`nodes` answers in the order of the ids; what there is not, or not of that type, is null."""
    known = list(examples.ids.values())
    asked = [*known, global_id("Event", UUID(int=1)), *reversed(known)]
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    found = await client.ask(document, ids=asked)

    assert [node and node["id"] for node in found] == [*known, None, *reversed(known)]
    for name, id in examples.ids.items():
        node = await client.ask("query ($id: ID!) { node(id: $id) { __typename id } }", id=id)
        assert node == {"__typename": name[0].upper() + name[1:], "id": id}
    nothing = global_id("Nothing", UUID(int=1))
    assert await client.ask("query ($id: ID!) { node(id: $id) { id } }", id=nothing) is None


# ---------------------------------------------------------------- every type by its name

DEEP = 4


def selection(schema: GraphQLSchema, kind: Any, inside: tuple[str, ...] = ()) -> str:
    """The names of everything below a type that needs no arguments; a type inside itself once."""
    if len(inside) > DEEP or kind.name in inside:
        return "{ __typename }"
    inner = [
        f"{name} {selection(schema, get_named_type(field.type), (*inside, kind.name))}"
        for name, field in getattr(kind, "fields", {}).items()
        if is_composite_type(get_named_type(field.type))
        and not any(is_required_argument(argument) for argument in field.args.values())
    ]
    return f"{{ __typename {' '.join(inner)} }}"


def typed(schema: GraphQLSchema, kind: Any, value: Any) -> Iterator[str]:
    """The names in an answer, each checked against what its field may hold."""
    if isinstance(value, list):
        for one in value:
            yield from typed(schema, kind, one)
    elif isinstance(value, dict):
        name = value["__typename"]
        assert name in {one.name for one in possible(schema, kind)}, (name, kind)
        yield name
        for field, inner in value.items():
            if field != "__typename":
                yield from typed(schema, get_named_type(kind.fields[field].type), inner)


def possible(schema: GraphQLSchema, kind: Any) -> list[GraphQLObjectType]:
    if isinstance(kind, GraphQLInterfaceType):
        return list(schema.get_possible_types(kind))
    return [kind]


def answers_of(schema: GraphQLSchema) -> set[str]:
    """The types that a query can come to: payloads, refusals and roots are elsewhere."""
    objects = {
        name: kind
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
    }
    errors = {kind.name for kind in possible(schema, schema.type_map["UserError"])}
    others = errors | {"Query", "Mutation", "Subscription"} | SHOWN_ELSEWHERE
    return {name for name in objects if name not in others and not name.endswith("Payload")}


SHOWN_ELSEWHERE = {
    *("Warning", "CancelledBooking", "SeatsChange", "EventChange", "TimeWindow", "Origin"),
    *("ValidationMessage", "BookingOutcome"),
}
"""Of payloads and subscriptions only; and what needs a booking of another kind, or an origin."""


@pytest.mark.parametrize("database", ["sqlite"], scope="session")
async def test_every_type_says_its_name(
    client: Client, examples: Examples, schema: strawberry.Schema
):
    """`__typename` at every place of every query is a type that may be there; all types are met."""
    core = schema._schema
    assert core.query_type is not None
    await decorate(client, examples)
    met: set[str] = set()
    given = {
        "$ID": examples.ids["enrolment"],
        "$EVENT": examples.ids["event"],
        "$UUID": examples.of["bookRegistration"]["registration"],
    }
    for name, field in core.query_type.fields.items():
        kind = get_named_type(field.type)
        if name in ROOTS:
            asked = f"{name}{ROOTS[name]}"
            for named, example in given.items():
                asked = asked.replace(named, example)
        elif any(is_required_argument(argument) for argument in field.args.values()):
            asked = f'{name}(ref: {{id: "{examples.ids[name]}"}})'
        else:
            asked = name
        chosen = selection(core, kind) if is_composite_type(kind) else ""
        value = await client.ask(f"{{ {asked} {chosen} }}")
        met |= set(typed(core, kind, value)) if chosen else set()
    assert answers_of(core) - met == set()


ROOTS = {
    "node": '(id: "$ID")',
    "nodes": '(ids: ["$ID"])',
    "booking": '(id: "$ID")',
    "registration": '(identifier: "$UUID")',
    "agentBooking": '(agentBookingId: "X8347848")',
    "eventsOnDate": '(date: "2030-01-01")',
    "scrapPaper": '(eventId: "$EVENT")',
}


async def decorate(client: Client, examples: Examples) -> None:
    """Give the examples what is null or empty without it."""
    address = {"line1": "1 High St", "city": "York", "country": "GB"}
    related = {f"{kind}Ids": [examples.ids[kind]] for kind in ("centre", "subject", "department")}
    person = {"address": address, "emergencyContact": {"name": "Ann", "phone": "3"}, **related}
    keys = {"externalIds": [{"system": "GATEWAY", "kind": "test", "value": "T1"}]}
    changes = {
        "upsertCandidate": {**person, "moduleIds": [examples.ids["module"]]},
        "upsertTest": {"modules": [{"reference": "M1"}], **keys},
        "updateEvent": {"test": {"reference": "T1"}},
        "grantAccommodation": {},
        "cancelBooking": {},
        "bookRegistration": {},
        "transferRegistration": {},
    }
    for name, change in changes.items():
        given = {**examples.of[name], **change}
        assert (await client.ask(mutation(name), input=given))["errors"] == [], name
    cost = {"cost": {"amount": "10.00", "currency": "GBP"}}
    paid = {**examples.of["bookEnrolment"], "payment": cost}
    enrolment = await done(client, "bookEnrolment", "enrolment { payment { reference } }", **paid)
    reference = enrolment["enrolment"]["payment"]["reference"]
    for number in ("1", "2"):
        given = {"paymentReference": reference, "status": "PAID", "providerReference": number}
        await done(client, "recordPayment", **given)
    await crowd_a_room(client)


async def done(client: Client, name: str, selection: str = "", /, **given: Any) -> Any:
    """The payload of a mutation that succeeds."""
    payload = await client.ask(mutation(name, selection), input=given)
    assert payload["errors"] == [], (name, payload)
    return payload


async def crowd_a_room(client: Client) -> None:
    """Two bookings, one after the other, in a room of one seat; then extra time for the first."""
    room = {"centre": {"reference": "C1"}, "name": "Closet", "capacity": 1}
    place = (await done(client, "upsertRoom", "room { id }", **room))["room"]
    bookings = []
    for hour in (9, 10):
        person = {"reference": f"Q{hour}", "firstNames": "Ada", "lastName": "Byron"}
        await done(client, "upsertCandidate", **person)
        start = f"2035-03-05T{hour:02}:00:00Z"
        event = {"centre": {"reference": "C1"}, "start": start, "examDurationInMinutes": 60}
        made = await done(client, "createEvent", "event { id }", **event, room=place)
        booking = {"candidate": {"reference": f"Q{hour}"}, "event": made["event"]}
        bookings.append(await done(client, "bookEnrolment", "enrolment { id }", **booking))
    extra = {"type": "EXTRA_TIME", "timeExtensionMinutes": 30}
    booked = bookings[0]["enrolment"]["id"]
    await done(client, "grantAccommodation", bookingId=booked, accommodation=extra)
