"""eventChanged over real WebSockets: every change of an event once, in commit order."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from resolvers.identity import global_id
from tests.end_to_end.clients import Client, Socket, socket_to
from tests.end_to_end.conftest import ids
from tests.end_to_end.servers import Server
from tests.end_to_end.test_subscribers import USER, key_in
from tests.end_to_end.watching import (
    BOOKING_CHANGED,
    CANCEL,
    EVENT_CHANGED,
    EVENT_CURSORS,
    UPDATE,
    Place,
    booked,
    done,
    end_of_log,
    events_logged,
    renamed,
)

CREATE = """
    mutation ($title: String!) {
        createEvent(input: { title: $title }) { event { id } errors { code } }
    }
"""
CANCEL_EVENT = """
    mutation ($event: ID!) {
        cancelEvent(input: { eventId: $event, message: "Flood" }) {
            affectedBookings errors { code }
        }
    }
"""


async def test_a_change_arrives_once_it_is_committed(client: Client, socket: Socket, place: Place):
    """Without a cursor it begins with what comes."""
    event = place.events[0]
    await socket.subscribe(EVENT_CHANGED)
    waiting = asyncio.create_task(socket.next())
    for n in range(200):  # until the subscription has begun
        if waiting.done():
            break
        await renamed(client, event, f"Title {n}")

    change = await waiting
    assert (change["type"], change["changedFields"]) == ("UPDATED", ["title"])
    assert (change["event"]["id"], change["event"]["centre"]["name"]) == (event, "LON centre")
    rest = await events_logged(place, change["cursor"])
    assert [one["cursor"] for one in await socket.several(len(rest))] == rest


async def test_each_kind_of_change_comes_once_and_none_of_bookings(
    client: Client, socket: Socket, place: Place
):
    """Made, changed, called off, in the order of the commits, whatever happens to bookings."""
    start = await end_of_log(place)
    await socket.subscribe(EVENT_CHANGED, after=start)

    event = (await client.ask(CREATE, title="Law"))["event"]["id"]
    await done(client, UPDATE, event=event, title="Art", seats=3)
    booking = await booked(client, place.people[0], place.events[0])
    await done(client, CANCEL, booking=booking)
    for person in place.people[:3]:
        await booked(client, person, place.events[1])
    await done(client, CANCEL_EVENT, event=place.events[1])
    await done(client, CANCEL_EVENT, event=place.events[1])  # changes nothing
    await renamed(client, place.events[0], "The last")

    told = await socket.several(4)
    assert [(one["event"]["id"], one["type"]) for one in told] == [
        (event, "CREATED"),
        (event, "UPDATED"),
        (place.events[1], "CANCELLED"),
        (place.events[0], "UPDATED"),
    ]
    assert [one["changedFields"] for one in told[1:]] == [
        ["capacityMaximum", "title"],
        ["cancellation"],
        ["title"],
    ]
    assert (told[2]["event"]["status"], told[2]["event"]["seats"]["taken"]) == ("CANCELLED", 0)
    assert {one["actor"]["name"] for one in told} == {"admin"}
    assert [one["cursor"] for one in told] == await events_logged(place, start)


async def test_who_leaves_the_filter_is_told_of(client: Client, socket: Socket, place: Place):
    """An event that is renamed is a change for those who watch either title."""
    start = await end_of_log(place)
    for title in ("biology", "chemistry"):
        watching = {"filter": {"title": {"contains": title}}, "after": start}
        await socket.subscribe(EVENT_CHANGED, operation=title, **watching)

    await renamed(client, place.events[0], "Biology")
    await renamed(client, place.events[1], "Physics")
    await renamed(client, place.events[0], "Chemistry")
    await renamed(client, place.events[0], "Alchemy")

    biology, chemistry = await socket.several(2, "biology"), await socket.several(2, "chemistry")
    all_of_them = await events_logged(place, start)
    assert [one["cursor"] for one in biology] == [all_of_them[0], all_of_them[2]]
    assert [one["cursor"] for one in chemistry] == all_of_them[2:]


async def test_a_cursor_of_one_log_serves_both_subscriptions(
    client: Client, socket: Socket, place: Place
):
    """Changes of bookings and of events have one order: each resumes after one of the other."""
    await renamed(client, place.events[0], "One")
    booking = await booked(client, place.people[0], place.events[0])
    await renamed(client, place.events[0], "Two")
    of_event = (await events_logged(place))[-2]
    await socket.subscribe(BOOKING_CHANGED, operation="bookings", after=of_event)
    change = await socket.next("bookings")
    await socket.subscribe(EVENT_CHANGED, operation="events", after=change["cursor"])

    assert change["booking"]["id"] == booking
    assert (await socket.next("events"))["event"]["title"] == "Two"


async def test_what_a_viewer_may_see_is_asked_again(
    client: Client, server: Server, place: Place, token_of: Callable[..., str]
):
    """Everybody in the organization is told of its events; who is not active any more is not."""
    start = await end_of_log(place)
    own = await client.ask(USER, reference="U1", centres=ids("Centre", [place.centre]))
    async with socket_to(server.host, token_of(user_id=key_in(own["user"]["id"]))) as theirs:
        await theirs.subscribe(EVENT_CURSORS, after=start)
        await renamed(client, place.events[0], "One")
        await theirs.next()

        await client.ask(USER, reference="U1", active=False)
        await renamed(client, place.events[0], "Two")

        with pytest.raises(ConnectionClosed, match=r"4403.*The token's user is not active\."):
            await theirs.message()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"after": "garbage"}, "'after' is not a cursor"),
    ({"filter": {"centreId": {"eq": "x"}}}, "'eq' is not a global id"),
    (
        {"filter": {"centreId": {"eq": global_id("Room", UUID(int=1))}}},
        "id of type Room, not Centre",
    ),
    ({"filter": {"start": {"gte": "2027-01-01"}}}, "instant with an offset"),
]


async def test_a_subscription_that_cannot_begin_says_why(socket: Socket):
    """The field and the rule, in one message that ends it; the connection stays."""
    for n, (variables, rule) in enumerate(WRONG):
        await socket.subscribe(EVENT_CHANGED, operation=str(n), **variables)
        message = await socket.message(str(n))

        assert message["type"] == "error", message
        assert rule in message["payload"][0]["message"], message


CANDIDATE = """
    mutation ($candidate: ID!) {
        upsertUser(input: {
            reference: "C1", name: "Ada", role: CANDIDATE, candidate: { id: $candidate }
        }) { user { id } errors { code } }
    }
"""


async def test_candidates_are_not_shown_who_changed_an_event(
    client: Client, server: Server, place: Place, token_of: Callable[..., str]
):
    """Staff is; a candidate sees the change, and that staff made it."""
    user = (await client.ask(CANDIDATE, candidate=place.people[0]))["user"]["id"]
    before = await end_of_log(place)
    await renamed(client, place.events[0], "Title")

    seen = {}
    for role, options in {"admin": {}, "candidate": {"user_id": key_in(user)}}.items():
        async with socket_to(server.host, token_of(role=role, **options)) as socket:
            await socket.subscribe(EVENT_CHANGED, after=before)
            seen[role] = (await socket.next())["actor"]

    assert seen == {"admin": {"name": "admin"}, "candidate": {"name": "Staff"}}
