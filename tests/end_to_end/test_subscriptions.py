"""Subscriptions over real WebSockets: everything once, in commit order, to whom it may be seen."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest

from resolvers.identity import global_id
from tests.conftest import DATABASES
from tests.end_to_end.clients import Client, Socket, client_of, socket_to
from tests.end_to_end.servers import Server, process
from tests.end_to_end.watching import (
    BOOKING_CHANGED,
    CANCEL,
    CURSORS,
    EVENT_CURSORS,
    MOVE,
    SEATS_CHANGED,
    Place,
    booked,
    done,
    events_logged,
    logged,
    newest,
    renamed,
)
from tests.resolvers.world import World

pytestmark = pytest.mark.both_databases

# ---------------------------------------------------------------- bookingChanged


async def test_a_change_arrives_once_it_is_committed(client: Client, socket: Socket, place: Place):
    """Without a cursor it begins with what comes; whoever is told of a booking can read it."""
    await socket.subscribe(BOOKING_CHANGED)
    waiting = asyncio.create_task(socket.next())
    for candidate in place.people:  # until the subscription has begun
        if waiting.done():
            break
        await booked(client, candidate, place.events[0])

    change = await waiting
    assert (change["type"], change["version"]) == ("CREATED", 1)
    found = await client.ask(
        "query ($id: ID!) { node(id: $id) { id } }", id=change["booking"]["id"]
    )
    assert found == {"id": change["booking"]["id"]}
    rest = await logged(client, change["cursor"])
    assert [one["cursor"] for one in await socket.several(len(rest))] == rest


async def test_it_is_filtered_by_event_and_type(client: Client, socket: Socket, place: Place):
    """What was asked for comes, all of it and nothing else."""
    here, there = place.events
    first = await booked(client, place.people[0], here)
    start = await newest(client)
    at_event = {"filter": {"eventId": {"eq": here}}, "after": start}
    await socket.subscribe(BOOKING_CHANGED, **at_event)
    await socket.subscribe(BOOKING_CHANGED, operation="2", types=["CANCELLED"], after=start)

    other = await booked(client, place.people[1], there)
    await done(client, CANCEL, booking=other)
    await done(client, CANCEL, booking=first)
    await booked(client, place.people[2], here)

    changes = await socket.several(2)
    assert [change["type"] for change in changes] == ["CANCELLED", "CREATED"]
    cancelled = await socket.several(2, "2")
    assert [change["booking"]["id"] for change in cancelled] == [other, first]


async def test_who_leaves_the_filter_is_told_of(client: Client, socket: Socket, place: Place):
    """A booking that is moved to another event is a change for those who watch either."""
    here, there = place.events
    booking = await booked(client, place.people[0], here)
    start = await newest(client)
    for operation, event in (("1", here), ("2", there)):
        at_event = {"filter": {"eventId": {"eq": event}}, "after": start}
        await socket.subscribe(BOOKING_CHANGED, operation=operation, **at_event)

    await done(client, MOVE, booking=booking, event=there)
    await done(client, CANCEL, booking=booking)

    left = await socket.next("1")
    assert (left["type"], left["booking"]["event"]["id"]) == ("MOVED", there)
    assert [change["type"] for change in await socket.several(2, "2")] == ["MOVED", "CANCELLED"]


@pytest.fixture
def processes(database_url: str, place: Place) -> Iterator[list[str]]:
    """Two servers in processes of their own on the test's database."""
    with process(database_url) as one, process(database_url) as other:
        yield [one, other]


@pytest.mark.parametrize("database", DATABASES[-1:])
async def test_the_backlog_goes_over_into_the_present_without_gap_or_double(
    processes: list[str], client: Client, place: Place, token: str
):
    """Two processes book 200 times and change events while subscribers at both begin in the middle.

    Each, from wherever it began, has exactly what is in the log; and one that is cut off goes on at
    the other process.
    """
    await booked(client, place.people[200], place.events[0])
    start = await newest(client)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(client_of(host, token)) for host in processes]
        readers = [await stack.enter_async_context(socket_to(h, token)) for h in processes * 2]
        await readers[0].subscribe(CURSORS, after=start)
        await readers[1].subscribe(CURSORS, after=start)
        for reader in readers[:2]:
            await reader.subscribe(EVENT_CURSORS, operation="events", after=start)

        writing = asyncio.gather(*(write(w, place, n) for n, w in enumerate(writers)))
        seen = [await reader.several(20) for reader in readers[:2]]
        await readers[2].subscribe(CURSORS, after=start)
        await readers[3].subscribe(CURSORS, after=seen[0][-1]["cursor"])
        await writing

        expected = await logged(client, start)
        assert len(expected) == 200
        seen[0] += await readers[0].several(180)
        seen[1] += await readers[1].several(180)
        cursors = [[change["cursor"] for change in of_one] for of_one in seen]
        assert cursors == [expected, expected]
        for reader, left in ((readers[2], expected), (readers[3], expected[20:])):
            assert [one["cursor"] for one in await reader.several(len(left))] == left
        of_events = await events_logged(place, start)
        assert len(of_events) == 40
        for reader in readers[:2]:
            told = await reader.several(40, "events")
            assert [change["cursor"] for change in told] == of_events


async def write(client: Client, place: Place, part: int) -> None:
    """Every second of 200 candidates, ten at a time, and each time two changes of events."""
    people = place.people[part:200:2]
    for n in range(0, len(people), 10):
        event = place.events[0]
        await asyncio.gather(
            *(booked(client, person, event) for person in people[n : n + 10]),
            *(renamed(client, one, f"Title {part} {n}") for one in place.events),
        )


# ---------------------------------------------------------------- seatsChanged


async def test_seats_begin_with_the_present_count(client: Client, socket: Socket, place: Place):
    """First the count of each event, then the newest of that which has changed."""
    here, there = place.events
    booking = await booked(client, place.people[0], here)
    await socket.subscribe(SEATS_CHANGED, events=place.events)

    present = await socket.several(2)
    await done(client, MOVE, booking=booking, event=there)
    moved = await socket.several(2)
    await booked(client, place.people[1], there)
    last = await socket.next()

    assert counts(present) == {here: 1, there: 0}
    assert counts(moved) == {here: 0, there: 1}
    assert counts([last]) == {there: 2}


def counts(changes: list[Any]) -> dict[str, int]:
    return {change["event"]["id"]: change["seats"]["taken"] for change in changes}


BULK = " ".join(f"c{n}: content d{n}: description" for n in range(12))
"""What makes a result so large that few of them fit between a server and who does not read."""


async def test_a_slow_reader_gets_the_newest_seats_only(
    client: Client, server: Server, token: str, place: Place
):
    """Whoever does not read for 60 bookings is not told of all of them, but of the last."""
    event = await large(place.world, place.centre)
    document = f"""subscription ($events: [ID!]!) {{
        seatsChanged(eventIds: $events) {{ seats {{ taken }} event {{ {BULK} }} }}
    }}"""
    async with slow_socket(server.host, token) as slow:
        await slow.subscribe(document, events=[event])
        told = [(await slow.next())["seats"]["taken"]]

        for person in place.people[:60]:
            await booked(client, person, event)

        while told[-1] != 60:
            told.append((await slow.next())["seats"]["taken"])
    assert told[0] == 0
    assert told == sorted(set(told))
    assert len(told) < 50


async def test_a_slow_reader_misses_no_change_and_delays_nobody(
    client: Client, server: Server, token: str, socket: Socket, place: Place
):
    """Others are told of every change at once; and who reads at last has them all, in order."""
    event = await large(place.world, place.centre)
    await booked(client, place.people[200], event)
    start = await newest(client)
    document = f"""subscription ($after: String) {{
        bookingChanged(after: $after) {{ cursor booking {{ event {{ {BULK} }} }} }}
    }}"""
    await socket.subscribe(CURSORS, after=start)
    async with slow_socket(server.host, token) as slow:
        await slow.subscribe(document, after=start)

        for person in place.people[:40]:
            await booked(client, person, event)
        prompt = [change["cursor"] for change in await socket.several(40)]

        assert [change["cursor"] for change in await slow.several(40)] == prompt
    assert prompt == await logged(client, start)


def slow_socket(host: str, token: str) -> Any:
    """A connection that keeps one frame, and takes no more before it is read."""
    return socket_to(host, token, max_queue=1, compression=None)


async def large(world: World, centre: UUID) -> str:
    """An event about which there is much to say."""
    room = await world.room(centre, "Great hall", capacity=1000)
    start = world.tomorrow(20)
    texts = {"content": "x" * 20_000, "description": "y" * 20_000}
    event = await world.event(centre=centre, room=room, start_at=start, **texts)
    return global_id("Event", event)
