"""Subscriptions over HTTP: each event has its cursor as its id, and a client resumes with it."""

from typing import Any

import pytest

from tests.end_to_end.clients import Client
from tests.end_to_end.servers import Server
from tests.end_to_end.watching import (
    CURSORS,
    EVENT_CURSORS,
    SEATS_CHANGED,
    Place,
    booked,
    logged,
    newest,
    renamed,
)
from tests.streaming import streaming

pytestmark = pytest.mark.both_databases


async def book(client: Client, place: Place, people: slice) -> None:
    for person in place.people[people]:
        await booked(client, person, place.events[0])


async def test_a_browser_resumes_where_it_was_cut_off(
    client: Client, server: Server, token: str, place: Place
):
    """Its header `Last-Event-ID` is newer than the variable of its first request."""
    await book(client, place, slice(0, 1))
    start = await newest(client)
    await book(client, place, slice(1, 4))
    async with streaming(server.host, token, CURSORS, after=start) as stream:
        received = [await stream.event() for _ in range(2)]
    await book(client, place, slice(4, 6))

    resumed = {"last-event-id": str(received[-1].id)}
    async with streaming(server.host, token, CURSORS, after=start, headers=resumed) as stream:
        received += [await stream.event() for _ in range(3)]
        await book(client, place, slice(6, 7))
        received.append(await stream.event())

    cursors = [event.data["data"]["bookingChanged"]["cursor"] for event in received]
    assert [event.id for event in received] == cursors
    assert cursors == await logged(client, start)


async def test_changes_of_events_resume_too(
    client: Client, server: Server, token: str, place: Place
):
    await booked(client, place.people[0], place.events[0])
    start = await newest(client)
    await renamed(client, place.events[0], "First")
    await renamed(client, place.events[0], "Second")
    async with streaming(server.host, token, EVENT_CURSORS, after=start) as stream:
        first = await stream.event()

    resumed = {"last-event-id": str(first.id)}
    async with streaming(server.host, token, EVENT_CURSORS, headers=resumed) as stream:
        second = await stream.event()

    assert cursor(first) == first.id
    assert cursor(second) == second.id
    assert second.id != first.id


def cursor(event: Any) -> str:
    return str(event.data["data"]["eventChanged"]["cursor"])


async def test_seats_have_an_id_and_begin_with_their_present_count(
    client: Client, server: Server, token: str, place: Place
):
    """Whatever the client has seen before."""
    await booked(client, place.people[0], place.events[0])
    resumed = {"last-event-id": await newest(client)}
    query = SEATS_CHANGED.replace("{ event", "{ cursor event")

    async with streaming(
        server.host, token, query, events=place.events[:1], headers=resumed
    ) as stream:
        event = await stream.event()

    change = event.data["data"]["seatsChanged"]
    assert change["seats"] == {"taken": 1}
    assert change["cursor"] == event.id


async def test_an_id_that_is_no_cursor_is_refused(server: Server, token: str):
    headers = {"last-event-id": "17"}
    async with streaming(server.host, token, CURSORS, headers=headers) as stream:
        event = await stream.event()
        end = await stream.rest()

    [error] = event.data["errors"]
    assert error["extensions"]["path"] == ["after"]
    assert end == b"event: complete\ndata:\n\n"
