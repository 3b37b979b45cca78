"""Cursors that are older than the changes that are kept."""

from datetime import timedelta
from typing import Any

import pytest

from resolvers.log_retention import DeleteOldChanges, delete_old_changes
from tests.end_to_end.clients import Client, Socket
from tests.end_to_end.test_cursors_beyond_the_log import BY_GRAPHQL_CORE, HISTORY, complaint
from tests.end_to_end.watching import (
    BOOKING_CHANGES,
    CANCEL,
    CURSORS,
    EVENT_CURSORS,
    Place,
    booked,
    end_of_log,
)

WHOLE_HISTORY = "query ($id: ID!) { booking(id: $id) { history { totalCount nodes { type } } } }"


async def delete_changes(place: Place) -> None:
    """Delete every change that there is, as a worker does once they are old."""
    command = DeleteOldChanges(place.world.viewer.organization_id, timedelta(0))
    await place.world.one(delete_old_changes, command)
    assert await place.world.changes() == []


def require_expired(error: Any) -> None:
    assert error["extensions"]["code"] == "CURSOR_EXPIRED"
    assert error["extensions"]["path"] == ["after"]
    assert error["message"] == (
        "'after' is older than the changes that are kept. Read the current state, then continue "
        "with its changesCursor"
    )


@pytest.mark.both_databases
async def test_a_page_after_an_expired_cursor_is_refused(client: Client, place: Place):
    """With a plan and without one; the position before the first kept change is valid."""
    start = await end_of_log(place)
    booking = await booked(client, place.people[0], place.events[0])
    last_deleted = await end_of_log(place)
    await delete_changes(place)
    for person in place.people[1:3]:  # the log without changes, then one with changes
        selection = "bookingChanges(after: $after) { nodes { cursor } }"
        for document in (BOOKING_CHANGES, BY_GRAPHQL_CORE % selection):
            require_expired(await complaint(client, document, after=start))
            await client.ask(document, after=last_deleted)
        require_expired(await complaint(client, HISTORY, id=booking, after=start))
        await client.ask(HISTORY, id=booking, after=last_deleted)
        await booked(client, person, place.events[1])


@pytest.mark.both_databases
@pytest.mark.parametrize("document", [CURSORS, EVENT_CURSORS])
async def test_a_subscription_after_an_expired_cursor_is_refused(
    client: Client, socket: Socket, place: Place, document: str
):
    """The client is not left with a gap; the socket and its other operations go on."""
    start = await end_of_log(place)
    await booked(client, place.people[0], place.events[0])
    last_deleted = await end_of_log(place)
    await delete_changes(place)

    await socket.subscribe(document, after=start)
    await socket.subscribe(CURSORS, operation="valid", after=last_deleted)

    message = await socket.message()
    assert message["type"] == "error"
    [error] = message["payload"]
    require_expired(error)
    await booked(client, place.people[1], place.events[0])
    assert (await socket.next("valid"))["cursor"] == await end_of_log(place)


async def test_an_open_subscription_goes_on(client: Client, socket: Socket, place: Place):
    """What it has received can be deleted."""
    await socket.subscribe(CURSORS, after=await end_of_log(place))
    await booked(client, place.people[0], place.events[0])
    await socket.next()

    await delete_changes(place)

    await booked(client, place.people[1], place.events[0])
    assert (await socket.next())["cursor"] == await end_of_log(place)


async def test_a_history_begins_with_the_oldest_change_that_is_kept(client: Client, place: Place):
    """And counts only those."""
    booking = await booked(client, place.people[0], place.events[0])
    await delete_changes(place)
    assert (await client.ask(CANCEL, booking=booking))["errors"] == []

    found = await client.ask(WHOLE_HISTORY, id=booking)

    assert found["history"] == {"totalCount": 1, "nodes": [{"type": "CANCELLED"}]}
