"""The pattern of docs/subscriptions.md: read a list, then subscribe after its `changesCursor`."""

import re
from typing import Any

import pytest

from tests.end_to_end.clients import Client, Socket
from tests.end_to_end.watching import Place, booked
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "subscriptions.md").read_text(encoding="utf-8")
HEADER = {"GraphQL-Changes-Cursor": "true"}
NEWEST = "{ changesCursor bookingChanges(last: 1) { pageInfo { endCursor } } }"
SHOWN = """
    subscription ($after: String) {
        bookingChanged(after: $after) {
            cursor booking { changesCursor history { changesCursor } event { changesCursor } }
        }
    }
"""


def example(name: str) -> str:
    """The document on the page with an operation of this name."""
    [found] = re.findall(
        rf"^```graphql\n((?:query|subscription) {name}\b.*?)^```$", PAGE, re.M | re.S
    )
    return str(found)


@pytest.mark.both_databases
async def test_what_is_booked_between_the_read_and_the_subscription_is_received(
    client: Client, socket: Socket, place: Place
):
    """Each booking is in the list, or comes from the subscription, or both."""
    people = place.people[:30]
    for person in people[:10]:
        await booked(client, person, place.events[0])
    read = await client.ask(example("CurrentBookings"))
    for person in people[10:20]:
        await booked(client, person, place.events[0])

    await socket.subscribe(example("ThenFollow"), after=read["changesCursor"])
    for person in people[20:]:
        await booked(client, person, place.events[0])

    listed = [node["id"] for node in read["nodes"]]
    told = [change["booking"]["id"] for change in await socket.several(20)]
    assert len(set(listed)) == 10
    assert len({*listed, *told}) == 30


async def test_a_header_asks_for_it_in_the_extensions(client: Client, place: Place):
    """Of a query that selects something else; the response has it only with the header."""
    await booked(client, place.people[0], place.events[0])
    asked = {"query": NEWEST}

    with_header = (await client.http.post("/graphql", json=asked, headers=HEADER)).json()
    without = (await client.http.post("/graphql", json=asked)).json()

    data = with_header["data"]
    assert with_header["extensions"] == {"changesCursor": data["changesCursor"]}
    assert data["changesCursor"] == data["bookingChanges"]["pageInfo"]["endCursor"]
    assert without == {"data": data}


async def test_a_change_that_is_delivered_shows_its_own_cursor(
    client: Client, socket: Socket, place: Place
):
    """A client that reads a whole booking with each change continues after that change."""
    start = await client.ask("{ changesCursor }")
    await booked(client, place.people[0], place.events[0])
    await booked(client, place.people[1], place.events[0])

    await socket.subscribe(SHOWN, after=start)

    for change in await socket.several(2):
        assert cursors(change["booking"]) == {change["cursor"]}


def cursors(shown: Any) -> set[str]:
    """Every `changesCursor` in an object."""
    inner = [cursors(value) for value in shown.values() if isinstance(value, dict)]
    return {shown["changesCursor"]}.union(*inner)
