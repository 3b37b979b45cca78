"""`changesCursor`: whatever is committed while an operation reads comes after its cursor."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.export_addresses import ExportAddresses
from gateway.request import GraphQLRequest
from resolvers.identity import global_id
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from schema import build_schema
from schema.grammar.context import Context
from tests.plan.both_ways import BothWays, NoFeed
from tests.resolvers.world import World

ROSTER = """{
    first: changesCursor
    events(first: 5) {
        nodes {
            changesCursor
            enrolments(first: 100) { nodes { id changesCursor } changesCursor }
        }
        changesCursor
    }
}"""
SINCE = """query ($after: String) {
    bookingChanges(first: 100, after: $after) { nodes { booking { id } } }
}"""
UNFOLLOWED = "{ bookings(first: 100) { nodes { id } } }"
FOLLOWED = "{ bookings(first: 100) { nodes { id } at: changesCursor } }"
ONLY = "{ bookings(first: 100) { changesCursor } }"

SCHEMA = build_schema()


class BusyStorage:
    """A storage in which somebody else commits before every read."""

    def __init__(self, storage: Storage, commit: Callable[[], Awaitable[object]]) -> None:
        self._storage = storage
        self._commit = commit
        self.reads = 0

    async def read(self, read: Any) -> Any:
        await self._commit()
        self.reads += 1
        return await self._storage.read(read)

    async def tuples(self, read: Any) -> Any:
        await self._commit()
        self.reads += 1
        return await self._storage.tuples(read)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class Busy:
    """A gateway with an event, in which a candidate books before every read."""

    def __init__(self, world: World, event: Any, candidates: list[Any], *, planned: bool) -> None:
        self.booked: set[str] = set()
        self.order: list[str] = []
        self.storage = BusyStorage(world.storage, self.book)
        self.exports = ExportAddresses("a secret of thirty-two bytes, or more", world.storage.clock)
        self._world, self._event, self._candidates = world, event, iter(candidates)
        self._both = BothWays(SCHEMA, world.storage)
        self._both.planner.on = planned

    async def book(self) -> None:
        booking = await self._world.booked(next(self._candidates), self._event)
        self.booked.add(global_id("Enrolment", booking))
        self.order.append(global_id("Enrolment", booking))

    def next_booking(self) -> dict[str, Any]:
        """The input of the next candidate's booking."""
        return {
            "candidate": {"id": global_id("Candidate", next(self._candidates))},
            "event": {"id": global_id("Event", self._event)},
        }

    async def ask(self, text: str, **variables: Any) -> Any:
        storage: Any = self.storage
        context = Context(
            viewer=self._world.viewer, storage=storage, feed=NoFeed(), exports=self.exports
        )
        result: Any = await self._both.operations.execute(GraphQLRequest(text, variables), context)
        assert result.errors is None, result.errors
        return result.data


@pytest.fixture(params=[True, False], ids=["plan", "graphql-core"])
async def busy(storage: Storage, viewer: Viewer, request: pytest.FixtureRequest) -> Busy:
    world = World(storage, viewer)
    centre = await world.centre()
    room = await world.room(centre, capacity=100)
    event = await world.event(centre=centre, room=room)
    made = Busy(world, event, await world.candidates(40), planned=request.param)
    await made.book()
    return made


@pytest.mark.both_databases
async def test_what_is_committed_between_reads_comes_after_the_cursor(busy: Busy):
    """Nothing is missing in what was read and what has changed since, taken together."""
    data = await busy.ask(ROSTER)
    booked = set(busy.booked)
    [event] = data["events"]["nodes"]
    since = await busy.ask(SINCE, after=data["first"])

    read = {node["id"] for node in event["enrolments"]["nodes"]}
    changed = {node["booking"]["id"] for node in since["bookingChanges"]["nodes"]}
    assert len(changed & booked) >= 2  # the reads were not of one moment
    assert booked <= read | changed


BOOK = """mutation ($input: BookEnrolmentInput!) {
    bookEnrolment(input: $input) { enrolment { id } cursor errors { code message } }
}"""


@pytest.mark.both_databases
async def test_a_payloads_cursor_is_followed_by_the_mutation_and_all_later_changes(busy: Busy):
    """Whatever others commit while the mutation runs comes after its cursor, too."""
    known = len(busy.order)

    payload = (await busy.ask(BOOK, input=busy.next_booking()))["bookEnrolment"]
    await busy.book()
    since = await busy.ask(SINCE, after=payload["cursor"])

    before_cursor, *later = busy.order[known:]
    changed = [node["booking"]["id"] for node in since["bookingChanges"]["nodes"]]
    assert payload["errors"] == []
    assert {payload["enrolment"]["id"], *later[:1]} <= set(changed)
    assert before_cursor not in changed
    assert len(changed) == len(set(changed))


async def test_all_places_of_an_operation_have_the_same_cursor(busy: Busy):
    data = await busy.ask(ROSTER)

    [event] = data["events"]["nodes"]
    cursors = [data["first"], data["events"]["changesCursor"], event["changesCursor"]]
    cursors += [event["enrolments"]["changesCursor"]]
    cursors += [node["changesCursor"] for node in event["enrolments"]["nodes"]]
    assert len(cursors) > 4
    assert len(set(cursors)) == 1


async def test_it_is_read_only_if_it_is_selected(busy: Busy):
    """It is one read more, and without elements the only one."""
    reads = []
    for text in (UNFOLLOWED, FOLLOWED, ONLY):
        before = busy.storage.reads
        await busy.ask(text)
        reads.append(busy.storage.reads - before)

    assert reads == [1, 2, 1]
