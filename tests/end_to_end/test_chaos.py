"""No subscriber misses or repeats a change while servers are killed and clients disconnect.

The seed of the random choices is GATEWAY_TEST_SEED. GATEWAY_TEST_CHAOS_CHANGES sets the
number of changes: 2,000 take about a minute.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any
from uuid import UUID

import pytest

from resolvers.identity import global_id, parse_global_id
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.references import ByKey
from resolvers.vocabulary import Role
from tests.conftest import DATABASES, SEED
from tests.end_to_end.chaotic import (
    CHANGED,
    CUT_OFF,
    TRANSIENT,
    WIDE,
    Address,
    Progress,
    Subscriber,
    Watch,
    by_events,
    by_websocket,
)
from tests.end_to_end.clients import Client, client_of
from tests.end_to_end.watching import Place
from tests.patience import PATIENCE

CHANGES = int(os.environ.get("GATEWAY_TEST_CHAOS_CHANGES", "300"))
SUBSCRIBERS = 50
DEATHS = 3
"""Of each process."""

SECONDS = max(300, CHANGES)
"""The limit of the test: one that misses a last change would never end."""

WRITERS = 4
BOOK = """
    mutation ($key: String!, $candidate: ID!, $event: ID!) {
        bookEnrolment(input: {
            idempotencyKey: $key, candidate: {id: $candidate}, event: {id: $event}
        }) { enrolment { id } errors { code } }
    }
"""
MOVE = """
    mutation ($key: String!, $booking: ID!, $event: ID!) {
        moveEnrolment(input: {
            idempotencyKey: $key, enrolmentId: $booking, toEvent: {id: $event}
        }) { enrolment { id } errors { code } }
    }
"""
CANCEL = """
    mutation ($key: String!, $booking: ID!) {
        cancelBooking(input: { idempotencyKey: $key, bookingId: $booking, reason: ILLNESS }) {
            errors { code }
        }
    }
"""
LOGGED = """
    query ($filter: BookingFilter, $types: [ChangeType!], $after: String) {
        bookingChanges(first: 100, filter: $filter, types: $types, after: $after) {
            nodes { cursor }
            pageInfo { hasNextPage endCursor }
        }
    }
"""


class Writer:
    """Makes changes through any process; with its keys, each is made once."""

    def __init__(self, clients: Sequence[Client], events: Sequence[str], chance: Random) -> None:
        self._clients = clients
        self._events = events
        self._chance = chance

    async def write(self, candidates: Sequence[str], count: int, progress: Progress) -> None:
        """Book, move and cancel for one candidate after the other, until `count` changes."""
        people = cycle(candidates)
        booking, other = "", ""
        for n in range(count):
            match n % 3:
                case 0:
                    first, other = self._chance.sample(self._events, 2)
                    answer = await self._done(BOOK, candidate=next(people), event=first)
                    booking = answer["enrolment"]["id"]
                case 1:
                    await self._done(MOVE, booking=booking, event=other)
                case 2:
                    await self._done(CANCEL, booking=booking)
            await progress.add()

    async def _done(self, document: str, **variables: Any) -> Any:
        """Ask until a process answers. Fails if the change is refused."""
        key = f"{self._chance.getrandbits(128):x}"
        async with asyncio.timeout(PATIENCE):
            while True:
                client = self._chance.choice(self._clients)
                try:
                    answered = (await client.answer(document, key=key, **variables)).json()
                except CUT_OFF:
                    continue
                if "errors" not in answered:
                    [answer] = answered["data"].values()
                    assert answer["errors"] == [], answer
                    return answer
                codes = {error["extensions"]["code"] for error in answered["errors"]}
                assert codes <= TRANSIENT, answered


@dataclass(frozen=True)
class Setting:
    """Three events, of which the last is at a centre of its own; candidates; who watches."""

    events: list[str]
    people: list[str]
    watches: list[Watch]


@pytest.fixture
async def setting(place: Place, token_of: Callable[..., str]) -> Setting:
    world = place.world
    elsewhere = await world.centre("YRK")
    room = await world.room(elsewhere, "Hall", capacity=1000)
    away = await world.event(centre=elsewhere, room=room, start_at=world.tomorrow(18))
    events = [*place.events, global_id("Event", away)]
    admin = token_of()
    staff = await user(place, Role.CENTRE_STAFF, centre_ids=(ByKey(elsewhere),))
    candidate = await user(place, Role.CANDIDATE, candidate=ByKey(key_in(place.people[0])))
    of_staff, of_candidate = token_of(user_id=staff), token_of(user_id=candidate)
    named = {"filter": {"candidateName": {"contains": "1"}}}
    here = {"filter": {"centreId": {"eq": global_id("Centre", place.centre)}}}
    two = {"filter": {"or": [{"eventId": {"eq": event}} for event in events[1:]]}}
    watches = [
        Watch(admin),
        Watch(admin, WIDE),
        Watch(admin, CHANGED, {"filter": {"eventId": {"eq": events[0]}}}),
        Watch(admin, WIDE, two),
        Watch(admin, CHANGED, {"types": ["CREATED", "CANCELLED"]}),
        Watch(admin, WIDE, {"types": ["MOVED"], **named}),
        Watch(admin, CHANGED, {"filter": {"not": here["filter"]}}),
        Watch(of_staff, WIDE),
        Watch(of_staff, CHANGED, here),
        Watch(of_candidate),
    ]
    return Setting(events, place.people, watches)


async def user(place: Place, role: Role, **values: Any) -> UUID:
    world = place.world
    command = UpsertUser(
        viewer=world.viewer, reference=role.value, name=role.value, role=role, **values
    )
    return await world.made(upsert_users, command)


def key_in(id: str) -> UUID:
    parsed = parse_global_id(id)
    assert parsed is not None
    return parsed[1]


@pytest.mark.parametrize(
    ("database", "processes"),
    [(database, 1 if database == "sqlite" else 2) for database in DATABASES],
    ids=DATABASES,
    scope="session",
)
async def test_every_stream_equals_the_filtered_log(
    database_url: str, processes: int, setting: Setting, token: str
):
    """In order, without gaps or duplicates, while processes are killed and clients disconnect."""
    chance = Random(SEED)
    progress = Progress()
    with ExitStack() as opened:
        addresses = [Address(database_url, opened) for _ in range(processes)]
        hosts = [address.host for address in addresses]
        async with (
            asyncio.timeout(SECONDS),
            AsyncExitStack() as connected,
            asyncio.TaskGroup() as tasks,
        ):
            clients = [await connected.enter_async_context(client_of(h, token)) for h in hosts]
            await Writer(clients, setting.events, chance).write(setting.people[-1:], 1, Progress())
            [start] = await logged(Watch(token), hosts, after=None)
            subscribers = [
                Subscriber(watch, connect, hosts, progress, chance, start=start)
                for watch, connect, _ in zip(
                    cycle(setting.watches), cycle(CONNECTS), range(SUBSCRIBERS), strict=False
                )
            ]
            for subscriber in subscribers:
                tasks.create_task(subscriber.run())
            tasks.create_task(disturb(subscribers, progress, chance))
            killing = tasks.create_task(kill(addresses, progress))
            async with asyncio.TaskGroup() as writing:
                for n in range(WRITERS):
                    writer = Writer(clients, setting.events, chance)
                    people = setting.people[n:-1:WRITERS]
                    writing.create_task(writer.write(people, CHANGES // WRITERS, progress))
            await killing
            expected = [await logged(watch, hosts, start) for watch in setting.watches]
            for subscriber in subscribers:
                subscriber.finish(expected[setting.watches.index(subscriber.watch)][-1])

    assert len(expected[0]) == CHANGES, "each change is made once"
    for subscriber in subscribers:
        assert subscriber.received == expected[setting.watches.index(subscriber.watch)]
    assert [address.deaths for address in addresses] == [DEATHS] * processes
    assert sum(subscriber.connections for subscriber in subscribers) > CHANGES / 4


CONNECTS = (by_websocket, by_websocket, by_events)


async def disturb(subscribers: Sequence[Subscriber], progress: Progress, chance: Random) -> None:
    """At random, cut clients off, and let others read nothing for a while."""
    for made in range(CHANGES):
        await progress.reached(made)
        if chance.random() < 0.5:
            chance.choice(subscribers).disconnect()
        if chance.random() < 0.2:
            chance.choice(subscribers).pause_until(min(made + chance.randint(20, 200), CHANGES))


async def kill(addresses: Sequence[Address], progress: Progress) -> None:
    """Kill the processes in turns, at equal distances."""
    deaths = DEATHS * len(addresses)
    for death in range(deaths):
        await progress.reached(CHANGES * (death + 1) // (deaths + 1))
        await addresses[death % len(addresses)].kill()


async def logged(watch: Watch, hosts: Sequence[str], after: str | None) -> list[str]:
    """The cursors of the changes after one, as bookingChanges returns them to the same viewer."""
    found: list[str] = []
    async with client_of(hosts[0], watch.token) as client:
        has_more = True
        while has_more:
            page = await client.ask(LOGGED, after=after, **watch.variables)
            found += [change["cursor"] for change in page["nodes"]]
            after, has_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found
