"""One valid input of every mutation, and every value inside an input, found by its type.

The walk knows the schema and no mutation; so what is added to the schema is tested with the rest.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    ast_from_value,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    print_ast,
)
from graphql.type import GraphQLInputType, GraphQLList, GraphQLNonNull

from resolvers.identity import parse_global_id
from resolvers.storage import utc_now
from tests.end_to_end.clients import Client

T = TypeVar("T")

ERRORS = """
    __typename code message path httpStatus
    ... on InputError { fieldName minLength maxLength allowedValues }
    ... on NotFoundError { objectType identifier }
    ... on CapacityError { capacity taken }
    ... on ConflictError { conflicting { id } }
    ... on StateError { currentStatus eventStatus currentVersion allowedActions }
    ... on PolicyError { setting deadline }
    ... on PermissionError { required missingScope }
"""


def mutation(name: str, selection: str = "") -> str:
    """A document that carries out one mutation with `$input`, and asks for all of its errors."""
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{
        {name}(input: $input) {{ {selection} errors {{ {ERRORS} }} }}
    }}"""


class Examples:
    """A valid input of every mutation, about objects that were made with those before it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.of: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, str] = {}

    @classmethod
    async def made(cls, client: Client) -> "Examples":
        examples = cls(client)
        await examples._make_reference_data()
        await examples._make_bookings()
        return examples

    async def _make(self, name: str, field: str, /, **input: Any) -> str:
        """Carry out an example, and keep it and what it made."""
        self.of[name] = input
        payload = await self._client.ask(mutation(name, f"{field} {{ id }}"), input=input)
        assert payload["errors"] == [], payload
        id = self.ids[field] = payload[field]["id"]
        return str(id)

    async def _make_reference_data(self) -> None:
        await self._make("upsertSubject", "subject", reference="S1", name="Medicine")
        await self._make("upsertModule", "module", reference="M1", name="Anatomy")
        await self._make("upsertDepartment", "department", name="Arts")
        centre = {"reference": "C1", "name": "York", "timeZone": "Europe/London"}
        await self._make("upsertCentre", "centre", **centre)
        room = {"centre": {"reference": "C1"}, "name": "Hall", "capacity": 100}
        await self._make("upsertRoom", "room", **room)
        forms = [{"code": "F1", "name": "One"}, {"code": "F2", "name": "Two"}]
        test = {"reference": "T1", "name": "Bones", "durationMinutes": 90, "forms": forms}
        await self._make("upsertTest", "test", **test)
        person = {"reference": "P1", "firstNames": "Ada", "lastName": "Byron"}
        await self._make("upsertCandidate", "candidate", **person)
        await self._make("upsertUser", "user", reference="U1", name="Cleo", role="MARKER")
        self.of["updateSettings"] = {}
        await self._make("upsertAgentOffice", "agentOffice", code="2983", name="X", agency="A")
        course = {"code": "C92", "kind": "COURSE", "name": "General English"}
        await self._make("upsertProduct", "product", **course)
        offer = {"product": {"reference": "C92"}, "centre": {"reference": "C1"}}
        self.of["offerProduct"] = {**offer, "startDates": ["2030-01-07"], "capacity": 3}
        await self._client.ask(mutation("offerProduct"), input=self.of["offerProduct"])

    async def _make_bookings(self) -> None:
        place = {"centre": {"reference": "C1"}, "room": {"id": self.ids["room"]}}
        events = [
            await self._make(
                "createEvent", "event", start=in_days(days), title=f"Sitting {days}", **place
            )
            for days in (3, 5, 7)
        ]
        candidate = {"reference": "P1"}
        bookings = [
            await self._make("bookEnrolment", "enrolment", candidate=candidate, event={"id": event})
            for event in events[1:]
        ]
        self.of["bookEnrolment"] = {"candidate": candidate, "event": {"id": events[0]}}
        self.of["updateEvent"] = self.of["cancelEvent"] = {"eventId": events[0]}
        self.of["cancelEvent"] = {"eventId": events[0], "message": "Snow"}
        self.of["moveEnrolment"] = {"enrolmentId": bookings[0], "toEvent": {"id": events[0]}}
        self.of["cancelBooking"] = {"bookingId": bookings[0], "reason": "ILLNESS"}
        self.of["cancelBookings"] = {"bookingIds": bookings, "reason": "ILLNESS"}
        self.of["assignResults"] = {"results": [{"enrolmentId": bookings[0], "result": "PASS"}]}
        granted = {"type": "EXTRA_TIME", "timeExtensionMinutes": 10}
        self.of["grantAccommodation"] = {"bookingId": bookings[0], "accommodation": granted}
        self.of["revokeAccommodation"] = {"bookingId": bookings[0], "type": "EXTRA_TIME"}
        payment = await self._client.ask(
            "query ($id: ID!) { booking(id: $id) { payment { id reference } } }", id=bookings[0]
        )
        paid = {"paymentReference": payment["payment"]["reference"], "status": "PAID"}
        self.of["recordPayment"] = paid
        self.ids["payment"] = payment["payment"]["id"]
        await self._make_registration()
        await self._make_test_schedule()
        await self._make_course()
        await self._make_notification()

    async def _make_notification(self) -> None:
        """An endpoint, and an event that is told to it."""
        told = {"topics": ["EVENT_CREATED"], "channel": "HTTP_JSON", "url": "https://example.org/"}
        endpoint = await self._make("registerNotification", "endpoint", **told)
        self.ids["notificationEndpoint"] = self.ids.pop("endpoint")
        await self._client.ask(mutation("createEvent"), input={"title": "Told"})
        [known] = await self._client.ask(
            "{ notificationEndpoints { deliveries { nodes { id } } } }",
        )
        self.of["rotateNotificationKey"] = self.of["removeNotification"] = {"endpointId": endpoint}
        self.of["redeliver"] = {"deliveryId": known["deliveries"]["nodes"][0]["id"]}

    async def _make_course(self) -> None:
        country, stay = "ES", {"dateFrom": "2030-01-07", "numberOfWeeks": 3}
        student = {
            "firstNames": "Bobby",
            "lastName": "Smith",
            "passportIssuingCountry": country,
            "dateOfBirth": "1993-02-20",
            "gender": "MALE",
            "countryOfBirth": country,
            "nationality": country,
            "address": {"country": country},
        }
        submitted = {
            "agentBookingId": "X8347848",
            "agentOfficeCode": "2983",
            "agentContact": {"firstNames": "Anna", "lastName": "P", "email": "a@example.org"},
            "schoolCode": "C1",
            "student": student,
            "courses": [{"code": "C92", **stay}],
            "lodging": [{"code": "A78", **stay}],
            "optionalExtras": [{"code": "E33", "quantity": 1}],
            "airportTransfers": [{"code": "TRN88"}],
            "specialRequirements": {"allergies": "Nuts"},
            "homestayPreferences": {
                "smoking": "NON_SMOKING",
                "pets": "NO_PETS",
                "children": "NO_PREFERENCE",
                "vegetarianMeals": False,
            },
        }
        await self._make("bookAgentBooking", "agentBooking", **submitted)

    async def _make_registration(self) -> None:
        person = {"reference": "P2", "firstNames": "Cy", "lastName": "Cole"}
        await self._client.ask(mutation("upsertCandidate"), input=person)
        centre = str(must(parse_global_id(self.ids["centre"]))[1])
        texts = {
            name: name[5:] for name in ("eventExamType", "eventExamFormat", "eventBillingCode")
        }

        def asked(days: int) -> dict[str, Any]:
            lax = {"centre": centre, "eventStart": in_days(days), **texts}
            return {"target": {"lax": lax}, "candidate": {"reference": "P2"}}

        first = {"registration": str(uuid4()), "testForm": "F1", **asked(11)}
        registration = await self._make("bookRegistration", "registration", **first)
        self.of["bookRegistration"] = {**first, "registration": str(uuid4()), **asked(13)}
        by_id = {"registrationId": registration}
        self.of["transferRegistration"] = {**by_id, **asked(15), "message": "Snow"}
        self.of["changeAssessment"] = {**by_id, "testForm": "F2"}
        self.of["deleteRegistration"] = by_id

    async def _make_test_schedule(self) -> None:
        """One that is open now, whatever the time of day."""
        asked = {
            "test": {"reference": "T1"},
            "centre": {"reference": "C1"},
            "candidate": {"reference": "P1"},
            "startDate": in_days(-1)[:10],
            "endDate": in_days(3)[:10],
            "startTime": "00:00",
            "endTime": "23:59:59",
            "allowMultipleOpenSessions": True,
            "autoSyncCentreSubject": True,
        }
        schedule = await self._make("bookTestSchedule", "testSchedule", **asked)
        self.of["moveTestSchedule"] = {"testScheduleId": schedule, "endDate": in_days(5)[:10]}
        self.of["deleteTestSchedule"] = {"testSchedule": {"id": schedule}}
        self.of["recordSession"] = {"testSchedule": {"id": schedule}, "state": "STARTED"}


def in_days(days: int) -> str:
    return (utc_now() + timedelta(days=days)).strftime("%Y-%m-%dT10:00:00Z")


@dataclass(frozen=True)
class Place:
    """Where a value is inside of an input; `*` stands for the one element of a list."""

    path: tuple[str, ...]
    type: GraphQLNamedType
    names: frozenset[str]
    """The fields of which a complaint must name one: its own, or that of the reference it is in."""
    optional: bool = False
    """Whether the field can be left out; an empty text then counts as null."""

    def put(self, given: Mapping[str, Any], kind: GraphQLInputType, value: Any) -> Any:
        """The input with this value in this place, and what it needs around it."""
        return _put(deepcopy(dict(given)), kind, self.path, value)


def places(
    kind: GraphQLInputType,
    path: tuple[str, ...] = (),
    names: frozenset[str] = frozenset(),
    inside: tuple[str, ...] = (),
    *,
    optional: bool = False,
) -> Iterator[Place]:
    """Every place of a scalar or an enum, an input inside of itself only once."""
    match kind:
        case GraphQLNonNull():
            yield from places(kind.of_type, path, names, inside)
        case GraphQLList():
            yield from places(kind.of_type, (*path, "*"), names, inside)
        case GraphQLInputObjectType():
            if kind.name in inside:
                return
            above = names if kind.is_one_of or kind.name == "ExternalIdInput" else frozenset()
            for name, field in kind.fields.items():
                deeper = (*path, name), above | {name}, (*inside, kind.name)
                yield from places(field.type, *deeper, optional=not kind.is_one_of)
        case _:
            yield Place(path, kind, names, optional)


def lists(
    kind: GraphQLInputType,
    path: tuple[str, ...] = (),
    names: frozenset[str] = frozenset(),
    inside: tuple[str, ...] = (),
) -> Iterator[tuple[Place, GraphQLInputType]]:
    """Every place of a list, with the type of its elements."""
    match kind:
        case GraphQLNonNull():
            yield from lists(kind.of_type, path, names, inside)
        case GraphQLList():
            yield Place(path, get_named_type(kind), names), kind.of_type
            yield from lists(kind.of_type, (*path, "*"), names, inside)
        case GraphQLInputObjectType() if kind.name not in inside:
            for name, field in kind.fields.items():
                yield from lists(field.type, (*path, name), frozenset({name}), (*inside, kind.name))


def _put(given: Any, kind: GraphQLInputType, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    match kind:
        case GraphQLNonNull():
            return _put(given, kind.of_type, path, value)
        case GraphQLList():
            first = given[0] if isinstance(given, list) and given else None
            return [_put(first, kind.of_type, path[1:], value)]
        case GraphQLInputObjectType():
            made = {} if given is None else given
            if kind.is_one_of:
                made = {name: one for name, one in made.items() if name == path[0]}
            else:
                made = {**required(kind), **made}
            field = kind.fields[path[0]]
            return {**made, path[0]: _put(made.get(path[0]), field.type, path[1:], value)}
    raise AssertionError(kind)


def required(kind: GraphQLInputObjectType, n: int | None = None) -> dict[str, Any]:
    """What an input cannot be without."""
    return {
        name: sample(field.type, n)
        for name, field in kind.fields.items()
        if is_required_input_field(field)
    }


SAMPLES: dict[str, Any] = {
    "String": "text",
    "ID": "text",
    "Int": 1,
    "Float": 1.5,
    "Boolean": True,
    "Decimal": "1.50",
    "CurrencyCode": "GBP",
    "CountryCode": "GB",
    "LanguageTag": "en",
    "TimeZone": "Europe/London",
    "Date": "2030-01-01",
    "Time": "10:00",
    "DateTime": "2030-01-01T10:00:00Z",
    "LocalDateTime": "2030-01-01T10:00:00",
    "UUID": "00000000-0000-4000-8000-000000000000",
    "URL": "https://example.org",
    "EmailAddress": "ada@example.org",
    "JSON": {},
}
"""A valid value of each scalar."""


def sample(kind: GraphQLInputType, n: int | None = None) -> Any:
    """A valid value of a type, as far as its type can tell; its texts end with `n`."""
    match kind:
        case GraphQLNonNull():
            return sample(kind.of_type, n)
        case GraphQLList():
            return [sample(kind.of_type, n)]
        case GraphQLInputObjectType():
            if kind.is_one_of:
                name, field = next(iter(kind.fields.items()))
                return {name: sample(field.type, n)}
            return required(kind, n)
        case GraphQLEnumType():
            return next(iter(kind.values))
    name = get_named_type(kind).name
    value = SAMPLES[name]
    if n is None:
        return value
    if name == "Date":
        return (date.fromisoformat(value) + timedelta(days=n)).isoformat()
    if name == "UUID":
        return f"{value[:-12]}{n:012}"
    if name == "LanguageTag":
        return f"{value}-{n:05}"
    return f"{value}{n}" if value == "text" else value


def mutations(schema: GraphQLSchema) -> dict[str, GraphQLInputType]:
    """The input of each mutation."""
    assert schema.mutation_type is not None
    return {name: field.args["input"].type for name, field in schema.mutation_type.fields.items()}


def arguments(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLInputType]]:
    """Every argument of every query, with a document that passes on a variable of that name."""
    assert schema.query_type is not None
    for name, field in schema.query_type.fields.items():
        selection = "{ __typename }" if is_composite_type(get_named_type(field.type)) else ""
        for chosen, argument in field.args.items():
            others = [
                f"{other}: {literal(sample(given.type), given.type)}"
                for other, given in field.args.items()
                if other != chosen and is_required_argument(given)
            ]
            passed = ", ".join([f"{chosen}: ${chosen}", *others])
            document = f"query (${chosen}: {argument.type}) {{ {name}({passed}) {selection} }}"
            yield chosen, document, argument.type


def literal(value: Any, kind: GraphQLInputType) -> str:
    """A sample as a document has it; graphql-core writes no scalar that is not a string."""
    if isinstance(value, str) and not isinstance(get_named_type(kind), GraphQLEnumType):
        return json.dumps(value)
    return print_ast(must(ast_from_value(value, kind)))


def must(value: T | None) -> T:
    assert value is not None
    return value
