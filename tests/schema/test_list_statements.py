"""The number of a mutation's statements does not grow with its input lists."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import (
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
    is_required_argument,
)

import tests.schema.test_agent_bookings as agent_bookings
import tests.schema.test_test_schedules as test_schedules
from resolvers.enrolments.booking import book
from resolvers.identity import global_id
from resolvers.outcomes import Outcome
from resolvers.storage import Read, Storage
from resolvers.viewer import Viewer
from tests.conftest import DATABASES, SettableClock
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document
from tests.plan.failing import replaced
from tests.resolvers.asking import Statements
from tests.resolvers.world import World as Bookings

EXECUTORS = pytest.mark.parametrize(
    ("database", "executor"),
    [*((database, "plans") for database in DATABASES), ("sqlite", "graphql-core")],
    scope="session",
)
"""On one of the databases, only plans join tables."""

FEW, MANY = 2, 50
DEPTH = 3

OBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "upsertUser": ("reference", {"name": "A", "email": "a@example.org", "role": "SCHEDULER"}),
    "upsertCandidate": ("reference", {"firstNames": "A", "lastName": "B"}),
    "upsertDepartment": ("name", {}),
    "upsertCentre": ("reference", {"name": "A", "timeZone": "Europe/London"}),
    "upsertRoom": ("name", {"centre": {"reference": "C1"}, "capacity": 9}),
    "upsertSubject": ("reference", {"name": "A"}),
    "upsertModule": ("reference", {"name": "A"}),
    "upsertTest": ("reference", {"name": "A", "durationMinutes": 60}),
    "upsertAgentOffice": ("code", {"name": "A", "agency": "A"}),
    "upsertProduct": ("code", {"name": "A", "kind": "COURSE"}),
    "createEvent": ("title", {}),
}
"""How the mutation's object is identified, and what else it requires."""

Path = tuple[str, str]


def list_paths(schema: Any) -> set[Path]:
    """Return each mutation with the path of each input list, except lists of enum values."""
    return {
        (name, path)
        for name, field in schema.mutation_type.fields.items()
        for argument in field.args.values()
        for path in _lists_in(get_named_type(argument.type), ())
    }


def _lists_in(kind: Any, within: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(kind, GraphQLInputObjectType):
        return
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if is_list_type(get_nullable_type(field.type)) and not is_enum_type(inner):
            yield ".".join((*within, name))
        yield from _lists_in(inner, (*within, name))


def selection(kind: Any, depth: int = DEPTH) -> str:
    """Return a selection of the fields without arguments, to a limited depth."""
    fields = ["__typename"]
    for name, field in kind.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inner = get_named_type(field.type)
        if not hasattr(inner, "fields"):
            fields.append(name)
        elif depth > 1:
            fields.append(f"{name} {selection(inner, depth - 1)}")
    return "{ " + " ".join(fields) + " }"


@dataclass
class Recipes:
    """Builds inputs with lists of any length, with new elements each time."""

    made: Callable[..., Awaitable[str]]
    world: Any
    bookings: Bookings
    clock: SettableClock
    numbers: Iterator[int]

    async def input(self, mutation: str, path: str, size: int) -> dict[str, Any]:
        """Return an input with this number of elements in the list at the path."""
        match mutation, path:
            case "cancelBookings", _:
                return await self._cancelling(size)
            case "assignResults", _:
                return await self._results(size)
            case "bookRegistration", "accommodations":
                terms = [{"type": f"t{n}", "timeExtensionMinutes": 1} for n in range(size)]
                return {**await self._registration(), "accommodations": terms}
            case "bookTestSchedule", "testTags":
                candidate = {"id": await self._object("upsertCandidate")}
                tags = [f"t{n}" for n in range(size)]
                given = test_schedules.given(self.world, candidate=candidate, testTags=tags)
                return {**given, "autoSyncCentreSubject": True}
            case "bookAgentBooking", _:
                [one] = agent_bookings.SAMPLE[path]  # type: ignore[misc]
                own = {"agentBookingId": f"X{next(self.numbers)}", "student": self._student()}
                return {**agent_bookings.SAMPLE, **own, path: [one] * size}
            case "offerProduct", _:
                days = [str(date(2027, 3, 1) + timedelta(days=n)) for n in range(size)]
                product = {"id": await self._object("upsertProduct")}
                return {"product": product, "centre": {"id": self.world.centre}, path: days}
            case "updateEvent", "modules":
                event = await self._object("createEvent")
                return {"eventId": event, path: await self._elements(path, size)}
            case "updateSettings", _:
                return {path: [f"{path}{next(self.numbers)}" for _ in range(size)]}
            case "upsertTest", "forms.externalIds":
                form = {"code": "F1", "name": "A"}
                ids = await self._elements("externalIds", size)
                return {**self._named(mutation), "forms": [{**form, "externalIds": ids}]}
        return {**self._named(mutation), path: await self._elements(path, size)}

    def _named(self, mutation: str) -> dict[str, Any]:
        name, rest = OBJECTS[mutation]
        return {**rest, name: f"N{next(self.numbers)}"}

    async def _object(self, mutation: str) -> str:
        kind = mutation.removeprefix("upsert").removeprefix("create")
        field = kind[0].lower() + kind[1:]
        return await self.made(mutation, field, **self._named(mutation))

    async def _elements(self, name: str, size: int) -> list[Any]:
        match name:
            case "externalIds":
                given = {"system": "SHIFT_IQ_V1", "kind": "venue"}
                return [{**given, "value": f"v{next(self.numbers)}"} for _ in range(size)]
            case "groupIdentifiers":
                return [str(UUID(int=next(self.numbers))) for _ in range(size)]
            case "languages":
                return [one + two for one in "abcde" for two in "abcdefghij"][:size]
            case "forms":
                return [{"code": f"F{n}", "name": "A"} for n in range(size)]
            case "modules":
                return [{"id": await self._object("upsertModule")} for _ in range(size)]
        kind = name.removesuffix("Ids")
        mutation = f"upsert{kind[0].upper()}{kind[1:]}"
        return [await self._object(mutation) for _ in range(size)]

    def _student(self) -> dict[str, Any]:
        student: Any = agent_bookings.SAMPLE["student"]
        return {**student, "passportNumber": f"P{next(self.numbers)}"}

    async def _registration(self) -> dict[str, Any]:
        event = await self.made("createEvent", "event", start="2027-03-01T09:00:00Z")
        candidate = await self._object("upsertCandidate")
        return {"target": {"event": {"id": event}}, "candidate": {"id": candidate}}

    async def _enrolled(self, size: int) -> tuple[list[str], list[str]]:
        """Create candidates and their bookings of an event tomorrow."""
        bookings, number = self.bookings, next(self.numbers)
        centre = await bookings.centre(f"E{number}")
        room = await bookings.room(centre, capacity=MANY)
        event = await bookings.event(centre=centre, room=room)
        people = [await bookings.candidate(f"E{number}-{n}") for n in range(size)]
        commands = [bookings.booking(person, event) for person in people]
        results = await bookings.storage.write(book, commands)
        keys = [result.subject for result in results if isinstance(result, Outcome)]
        assert len(keys) == size
        return (
            [global_id("Candidate", person) for person in people],
            [global_id("Enrolment", key) for key in keys],
        )

    async def _cancelling(self, size: int) -> dict[str, Any]:
        candidates, bookings = await self._enrolled(size)
        return {"bookingIds": bookings, "candidateIds": candidates, "reason": "ILLNESS"}

    async def _results(self, size: int) -> dict[str, Any]:
        _, bookings = await self._enrolled(size)
        self.clock.now += timedelta(days=2)
        return {"results": [{"enrolmentId": id, "result": "PASS"} for id in bookings]}


@contextmanager
def counted(storage: Storage) -> Iterator[Callable[[], int]]:
    """Count the statements of the commands and reads inside the block."""
    written, read = Statements(), []
    real: dict[str, Any] = {name: getattr(storage, name) for name in ("read", "tuples", "write")}

    def noted(name: str) -> Any:
        async def run(asked: Read[Any]) -> Any:
            read.append(asked.shape)
            return await real[name](asked)

        return run

    async def write(run: Any, commands: Any, **options: Any) -> Any:
        return await real["write"](written.of(run), commands, **options)

    with replaced(storage, {"read": noted("read"), "tuples": noted("tuples"), "write": write}):
        yield lambda: sum(written.counts) + len(read)


@pytest.fixture
async def recipes(
    made: Any, world: Any, storage: Storage, viewer: Viewer, clock: SettableClock, office: str
) -> Recipes:
    recipes = Recipes(made, world, Bookings(storage, viewer), clock, count(1))
    await made("upsertTest", "test", reference="T1", name="A", durationMinutes=60)
    # The first bookings reserve a block of numbers.
    await recipes._enrolled(1)
    return recipes


@pytest.fixture
async def office(made: Any, world: Any) -> str:
    """The agent office named in agent bookings."""
    named = {"code": "2983", "name": "Madrid", "agency": "Study Abroad"}
    return str(await made("upsertAgentOffice", "agentOffice", **named))


@EXECUTORS
async def test_statements_do_not_grow_with_a_list(
    schema: strawberry.Schema, storage: Storage, viewer: Viewer, recipes: Recipes, executor: str
) -> None:
    """Fifty elements take as many statements as two, payload included, by plans and by
    graphql-core.
    """
    both = BothWays(schema, storage)
    both.planner.on = executor == "plans"
    mutations: Any = both.schema.mutation_type

    taken = {}
    for mutation, path in sorted(list_paths(both.schema)):
        field = mutations.fields[mutation]
        text = (
            f"mutation ($input: {field.args['input'].type}) "
            f"{{ {mutation}(input: $input) {selection(get_named_type(field.type))} }}"
        )
        needed = []
        for size in (FEW, FEW, MANY):  # repeated, since the first run may fill caches
            asked = Document(text, {"input": await recipes.input(mutation, path, size)})
            with counted(storage) as statements:
                result = await both.executed(asked, viewer)
            assert result.errors is None, (mutation, path, result.errors)
            assert result.data is not None
            assert result.data[mutation]["errors"] == [], (mutation, path, result.data)
            needed.append(statements())
        taken[mutation, path] = needed[1:]

    assert {path: needed for path, needed in taken.items() if needed[0] != needed[1]} == {}
    assert len(taken) > 30
    assert (both.planner.counts.answered > len(taken)) == both.planner.on


CANCEL = """
mutation ($input: CancelBookingsInput!) {
  cancelBookings(input: $input) {
    cancelled { booking { candidate { reference } room { name } event { title centre { name } } } }
    errors { message }
  }
}
"""


@EXECUTORS
async def test_statements_do_not_grow_with_what_cancelled_bookings_show(
    schema: strawberry.Schema, storage: Storage, viewer: Viewer, recipes: Recipes, executor: str
) -> None:
    """Relations of a batch's bookings are read together for all bookings."""
    both = BothWays(schema, storage)
    both.planner.on = executor == "plans"

    needed = []
    for size in (FEW, FEW, MANY):  # repeated, since the first run may fill caches
        asked = Document(CANCEL, {"input": await recipes.input("cancelBookings", "", size)})
        with counted(storage) as statements:
            result = await both.executed(asked, viewer)
        assert result.data is not None
        assert len(result.data["cancelBookings"]["cancelled"]) == size
        needed.append(statements())

    assert needed[1] == needed[2]
