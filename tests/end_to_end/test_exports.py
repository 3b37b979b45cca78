"""Files of events, asked for and fetched as a client does it."""

import asyncio
import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import icalendar
import openpyxl
import pytest

from resolvers.exports.fields import FIELDS
from tests.end_to_end.clients import Client, client_of
from tests.end_to_end.conftest import ClientAs
from tests.end_to_end.servers import Server
from tests.patience import PATIENCE
from tests.resolvers.world import World

EXPORT = """
    query ($format: ExportFormat!, $filter: EventFilter, $includes: [String!]) {
        exportEvents(format: $format, filter: $filter, includes: $includes) {
            url fileName contentType expiresAt
        }
    }
"""
NAMES = ["EventTitle", "EventNumber", "EventScheduledStart"]


@pytest.fixture
async def events(world: World) -> None:
    """Two events, and one without a start."""
    centre = await world.centre()
    room = await world.room(centre, "Hall")
    start = datetime(2031, 3, 1, 9, tzinfo=UTC)
    await world.event(title="=1+1", start_at=start, centre=centre, room=room, number=-5)
    await world.event(title="Zoë; 試験, twice", start_at=start.replace(hour=12), centre=centre)
    await world.event(title="Some day", start_at=None, centre=centre)


async def fetched(client: Client, format: str, **asked: Any) -> httpx.Response:
    """The file, fetched by somebody who has nothing but the address."""
    file = await client.ask(EXPORT, format=format, **asked)
    base = client.http.base_url
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE, verify=False) as anybody:
        response = await anybody.get(file["url"])
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == file["contentType"]
    assert file["fileName"] in response.headers["content-disposition"]
    return response


async def test_csv(client: Client, events: None) -> None:
    response = await fetched(client, "CSV", includes=NAMES)

    assert list(csv.reader(io.StringIO(response.text, newline=""))) == [
        NAMES,
        ["'=1+1", "-5", "2031-03-01T09:00:00.000Z"],
        ["Zoë; 試験, twice", "", "2031-03-01T12:00:00.000Z"],
        ["Some day", "", ""],
    ]


async def test_json(client: Client, events: None) -> None:
    told = (await fetched(client, "JSON")).json()

    assert [event["EventTitle"] for event in told] == ["=1+1", "Zoë; 試験, twice", "Some day"]
    assert all(list(event) == [field.name for field in FIELDS] for event in told)


async def test_xlsx(client: Client, events: None) -> None:
    response = await fetched(client, "XLSX", includes=NAMES)

    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert list(sheet.iter_rows(values_only=True)) == [
        tuple(NAMES),
        ("'=1+1", -5, "2031-03-01T09:00:00.000Z"),
        ("Zoë; 試験, twice", None, "2031-03-01T12:00:00.000Z"),
        ("Some day", None, None),
    ]


async def test_ics(client: Client, events: None) -> None:
    """What has no start is in no calendar."""
    response = await fetched(client, "ICS")

    one, two = icalendar.Calendar.from_ical(response.content).walk("VEVENT")
    assert (one["SUMMARY"], one["LOCATION"]) == ("=1+1", "Hall, LON centre")
    assert one.decoded("DTSTART") == datetime(2031, 3, 1, 9, tzinfo=UTC)
    assert one.decoded("DTEND") == datetime(2031, 3, 1, 10, tzinfo=UTC)
    assert two["SUMMARY"] == "Zoë; 試験, twice"
    assert one["UID"] != two["UID"]


async def test_the_filter_counts(client: Client, events: None) -> None:
    response = await fetched(client, "JSON", filter={"title": {"contains": "zoë"}})

    assert [event["EventTitle"] for event in response.json()] == ["Zoë; 試験, twice"]


async def test_an_address_is_good_for_what_the_one_who_asked_may_see(
    server: Server, token_of: Callable[..., str], client: Client, events: None
) -> None:
    """Whoever has no token gets no address, and an address lets nobody in."""
    file = await client.ask(EXPORT, format="CSV")
    async with client_of(server.host, file["url"].rpartition("/")[2]) as intruder:
        assert (await intruder.answer("{ viewer { role } }")).status_code == 401

    async with client_of(server.host, token_of(role="invigilator")) as invigilator:
        assert len((await fetched(invigilator, "JSON")).json()) == 3


async def test_what_is_not_to_be_had_is_told_in_json(client: Client) -> None:
    """The same over a real connection, where HEAD has no body at all."""
    url = (await client.ask(EXPORT, format="CSV"))["url"]

    head = await client.http.head(url)
    posted = await client.http.post(url, json={})
    changed = await client.http.get(f"{url[:-12]}{'A' * 12}")

    assert (head.status_code, head.content) == (200, b"")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert changed.status_code == 403
    for response in (posted, changed):
        assert response.json()["errors"][0]["message"]
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.fixture
async def long_events(world: World) -> int:
    """More than the connection between two programs holds back; how many they are."""
    long = "x" * 20_000
    for _ in range(4):
        await asyncio.gather(*(world.event(title="Long", content=long) for _ in range(150)))
    return 600


async def begun(server: Server, url: str) -> asyncio.StreamWriter:
    """A file whose client has seen the first line of the response, and takes no more."""
    host, port = server.host.split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    return writer


async def test_a_slow_download_delays_only_files_of_the_same_caller(
    server: Server, client: Client, client_as: ClientAs, world: World, long_events: int
) -> None:
    """The caller's next file waits until the client of the first disconnects."""
    url = (await client.ask(EXPORT, format="JSON"))["url"]
    writer = await begun(server, url)
    second = asyncio.create_task(client.http.get(url))

    assert await client.ask("{ eventCount }") == long_events
    await world.event(title="Later")
    other = await client_as(role="admin")
    assert len((await fetched(other, "JSON")).json()) == long_events + 1
    assert not second.done()

    writer.close()
    async with asyncio.timeout(PATIENCE):
        assert (await second).status_code == 200
