"""Files at their addresses: who gets them, how they end, and what is said to everybody else."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from gateway.export_addresses import ExportAddresses
from gateway.export_slots import SLOTS
from gateway.exports import ROWS
from gateway.security_headers import HEADERS
from resolvers.exports.asked import EventExport
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.filters import NO_FILTER, Condition, Operator
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Event
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import EventKind, ExportFormat, Permission, Role
from tests.conftest import SettableClock, run_statements
from tests.gateway.conftest import SECRET
from tests.patience import PATIENCE

Url = Callable[..., str]
FORMATS = list(ExportFormat)


@pytest.fixture
def url(viewer: Viewer, clock: SettableClock) -> Url:
    """The address of a file of all events, for an administrator unless for another."""

    def made(
        format: ExportFormat = ExportFormat.CSV, seen_by: Viewer = viewer, **asked: Any
    ) -> str:
        export = EventExport(**{"filter": NO_FILTER, "sort": (), "format": format, **asked})
        return ExportAddresses(SECRET, clock).file(seen_by, export).url

    return made


@pytest.fixture
async def many(storage: Storage, viewer: Viewer, clock: SettableClock) -> int:
    """Events for several batches; how many there are."""
    count = 5 * ROWS + 1
    row = {"time_zone": "UTC", "last_change_time": clock.now, "kind": EventKind.EXAM}

    def insert(work: UnitOfWork, titles: Sequence[str]) -> list[Outcome | Refused]:
        keys = [new_key() for _ in titles]
        rows = [
            {**row, "title": title, "start_at": clock.now + timedelta(minutes=n)}
            for n, title in enumerate(titles)
        ]
        work.insert(
            Event,
            [
                new_row(
                    Event, id=key, identifier=key, organization_id=viewer.organization_id, **values
                )
                for key, values in zip(keys, rows, strict=True)
            ],
        )
        return [Outcome(key) for key in keys]

    await storage.write(insert, [f"Event {n} " + "x" * 180 for n in range(count)])
    return count


def told(response: httpx.Response) -> tuple[int, str]:
    [error] = response.json()["errors"]
    assert error["message"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, error["extensions"]["code"]


@pytest.mark.parametrize("format", FORMATS)
async def test_a_file_needs_no_token_and_is_to_be_saved(
    anonymous: httpx.AsyncClient, url: Url, format: ExportFormat
) -> None:
    """Every response of the gateway has its security headers, and no cache keeps a file."""
    response = await anonymous.get(url(format))

    assert response.status_code == 200
    assert response.content
    headers = response.headers
    name = f"events-2027-01-11.{format.lower()}"
    assert headers["content-disposition"] == f'attachment; filename="{name}"'
    assert headers["cache-control"] == "no-store"
    assert {name: headers[name] for name in HEADERS} == HEADERS


async def test_head_tells_what_get_would(anonymous: httpx.AsyncClient, url: Url) -> None:
    head, get = await anonymous.head(url()), await anonymous.get(url())

    assert head.status_code == 200
    assert not head.content
    assert head.headers == get.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_told_which_are_right(
    anonymous: httpx.AsyncClient, url: Url, method: str
) -> None:
    response = await anonymous.request(method, url())

    assert told(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, HEAD"
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


async def test_an_expired_address_says_so(
    anonymous: httpx.AsyncClient, url: Url, clock: SettableClock
) -> None:
    made = url()
    clock.now += timedelta(minutes=6)

    assert told(await anonymous.get(made)) == (410, "EXPIRED")


@pytest.mark.parametrize("path", ["/exports/", "/exports/x", "/exports/a/b.c.d"])
async def test_what_is_no_address_is_forbidden(anonymous: httpx.AsyncClient, path: str) -> None:
    assert told(await anonymous.get(path)) == (403, "FORBIDDEN")


async def test_a_changed_address_is_forbidden(anonymous: httpx.AsyncClient, url: Url) -> None:
    assert told(await anonymous.get(f"{url()[:-12]}{'A' * 12}")) == (403, "FORBIDDEN")


async def test_rights_are_those_at_the_time_of_fetching(
    anonymous: httpx.AsyncClient, storage: Storage, viewer: Viewer, url: Url
) -> None:
    """A user who is not active any more, or was never there, gets nothing."""
    cleo = {"viewer": viewer, "reference": "U1", "name": "Cleo", "role": Role.CENTRE_STAFF}
    [made] = await storage.write(upsert_users, [UpsertUser(**cleo)])
    assert isinstance(made, Outcome)
    theirs = url(seen_by=user(viewer, made.subject))
    assert (await anonymous.get(theirs)).status_code == 200

    await storage.write(upsert_users, [UpsertUser(**cleo, active=False)])

    assert told(await anonymous.get(theirs)) == (403, "FORBIDDEN")
    assert told(await anonymous.get(url(seen_by=user(viewer, new_key())))) == (403, "FORBIDDEN")


async def test_a_right_that_ends_in_the_middle_ends_the_file(
    app: Starlette,
    storage: Storage,
    viewer: Viewer,
    url: Url,
    many: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once the user is deactivated no further rows are sent, and the file is not complete."""
    cleo = {"viewer": viewer, "reference": "U1", "name": "Cleo", "role": Role.CENTRE_STAFF}
    [made] = await storage.write(upsert_users, [UpsertUser(**cleo)])
    assert isinstance(made, Outcome)
    client = Connection(app, url(seen_by=user(viewer, made.subject)), takes=1)
    running = asyncio.create_task(client.run())
    await client.taken.wait()

    await storage.write(upsert_users, [UpsertUser(**cleo, active=False)])
    client.goes_on.set()

    async with asyncio.timeout(PATIENCE):
        await running
    assert (client.status, client.ended) == (200, False)
    assert len(client.pieces) <= 2
    assert "no longer permitted to read it" in caplog.text


async def test_whoever_has_lost_read_gets_nothing(
    anonymous: httpx.AsyncClient, viewer: Viewer, url: Url, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = url()
    monkeypatch.setitem(PERMISSIONS, Role.ADMIN, viewer.permissions - {Permission.READ})

    assert told(await anonymous.get(made)) == (403, "FORBIDDEN")


class Connection:
    """A client of the application itself: it takes so many pieces, then waits."""

    def __init__(self, app: Starlette, url: str, *, takes: int) -> None:
        self._app, self._url, self._takes = app, url, takes
        self.status: int | None = None
        self.pieces: list[bytes] = []
        self.ended = False
        self.taken = asyncio.Event()
        self.gone = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": self._url,
            "raw_path": self._url.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(b"host", b"gateway")],
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if len(self.pieces) == self._takes:
            self.taken.set()
            await self.goes_on.wait()
        self.pieces.append(message["body"])
        self.ended = not message.get("more_body", False)


async def test_every_event_is_in_the_file_and_comes_bit_by_bit(
    app: Starlette, url: Url, many: int
) -> None:
    client = Connection(app, url(ExportFormat.JSON), takes=1_000)

    await client.run()

    assert client.ended
    assert len(client.pieces) >= many / ROWS
    assert len(json.loads(b"".join(client.pieces))) == many


@pytest.mark.both_databases
async def test_a_client_that_goes_away_ends_the_reading(
    app: Starlette, url: Url, many: int
) -> None:
    """Though the piece on its way to it never arrives."""
    client = Connection(app, url(), takes=2)
    running = asyncio.create_task(client.run())
    await client.taken.wait()

    client.gone.set()

    async with asyncio.timeout(PATIENCE):
        await running
    assert (client.status, len(client.pieces), client.ended) == (200, 2, False)


async def test_a_client_that_takes_nothing_is_given_up(
    app: Starlette,
    url: Url,
    many: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Or the database would keep for it what everybody else has deleted."""
    monkeypatch.setattr("gateway.exports.SEND_SECONDS", 0.05)
    client = Connection(app, url(), takes=2)

    async with asyncio.timeout(PATIENCE):
        await client.run()

    assert (len(client.pieces), client.ended) == (2, False)
    assert "took too long" in caplog.text


@pytest.mark.parametrize("format", FORMATS)
async def test_a_file_that_is_given_up_leaves_room_for_others(
    app: Starlette,
    anonymous: httpx.AsyncClient,
    viewer: Viewer,
    url: Url,
    many: int,
    format: ExportFormat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While all slots are taken, other requests get an error after a limited wait."""
    monkeypatch.setattr("gateway.export_slots.WAIT_SECONDS", 0.05)
    viewers = [replace(viewer, key=f"viewer {n}") for n in range(SLOTS)]
    clients = [Connection(app, url(format, each), takes=1) for each in viewers]
    running = [asyncio.create_task(client.run()) for client in clients]
    for client in clients:
        await client.taken.wait()

    busy = await anonymous.get(url())
    assert told(busy) == (503, "OVERLOADED")
    assert busy.headers["retry-after"] == "5"
    assert busy.json()["errors"][0]["extensions"]["retryAfterSeconds"] == 5

    for client in clients:
        client.gone.set()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    assert (await anonymous.get(url())).status_code == 200


async def test_slow_downloads_of_one_viewer_do_not_delay_another(
    app: Starlette, anonymous: httpx.AsyncClient, viewer: Viewer, url: Url, many: int
) -> None:
    """One of them is written; the others wait, and leave the queue when they disconnect."""
    slow = replace(viewer, key="slow")
    clients = [Connection(app, url(seen_by=slow), takes=1) for _ in range(SLOTS)]
    running = [asyncio.create_task(client.run()) for client in clients]
    first, *waiting = clients
    await first.taken.wait()

    async with asyncio.timeout(PATIENCE):
        assert (await anonymous.get(url())).status_code == 200
    assert [client.status for client in waiting] == [None] * len(waiting)

    for client in waiting[:-1]:
        client.gone.set()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running[1:-1])
    first.goes_on.set()
    waiting[-1].goes_on.set()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    assert [client.ended for client in clients] == [True, False, False, True]


async def test_a_right_that_ends_during_the_wait_ends_the_request(
    app: Starlette, storage: Storage, viewer: Viewer, url: Url, many: int
) -> None:
    cleo = {"viewer": viewer, "reference": "U1", "name": "Cleo", "role": Role.CENTRE_STAFF}
    [made] = await storage.write(upsert_users, [UpsertUser(**cleo)])
    assert isinstance(made, Outcome)
    theirs = url(seen_by=user(viewer, made.subject))
    first, second = Connection(app, theirs, takes=1), Connection(app, theirs, takes=1)
    running = [asyncio.create_task(client.run()) for client in (first, second)]
    await first.taken.wait()

    await storage.write(upsert_users, [UpsertUser(**cleo, active=False)])
    first.gone.set()

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    assert second.status == 403


async def test_a_fault_before_the_first_row_is_an_answer(
    anonymous: httpx.AsyncClient, url: Url, caplog: pytest.LogCaptureFixture
) -> None:
    """With a reference, and nothing of what went wrong."""
    broken = url(filter=Condition("no_such_criterion", Operator.EQ, 1))

    response = await anonymous.get(broken)

    assert told(response) == (500, "INTERNAL")
    assert "no_such_criterion" not in response.text
    [record] = caplog.records
    assert response.json()["errors"][0]["message"].split()[-1] in record.getMessage()


@pytest.mark.both_databases
async def test_a_fault_in_the_middle_is_not_the_end_of_the_file(
    app: Starlette, url: Url, many: int, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What was sent cannot be taken back; only a file that is whole ends properly."""
    client = Connection(app, url(), takes=1)
    if database_url.startswith("sqlite"):
        make_unreadable(database_url)
    running = asyncio.create_task(client.run())
    await client.taken.wait()
    if database_url.startswith("postgresql"):
        await run_statements(database_url, [END_STREAMS])
    client.goes_on.set()

    async with asyncio.timeout(PATIENCE):
        await running

    assert client.status == 200
    assert not client.ended
    [record] = caplog.records
    logged = (
        "Internal error. Reference:" if database_url.startswith("sqlite") else "An export ended:"
    )
    assert record.getMessage().startswith(logged)


END_STREAMS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
"""


def make_unreadable(database_url: str) -> None:
    """Make the start of the last event what no instant is."""
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        connection.execute(
            "UPDATE event SET start_at = 'unknown' "
            "WHERE start_at = (SELECT max(start_at) FROM event)"
        )
        connection.commit()


def user(viewer: Viewer, key: UUID) -> Viewer:
    return Viewer(
        organization_id=viewer.organization_id,
        role=Role.CENTRE_STAFF,
        name="Cleo",
        key=key.hex,
        permissions=PERMISSIONS[Role.CENTRE_STAFF],
        user_id=key,
    )
