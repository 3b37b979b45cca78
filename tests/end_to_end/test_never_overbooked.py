"""However many ask at once, over however many servers, nobody sits on a seat that there is not."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.identity import global_id
from tests.end_to_end.clients import Client, client_of
from tests.end_to_end.conftest import Serve, ids
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

RUNS = 5

BOOK = """
    mutation Book($candidate: ID!, $event: ID!, $key: String) {
        bookEnrolment(input: {
            candidate: {id: $candidate}, event: {id: $event}, idempotencyKey: $key
        }) {
            enrolment { id reference event { id } }
            returnUrl replayed
            errors {
                __typename code message path httpStatus
                ... on CapacityError { capacity taken }
            }
        }
    }
"""
MOVE = """
    mutation Move($enrolment: ID!, $event: ID!) {
        moveEnrolment(input: {enrolmentId: $enrolment, toEvent: {id: $event}}) {
            enrolment { event { id } }
            changed
            errors { __typename code }
        }
    }
"""
WHO_SITS = """
    query WhoSits($event: ID!) {
        event(ref: {id: $event}) {
            seats { capacity taken free state }
            enrolments(first: 100, filter: {status: [CONFIRMED]}) { nodes { id } }
        }
    }
"""
CREATED = """
    query Created($event: ID!) {
        bookingChanges(first: 100, filter: {eventId: {eq: $event}}, types: [CREATED]) {
            totalCount
        }
    }
"""


@pytest.fixture
async def clients(serve: Serve, token_of: Callable[..., str]) -> AsyncIterator[list[Client]]:
    """Clients of two servers on one database, each with a writer of its own."""
    servers, token = [await serve(), await serve()], token_of()
    async with AsyncExitStack() as opened:
        yield [
            await opened.enter_async_context(client_of(server.host, token)) for server in servers
        ]


async def together(clients: Sequence[Client], document: str, asked: Sequence[dict[str, Any]]):
    """Ask everything at once, of one server and the other in turn; the answers in order."""
    return await asyncio.gather(
        *(clients[n % len(clients)].ask(document, **variables) for n, variables in enumerate(asked))
    )


def codes(answers: Sequence[Any]) -> Counter[str]:
    """How often each error was given; what went well is `done`."""
    return Counter(
        ",".join(f"{error['__typename']} {error['code']}" for error in answer["errors"]) or "done"
        for answer in answers
    )


@dataclass(frozen=True)
class Hall:
    """A room with seats for everybody."""

    world: World
    centre: UUID
    room: UUID

    async def event(self, *, day: int = 0, hour: int = 10, **values: Any) -> str:
        start = self.world.tomorrow(hour) + timedelta(days=day)
        values = {"centre": self.centre, "room": self.room, "start_at": start, **values}
        return global_id("Event", await self.world.event(**values))


@pytest.fixture
async def hall(world: World) -> Hall:
    centre = await world.centre()
    return Hall(world, centre, await world.room(centre, "Hall", capacity=1000))


async def test_the_last_ten_seats_are_sold_to_ten(hall: Hall, clients: list[Client]):
    """Of 200 requests for 10 seats, 10 are booked and 190 are told that the event is full."""
    people = ids("Candidate", await hall.world.candidates(200))
    for day in range(RUNS):
        event = await hall.event(day=day, capacity_maximum=10)
        asked = [{"candidate": candidate, "event": event} for candidate in people]

        answers = await together(clients, BOOK, asked)

        assert codes(answers) == {"done": 10, "CapacityError EVENT_FULL": 190}
        refused = [answer["errors"][0] for answer in answers if answer["errors"]]
        assert {(e["capacity"], e["taken"], e["httpStatus"]) for e in refused} == {(10, 10, 409)}
        booked = {answer["enrolment"]["id"] for answer in answers if answer["enrolment"]}
        found = await clients[0].ask(WHO_SITS, event=event)
        assert found["seats"] == {"capacity": 10, "taken": 10, "free": 0, "state": "FULL"}
        assert {node["id"] for node in found["enrolments"]["nodes"]} == booked
        assert await clients[1].ask(CREATED, event=event) == {"totalCount": 10}


async def test_the_last_seat_of_a_room_is_sold_once_for_two_events(
    hall: Hall, clients: list[Client]
):
    """Events that overlap in one room do not sell its last seat twice."""
    world = hall.world
    people = ids("Candidate", await world.candidates(20))
    for day in range(RUNS):
        room = await world.room(hall.centre, f"Room {day}", capacity=1)
        long = await hall.event(day=day, hour=9, room=room, exam_duration_in_minutes=90)
        short = await hall.event(day=day, hour=10, room=room)
        asked = [
            {"candidate": candidate, "event": event}
            for candidate, event in zip(people, [long, short] * 10, strict=True)
        ]

        answers = await together(clients, BOOK, asked)

        assert codes(answers) == {"done": 1, "CapacityError ROOM_FULL": 19}


@pytest.mark.parametrize("free", [0, 1])
async def test_those_who_change_places_never_sit_on_one_chair(
    hall: Hall, clients: list[Client], free: int
):
    """Moves both ways between two events: everybody is answered, and keeps the one or the other.

    Without a free seat nobody can be the first; with one, somebody always is.
    """
    people = await hall.world.candidates(6)
    for day in range(RUNS):
        [one, other] = [
            await hall.event(day=day, hour=hour, capacity_maximum=3 + free) for hour in (9, 15)
        ]
        books = zip(ids("Candidate", people), [one] * 3 + [other] * 3, strict=True)
        booked = await together(clients, BOOK, [{"candidate": c, "event": e} for c, e in books])
        sitting = [answer["enrolment"]["id"] for answer in booked]
        moves = zip(sitting, [other] * 3 + [one] * 3, strict=True)
        asked = [{"enrolment": booking, "event": event} for booking, event in moves]

        answers = await together(clients, MOVE, asked)

        told = codes(answers)
        assert set(told) <= {"done", "CapacityError EVENT_FULL"}
        assert told["done"] >= 1 if free else told["done"] == 0
        found = [await clients[0].ask(WHO_SITS, event=e) for e in (one, other)]
        seated = [{node["id"] for node in event["enrolments"]["nodes"]} for event in found]
        assert [event["seats"]["taken"] for event in found] == [len(who) for who in seated]
        assert all(len(who) <= 3 + free for who in seated)
        assert sorted([*seated[0], *seated[1]]) == sorted(sitting)


async def test_one_key_is_one_booking(hall: Hall, clients: list[Client]):
    """Of 20 calls with one idempotency key one books; all are answered the same."""
    [candidate] = ids("Candidate", await hall.world.candidates(1))
    for day in range(RUNS):
        event = await hall.event(day=day, capacity_maximum=10)
        asked = [{"candidate": candidate, "event": event, "key": f"key {day}"}] * 20

        answers = await together(clients, BOOK, asked)

        assert Counter(answer.pop("replayed") for answer in answers) == {False: 1, True: 19}
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["errors"] == []
        assert (await clients[0].ask(WHO_SITS, event=event))["seats"]["taken"] == 1
        assert await clients[1].ask(CREATED, event=event) == {"totalCount": 1}
