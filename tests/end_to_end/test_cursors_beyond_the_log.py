"""Cursors that the log has not reached, as clients have them after a restore from a backup."""

from collections.abc import Sequence
from typing import Any

import pytest

from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.outcomes import Outcome
from resolvers.storage import UnitOfWork
from resolvers.storage.rows import changed
from resolvers.storage.tables import ChangeLog, LogPosition
from tests.end_to_end.clients import Client, Socket
from tests.end_to_end.watching import (
    BOOKING_CHANGES,
    CURSORS,
    EVENT_CURSORS,
    SEATS_CHANGED,
    Place,
    booked,
    end_of_log,
)

HISTORY = """
    query ($id: ID!, $after: String) {
        booking(id: $id) { history(first: 5, after: $after) { nodes { cursor } } }
    }
"""
# introspection has no plan, so graphql-core answers this one
BY_GRAPHQL_CORE = "query ($after: String) { __schema { queryType { name } } %s }"


def beyond(cursor: str, by: int) -> str:
    [position] = IN_COMMIT_ORDER.place(cursor, "after")
    return IN_COMMIT_ORDER.cursor_of([position + by])


async def complaint(client: Client, document: str, **variables: Any) -> Any:
    answer = (await client.answer(document, **variables)).json()
    [error] = answer["errors"]
    return error


def require_beyond(error: Any) -> None:
    assert error["extensions"]["code"] == "INVALID_VALUE"
    assert error["extensions"]["path"] == ["after"]
    assert error["message"].startswith("'after' is beyond the end of the log of changes.")


async def test_a_page_after_a_cursor_that_the_log_has_not_reached_is_refused(
    client: Client, place: Place
):
    """With a plan and without one; the log's end itself is a place like any other."""
    booking = await booked(client, place.people[0], place.events[0])
    end = await end_of_log(place)
    selection = "bookingChanges(after: $after) { nodes { cursor } }"

    for document in (BOOKING_CHANGES, BY_GRAPHQL_CORE % selection):
        require_beyond(await complaint(client, document, after=beyond(end, 1)))
    for by in (1, 2**40):
        require_beyond(await complaint(client, HISTORY, id=booking, after=beyond(end, by)))

    assert (await client.ask(BOOKING_CHANGES, after=end))["nodes"] == []
    assert (await client.ask(HISTORY, id=booking, after=end))["history"]["nodes"] == []


@pytest.mark.parametrize("document", [CURSORS, EVENT_CURSORS])
async def test_a_subscription_after_such_a_cursor_is_refused(
    client: Client, socket: Socket, place: Place, document: str
):
    await booked(client, place.people[0], place.events[0])

    await socket.subscribe(document, after=beyond(await end_of_log(place), 1))

    message = await socket.message()
    assert message["type"] == "error"
    [error] = message["payload"]
    require_beyond(error)


async def restore(place: Place, position: int) -> None:
    """Put the log back to an earlier end, as a backup has it."""
    organization_id = place.world.viewer.organization_id
    [log] = await place.world.rows(LogPosition, "organization_id", organization_id)
    later = [row for row in await place.world.changes() if row.position > position]

    def run(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
        keys = ("organization_id", "position")
        work.delete(ChangeLog, [{key: getattr(row, key) for key in keys} for row in later])
        work.save(LogPosition, [(log, changed(log, position=position))])
        return [Outcome(organization_id)]

    await place.world.storage.write(run, [None])


async def test_a_restore_ends_open_subscriptions_and_counts_seats_again(
    client: Client, socket: Socket, place: Place
):
    """Silence would hide every change up to the position that the subscriber has seen."""
    event = place.events[0]
    before = await end_of_log(place)
    await booked(client, place.people[0], event)
    await socket.subscribe(CURSORS, after=before)
    await socket.next()
    await socket.subscribe(SEATS_CHANGED, operation="seats", events=[event])
    assert (await socket.next("seats"))["seats"] == {"taken": 1}

    await restore(place, IN_COMMIT_ORDER.place(before, "after")[0])

    message = await socket.message()
    assert message["type"] == "error"
    require_beyond(message["payload"][0])
    await booked(client, place.people[1], event)
    assert (await socket.next("seats"))["seats"] == {"taken": 2}
