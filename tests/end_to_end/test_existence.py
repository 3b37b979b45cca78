"""What a caller cannot see does not differ from what does not exist, wherever it can be named.

The walk finds every reference in the schema by its type: global ids, `RefInput`, `TestScheduleRef`
and the UUIDs of REFERENCES. A new argument of such a type is tested without further work; a new
UUID or code has to be entered in one of the tables below.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)
from graphql.type import GraphQLInputType

from resolvers.identity import global_id, parse_global_id
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage
from tests.end_to_end.clients import Client, socket_to
from tests.end_to_end.conftest import ClientAs
from tests.end_to_end.inputs import (
    Examples,
    Place,
    literal,
    must,
    mutation,
    mutations,
    places,
    sample,
)
from tests.end_to_end.servers import Server

REFERENCES: Final = {"paymentReference", "centre", "identifier"}
"""UUIDs that name an object. `identifier` is one in queries; events take their own in mutations."""

VALUES: Final = {
    *("organization", "user", "proxy"),  # what a caller says about itself, only recorded
    *("groupIdentifiers", "learnerRegistrationGroupIdentifier"),  # compared, never looked up
    *("venueOfficeIdentifier", "venueCoordinatorIdentifier"),  # of Shift iQ, only kept
    "venueIdentifier",  # the same
    *("achievementIdentifier", "mandatorySurveyFormIdentifier", "organizationIdentifier"),
    "registration",  # the caller's own new UUID: that it is taken cannot be hidden
}
"""UUIDs that name nothing here."""

CODES: Final = {
    *("reference", "keycode"),  # of RefInput and TestScheduleRef, which are tested; of upserts, own
    *("code", "agentBookingId"),  # the object's own: that it is taken cannot be hidden
    "schoolCode",  # open
    "agentOfficeCode",  # tests/resolvers/agent_bookings/test_validating.py
    "candidateReference",  # a filter of bookings that are visible
    *("billingCode", "eventBillingCode", "classCode", "postalCode", "returnShipmentCode"),
    "distributionCode",
    "duplicateReference",  # a payment provider's, only compared with the payment that was found
    *("providerReference", "idempotencyKey"),
}
"""Strings that are named like references, and why each is not tried below or need not be."""

NAMED_LIKE_A_REFERENCE: Final = re.compile(r"(?i)(code|id|ids|identifier|reference|key)$")

THERE: Final = {
    "C1": "C9",
    "T1": "T9",
    "P1": "P9",
    "P2": "P8",
    "U1": "U9",
    "S1": "S9",
    "M1": "M9",
    "2983": "9983",
    "C92": "C99",
    "X8347848": "X9",
    "Arts": "Arts 9",
    "Hall": "Hall 9",
    "F1": "F9",
    "F2": "F8",
}
"""What the objects of another centre are called."""

ABROAD: Final = {name: other.replace("9", "7") for name, other in THERE.items()}
"""What the objects of another organization are called."""


POWERLESS: Final = re.compile(r'"code":"FORBIDDEN"[^}]*"missingScope":null')
"""In the answer to a caller who lacks the permission."""


class Renaming:
    """A client that calls the objects of the examples otherwise."""

    def __init__(self, client: Client, names: Mapping[str, str]) -> None:
        self._client, self._names = client, names

    async def ask(self, document: str, /, **variables: Any) -> Any:
        return await self._client.ask(document, **self._renamed(variables))

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._renamed(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._renamed(one) for one in value]
        return self._names.get(value, value) if isinstance(value, str) else value


class Elsewhere(Examples):
    """The same examples beside others, whose deliveries are to be told apart."""

    async def _make_notification(self) -> None:
        told = {"topics": ["EVENT_CREATED"], "channel": "HTTP_JSON", "url": "https://example.org/"}
        await self._make("registerNotification", "endpoint", **told)
        self.ids["notificationEndpoint"] = self.ids.pop("endpoint")
        await self._client.ask(mutation("createEvent"), input={"title": "Told"})
        known = await self._client.ask(
            "{ notificationEndpoints { id deliveries { nodes { id } } } }"
        )
        [own] = [one for one in known if one["id"] == self.ids["notificationEndpoint"]]
        self.ids["delivery"] = own["deliveries"]["nodes"][0]["id"]


DETAILS = """query ($id: ID!) { node(id: $id) {
    ... on Sourced { externalIds { system kind value } }
    ... on Candidate { reference } ... on Centre { reference } ... on Test { reference }
    ... on Subject { reference } ... on Module { reference } ... on User { reference }
    ... on AgentOffice { code } ... on Product { code } ... on Event { identifier }
    ... on Room { name } ... on TestSchedule { keycode } ... on Registration { identifier }
    ... on Payment { paymentReference: reference }
} }"""


@dataclass
class Named:
    """An object, and everything by which a caller can name it."""

    id: str
    reference: str | None = None
    external: dict[str, str] | None = None
    uuids: list[str] = field(default_factory=list)

    @property
    def type(self) -> str:
        return must(parse_global_id(self.id))[0]

    @classmethod
    async def of(cls, client: Client, id: str) -> "Named":
        details = await client.ask(DETAILS, id=id) or {}
        named = cls(id)
        for name in ("reference", "code", "keycode", "name"):
            named.reference = named.reference or details.get(name)
        if named.type == "Event":
            named.reference = details["identifier"]
        named.external = next(iter(details.get("externalIds") or ()), None)
        own = (details.get(name) for name in ("identifier", "paymentReference"))
        named.uuids = [str(must(parse_global_id(id))[1]), *(one for one in own if one)]
        return named

    def missing(self) -> "Named":
        """The same names of nothing."""
        external = None if self.external is None else {**self.external, "value": str(uuid4())}
        reference = None if self.reference is None else "NOBODY"
        if self.type == "Event":
            reference = str(uuid4())
        key = uuid4()
        uuids = [str(key), *(str(uuid4()) for _ in self.uuids[1:])]
        return Named(global_id(self.type, key), reference, external, uuids)

    def ways(self, kind: str) -> Iterator[Any]:
        """The values by which a place of that type names the object."""
        match kind:
            case "ID":
                yield self.id
            case "UUID":
                yield from self.uuids
            case "TestScheduleRef":
                yield {"id": self.id}
                yield {"keycode": self.reference or "AAAA9999"}
            case "RefInput":
                yield {"id": self.id}
                if self.reference is not None:
                    yield {"reference": self.reference}
                if self.external is not None:
                    yield {"external": self.external}

    def taken_out(self, text: str) -> str:
        """An answer without what it repeats of the caller's own input."""
        external = "/".join((self.external or {"": ""}).values())
        for own in (self.id, *self.uuids, external, self.reference):
            text = text.replace(own, "ASKED") if own else text
        return text


@dataclass(frozen=True)
class Asked:
    """A place of a reference, and the document that it is sent with."""

    name: str
    document: str
    variable: str
    place: Place
    kind: GraphQLInputType
    given: Mapping[str, Any] | None

    @property
    def title(self) -> str:
        return f"{self.name}({'.'.join((self.variable, *self.place.path))})"

    def variables(self, value: Any) -> dict[str, Any]:
        return {self.variable: self.place.put(self.given or {}, self.kind, value)}


def references(
    kind: GraphQLInputType, path: tuple[str, ...] = (), inside: tuple[str, ...] = ()
) -> Iterator[Place]:
    """Every place of a reference. An external id on its own is a claim, which names nothing."""
    match kind:
        case GraphQLNonNull():
            yield from references(kind.of_type, path, inside)
        case GraphQLList():
            yield from references(kind.of_type, (*path, "*"), inside)
        case GraphQLInputObjectType() if kind.name in {"RefInput", "TestScheduleRef"}:
            yield Place(path, kind, frozenset())
        case GraphQLInputObjectType() if kind.name not in {*inside, "ExternalIdInput"}:
            for name, one in kind.fields.items():
                yield from references(one.type, (*path, name), (*inside, kind.name))
        case _:
            name = next((name for name in reversed(path) if name not in {"*", "eq", "in"}), None)
            named = kind.name == "UUID" and (name is None or name in REFERENCES)  # type: ignore[union-attr]
            if kind.name == "ID" or (named and path != ("identifier",)):  # type: ignore[union-attr]
                yield Place(path, get_named_type(kind), frozenset())


def of_mutations(schema: GraphQLSchema, examples: Examples) -> Iterator[Asked]:
    for name, kind in mutations(schema).items():
        for place in references(kind):
            yield Asked(name, mutation(name), "input", place, kind, examples.of[name])


def of_fields(schema: GraphQLSchema, examples: Examples) -> Iterator[Asked]:
    """Those of the queries and of all other fields with arguments; each type of filter once."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name in {"Mutation", "Subscription"}:
            continue
        for name, one in kind.fields.items():
            for variable, argument in one.args.items():
                for place in references(argument.type):
                    filtered = isinstance(get_named_type(argument.type), GraphQLInputObjectType)
                    once = (str(argument.type), place.path)
                    if filtered and variable == "filter" and once in seen:
                        continue
                    seen.add(once)
                    document = _document(kind, name, one, variable, examples)
                    title = f"{kind.name}.{name}"
                    yield Asked(title, document, variable, place, argument.type, None)


def _document(
    kind: GraphQLObjectType, name: str, one: GraphQLField, variable: str, examples: Examples
) -> str:
    """A document that asks a field of a root, or of an object that the examples have made."""
    others = [
        f"{other}: {literal(sample(given.type), given.type)}"
        for other, given in one.args.items()
        if other != variable and is_required_argument(given)
    ]
    result = get_named_type(one.type)
    shown = ""
    if is_composite_type(result):
        fields = getattr(result, "fields", {})
        counted = "totalCount nodes { __typename }" if "totalCount" in fields else "__typename"
        shown = f"{{ {counted} }}"
    asked = f"{name}({', '.join([f'{variable}: ${variable}', *others])}) {shown}"
    if kind.name != "Query":
        id = examples.ids[kind.name[0].lower() + kind.name[1:]]
        asked = f'node(id: "{id}") {{ ... on {kind.name} {{ {asked} }} }}'
    return f"query (${variable}: {one.args[variable].type}) {{ {asked} }}"


async def types_at(client: Client, asked: Asked) -> set[str] | None:
    """The types whose ids a place takes, as the refusal of another type's id names them."""
    wrong = global_id("Nothing", uuid4())
    value: Any = wrong if asked.place.type.name == "ID" else {"id": wrong}
    if asked.place.type.name == "UUID":
        return None
    text = (await client.answer(asked.document, **asked.variables(value))).text
    found = re.search(r"(?:not|global id of an?) ([A-Z]\w+(?: or [A-Z]\w+)*)\b", text)
    return set(found[1].split(" or ")) if found else None


@dataclass
class World:
    """Viewers of one centre, and what each of them cannot see."""

    here: Examples
    admin: Client
    viewers: dict[str, Client]
    hidden: dict[str, list[Named]]


@pytest.fixture
async def world(client: Client, client_as: ClientAs, examples: Examples, storage: Storage) -> World:
    there = await Elsewhere.made(Renaming(client, THERE))  # type: ignore[arg-type]
    known = {"system": "SHIFT_IQ_V1", "kind": "learner", "value": str(uuid4())}
    person = {"reference": "P9", "firstNames": "Ada", "lastName": "Byron", "externalIds": [known]}
    await client.ask(mutation("upsertCandidate"), input=person)
    made = MakeOrganization(name="Southfield", time_zone="Europe/London", currency="GBP")
    [outcome] = await storage.write(make_organization, [made])
    assert isinstance(outcome, Outcome)
    stranger = await client_as(organization_id=outcome.subject)
    abroad = await Elsewhere.made(Renaming(stranger, ABROAD))  # type: ignore[arg-type]
    [form] = (await stranger.ask('{ test(ref: {reference: "T7"}) { forms { id } } }'))["forms"][:1]
    abroad.ids["testForm"] = form["id"]
    elsewhere = [await Named.of(client, id) for id in there.ids.values()]
    strange = [await Named.of(stranger, id) for id in abroad.ids.values()]
    viewers = {"admin": client, **await _viewers(client, client_as, examples)}
    hidden = {
        name: [
            *[one for one in elsewhere if await viewer.ask(DETAILS, id=one.id) is None],
            *(strange if name == "admin" else ()),
        ]
        for name, viewer in viewers.items()
    }
    return World(examples, client, viewers, hidden)


async def _viewers(client: Client, client_as: ClientAs, here: Examples) -> dict[str, Client]:
    """Users of every role, with what they are associated with here."""
    ids = here.ids
    of_role: dict[str, dict[str, Any]] = {
        "SCHEDULER": {"centreIds": [ids["centre"]], "subjectIds": [ids["subject"]]},
        "CENTRE_STAFF": {"centreIds": [ids["centre"]]},
        "INVIGILATOR": {"centreIds": [ids["centre"]]},
        "MARKER": {"subjectIds": [ids["subject"]]},
        "AGENT": {"agentOfficeIds": [ids["agentOffice"]]},
        "CANDIDATE": {"candidate": {"reference": "P1"}},
    }
    viewers = {}
    for role, associated in of_role.items():
        user = {"reference": role, "name": role, "role": role, **associated}
        payload = await client.ask(mutation("upsertUser", "user { id }"), input=user)
        key = must(parse_global_id(payload["user"]["id"]))[1]
        viewers[role] = await client_as(role=role.lower().replace("_", "-"), user_id=key)
    return viewers


async def differences(client: Client, asked: Asked, one: Named) -> tuple[list[str], str]:
    """Where the answers differ for an object and for none, and the answer for none."""
    told, answer = [], ""
    nothing = one.missing()
    kind = asked.place.type.name
    for value, none in zip(one.ways(kind), nothing.ways(kind), strict=True):
        absent = await client.answer(asked.document, **asked.variables(none))
        present = await client.answer(asked.document, **asked.variables(value))
        answer = absent.text
        answers = (nothing.taken_out(answer), one.taken_out(present.text))
        if answers[0] != answers[1] or absent.status_code != present.status_code:
            told.append(f"{asked.title} {value}:\n  none: {answers[0]}\n  one:  {answers[1]}")
    return told, answer


async def all_differences(world: World, asked_for: Iterable[Asked]) -> tuple[list[str], set[str]]:
    """Where any viewer's answers differ, and which places were looked up for one of them."""
    told: list[str] = []
    reached: set[str] = set()
    powerless: set[tuple[str, str]] = set()
    for asked in asked_for:
        types = await types_at(world.admin, asked)
        for name, viewer in world.viewers.items():
            for one in world.hidden[name]:
                if (types is not None and one.type not in types) or (name, asked.name) in powerless:
                    continue
                different, answer = await differences(viewer, asked, one)
                told += [f"{name}: {difference}" for difference in different]
                if "NOT_FOUND" in answer:
                    reached.add(asked.title)
                if POWERLESS.search(answer):
                    # tests/schema/test_missing_permission.py: whatever the input is
                    powerless.add((name, asked.name))
    return told, reached


async def test_every_reference(
    world: World, schema: strawberry.Schema, server: Server, token: str
) -> None:
    """The answer about an object that the caller cannot see is the answer about none.

    For every reference of every mutation, each of which is looked up for one of the viewers at
    least, and for the arguments and filters of all fields.
    """
    asked_for = list(of_mutations(schema._schema, world.here))
    told, reached = await all_differences(world, asked_for)
    assert not told, "\n".join(told)
    assert {asked.title for asked in asked_for} - reached == set(), "never looked up"

    told, _ = await all_differences(world, of_fields(schema._schema, world.here))
    assert not told, "\n".join(told)

    [event] = [one for one in world.hidden["admin"] if one.type == "Event"]
    messages = []
    async with socket_to(server.host, token) as socket:
        for n, id in enumerate((event.id, event.missing().id)):
            document = "subscription ($ids: [ID!]!) { seatsChanged(eventIds: $ids) { cursor } }"
            await socket.subscribe(document, operation=str(n), ids=[id])
            messages.append({**await socket.message(str(n)), "id": None})
    assert messages[0] == messages[1]


def test_subscriptions_name_objects_as_queries_do(schema: strawberry.Schema) -> None:
    """A filter of a subscription is one of a query; the rest is tried above."""
    subscription = must(schema._schema.subscription_type)
    in_queries = {
        str(argument.type)
        for one in must(schema._schema.query_type).fields.values()
        for argument in one.args.values()
    }
    others = {
        f"{name}.{variable}"
        for name, one in subscription.fields.items()
        for variable, argument in one.args.items()
        if str(argument.type) not in in_queries and list(references(argument.type))
    }

    assert others <= {"seatsChanged.eventIds"}, "try the new one in test_every_reference"


def test_what_looks_like_a_reference_is_known(schema: strawberry.Schema) -> None:
    """A new UUID or code is tried by these tests, or a table says why it need not be."""
    found = {}
    kinds = [*mutations(schema._schema).values()]
    kinds += [
        argument.type
        for one in must(schema._schema.query_type).fields.values()
        for argument in one.args.values()
    ]
    for kind in kinds:
        for place in places(kind):
            path = [name for name in place.path if name not in {"*", "eq", "in"}]
            if path:
                found[path[-1]] = place.type.name
    uuids = {name for name, kind in found.items() if kind == "UUID"}
    assert uuids <= REFERENCES | VALUES, "enter the new UUID in REFERENCES or in VALUES"
    codes = {
        n for n, kind in found.items() if kind == "String" and NAMED_LIKE_A_REFERENCE.search(n)
    }
    assert codes <= CODES, "try the new code as a reference, or enter it in CODES with the reason"
