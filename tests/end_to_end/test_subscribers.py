"""Who is told what, and for how long: scopes, crowds, ends; and what is wrong is said at once."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from resolvers.identity import global_id, parse_global_id
from resolvers.storage import Read, Storage
from tests.end_to_end.clients import Client, Socket, socket_to
from tests.end_to_end.conftest import ids
from tests.end_to_end.servers import Server
from tests.end_to_end.watching import (
    BOOKING_CHANGED,
    CANCEL,
    CURSORS,
    MOVE,
    SEATS_CHANGED,
    Place,
    booked,
    done,
    logged,
    newest,
)
from tests.patience import eventually

USER = """
    mutation ($reference: String!, $centres: [ID!], $active: Boolean! = true) {
        upsertUser(input: {
            reference: $reference, name: "Cleo", role: CENTRE_STAFF, centreIds: $centres,
            active: $active
        }) { user { id } errors { code } }
    }
"""


async def test_a_viewer_sees_the_changes_of_its_own_centres(
    client: Client, server: Server, place: Place, token_of: Callable[..., str]
):
    """Others' changes never come; a booking that moves away does, and is no longer shown."""
    world = place.world
    elsewhere = await world.centre("YRK")
    room = await world.room(elsewhere, "Hall", capacity=100)
    away = await world.event(centre=elsewhere, room=room, start_at=world.tomorrow(18))
    there = global_id("Event", away)
    await booked(client, place.people[0], there)
    start = await newest(client)
    own = await client.ask(USER, reference="U1", centres=ids("Centre", [place.centre]))
    async with socket_to(server.host, token_of(user_id=key_in(own["user"]["id"]))) as theirs:
        await theirs.subscribe(BOOKING_CHANGED, after=start)

        await booked(client, place.people[1], there)
        booking = await booked(client, place.people[2], place.events[0])
        await done(client, MOVE, booking=booking, event=there)
        await done(client, CANCEL, booking=booking)
        last = await booked(client, place.people[3], place.events[0])

        changes = await theirs.several(3)
    assert [change["type"] for change in changes] == ["CREATED", "MOVED", "CREATED"]
    assert [change["booking"] and change["booking"]["id"] for change in changes][1:] == [None, last]


async def test_what_a_viewer_may_see_is_asked_again_for_each_change(
    client: Client, server: Server, place: Place, token_of: Callable[..., str]
):
    """A centre that is taken away shows nothing more; who is not active any more is cut off."""
    await booked(client, place.people[0], place.events[0])
    start = await newest(client)
    own = await client.ask(USER, reference="U2", centres=ids("Centre", [place.centre]))
    async with socket_to(server.host, token_of(user_id=key_in(own["user"]["id"]))) as theirs:
        await theirs.subscribe(BOOKING_CHANGED, after=start)
        first = await booked(client, place.people[1], place.events[0])
        [change] = await theirs.several(1)

        await client.ask(USER, reference="U2", centres=[])
        await booked(client, place.people[2], place.events[0])
        await client.ask(USER, reference="U2", active=False)
        await booked(client, place.people[3], place.events[0])

        with pytest.raises(ConnectionClosed, match=r"4403.*The token's user is not active\."):
            await theirs.message()
    assert change["booking"]["id"] == first


def key_in(id: str) -> UUID:
    parsed = parse_global_id(id)
    assert parsed is not None
    return parsed[1]


async def test_a_hundred_subscribers_are_all_told(
    client: Client, server: Server, token: str, place: Place
):
    """Twenty connections with five subscriptions each: the same ten changes in the same order."""
    await booked(client, place.people[200], place.events[0])
    start = await newest(client)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(socket_to(server.host, token)) for _ in range(20)
        ]
        for one in sockets:
            for operation in "12345":
                await one.subscribe(CURSORS, operation=operation, after=start)

        for person in place.people[:10]:
            await booked(client, person, place.events[0])

        expected = await logged(client, start)
        for one in sockets:
            for operation in "12345":
                told = [change["cursor"] for change in await one.several(10, operation)]
                assert told == expected


async def test_complete_ends_it(client: Client, socket: Socket, place: Place):
    """After `complete` nothing comes any more; its neighbour on the connection goes on."""
    await booked(client, place.people[0], place.events[0])
    start = await newest(client)
    await socket.subscribe(CURSORS, operation="1", after=start)
    await socket.subscribe(CURSORS, operation="2", after=start)
    await booked(client, place.people[1], place.events[0])
    await socket.next("1")
    await socket.next("2")

    await socket.complete("1")
    await socket.subscribe("{ __typename }", operation="3")
    assert await socket.next("3") == "Query"  # the server has read the `complete` before this
    await booked(client, place.people[2], place.events[0])

    await socket.next("2")
    assert not socket.waiting("1")


async def test_each_commit_is_read_once_however_many_subscribe(
    server: Server, client: Client, socket: Socket, place: Place, token: str
):
    """One statement for all subscribers, whether they match or not; none once they have gone."""
    reads = count_reads(server.app.state.storage)
    people = iter(place.people)
    await socket.subscribe(CURSORS)
    await socket.subscribe(BOOKING_CHANGED, operation="2", types=["DELETED"])

    async def cost(*sockets: Socket) -> int:
        """How many reads of the log one change takes, until all have received it."""
        before = len(reads)
        await booked(client, next(people), place.events[0])
        for one in sockets:
            await one.next()
        return len(reads) - before

    assert await cost(socket) == 1
    async with socket_to(server.host, token) as other:
        await other.subscribe(CURSORS)
        await until_subscribed(other)
        assert await cost(socket, other) == 1
        other.connection.transport.abort()
    assert await cost(socket) == 1
    socket.connection.transport.abort()

    async def noticed() -> bool:
        return await cost() == 0

    await eventually(noticed)


async def until_subscribed(socket: Socket) -> None:
    """Return once the server has read what was sent before."""
    await socket.subscribe("{ __typename }", operation="until")
    await socket.next("until")


def count_reads(storage: Storage) -> list[Any]:
    """From now on, the slices of the log that are read for subscribers; growing."""
    reads, read = [], storage.read

    async def counted(asked: Read[Any], *given: Any, **more: Any) -> Any:
        if asked.shape == "slice of changes":
            reads.append(asked.shape)
        return await read(asked, *given, **more)

    storage.read = counted  # type: ignore[method-assign]
    return reads


WRONG = [
    (BOOKING_CHANGED, {"after": "garbage"}, "'after' is not a cursor"),
    (BOOKING_CHANGED, {"types": ["NO_SUCH"]}, "'NO_SUCH' does not exist in 'ChangeType'"),
    (BOOKING_CHANGED, {"filter": {"eventId": {"eq": "x"}}}, "'eq' is not a global id"),
    (BOOKING_CHANGED, {"filter": {"start": {"gte": "2026-01-01"}}}, "instant with an offset"),
    (SEATS_CHANGED, {"events": []}, "'eventIds' must have from 1 to 100 elements"),
    (
        SEATS_CHANGED,
        {"events": [f"x{n}" for n in range(101)]},
        "'eventIds' must have from 1 to 100 elements",
    ),
    (SEATS_CHANGED, {"events": ["x"]}, "'eventIds' is not the global id of an Event"),
    (SEATS_CHANGED, {"events": [global_id("Room", UUID(int=1))]}, "not the global id of an Event"),
    (SEATS_CHANGED, {"events": [global_id("Event", UUID(int=1))]}, "Event not found"),
    ("subscription { bookingChanged { nothing } }", {}, "Cannot query field 'nothing'"),
    ("subscription { a: bookingChanged { cursor } b: bookingChanged { cursor } }", {}, "only one"),
]


async def test_a_subscription_that_cannot_begin_says_why(socket: Socket):
    """The field and the rule, in one message that ends it; the connection stays."""
    for n, (document, variables, rule) in enumerate(WRONG):
        await socket.subscribe(document, operation=str(n), **variables)
        message = await socket.message(str(n))

        assert message["type"] == "error", message
        assert rule in message["payload"][0]["message"], message
