"""The service as a whole: the page, its parts, health and headers."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.embedded_worker import TASK
from gateway.settings import EMBEDDED, Settings
from resolvers.notifications import outbox
from resolvers.storage import storage_at
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingStatus
from tests.gateway.conftest import SCHEMA, SECRET
from tests.gateway.migrating import run_script
from tests.patience import eventually
from tests.resolvers.agent_bookings.conftest import School

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def client_of(settings: Settings) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(settings, SCHEMA))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_a_browser_gets_the_page(anonymous: httpx.AsyncClient):
    response = await anonymous.get("/graphql", headers=HTML)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "graphiql" in response.text


async def test_what_the_page_needs_is_served_and_kept(anonymous: httpx.AsyncClient):
    response = await anonymous.get("/graphql/assets/main.js")

    assert response.status_code == 200
    assert "javascript" in response.headers["content-type"]
    assert response.headers["cache-control"] == "public, max-age=86400"


async def test_nothing_beside_the_pages_files_is_served(anonymous: httpx.AsyncClient):
    response = await anonymous.get("/graphql/assets/%2e%2e/__init__.py")

    assert response.status_code == 404


async def test_the_page_opens_with_the_token_of_the_settings():
    settings = Settings(
        database_url="sqlite:///unused.db", jwt_secret=SECRET, graphiql_token="aaa.bbb.ccc"
    )

    async with client_of(settings) as client:
        response = await client.get("/graphql", headers=HTML)

    assert "aaa.bbb.ccc" in response.text


@pytest.mark.parametrize("path", ["/graphql", "/graphql/assets/main.js"])
async def test_a_gateway_without_the_page_has_none(path: str):
    settings = Settings(database_url="sqlite:///unused.db", jwt_secret=SECRET, graphiql=False)

    async with client_of(settings) as client:
        response = await client.get(path, headers=HTML)

    assert response.status_code in {401, 404}


async def test_the_root_leads_to_the_page(anonymous: httpx.AsyncClient):
    response = await anonymous.get("/", headers=HTML)

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


@pytest.mark.parametrize("path", ["/graphql", "/health", "/graphql/assets/main.css", "/nothing"])
async def test_no_response_may_be_sniffed(anonymous: httpx.AsyncClient, path: str):
    response = await anonymous.get(path)

    assert response.headers["x-content-type-options"] == "nosniff"


async def test_health_is_that_of_the_database(anonymous: httpx.AsyncClient, app: Starlette):
    assert (await anonymous.get("/health")).status_code == 200

    await app.state.storage._disconnect()

    await eventually(lambda: _health_is(anonymous, 503))


async def test_health_is_not_ok_once_the_database_file_was_deleted(
    anonymous: httpx.AsyncClient, settings: Settings
):
    """The rows of the deleted file could still be read, and would be lost with the process."""
    assert (await anonymous.get("/health")).status_code == 200

    await asyncio.to_thread(Path(settings.database_url.removeprefix("sqlite:///")).unlink)

    await eventually(lambda: _health_is(anonymous, 503))


async def test_health_names_the_first_difference_of_the_tables(
    anonymous: httpx.AsyncClient, settings: Settings
):
    """A process that serves already finds out when the tables change under it."""
    await asyncio.to_thread(
        run_script, settings.database_url, "ALTER TABLE room RENAME COLUMN capacity TO seats"
    )

    damaged = await anonymous.get("/health")
    await asyncio.to_thread(
        run_script, settings.database_url, "ALTER TABLE room RENAME COLUMN seats TO capacity"
    )

    assert (damaged.status_code, damaged.json()) == (
        503,
        {
            "status": "the database's tables differ",
            "difference": "the column room.capacity is missing",
        },
    )
    await eventually(lambda: _health_is(anonymous, 200))


async def _health_is(anonymous: httpx.AsyncClient, status: int) -> bool:
    """Whether the health is reported with a status; a slow check is reported by the next call."""
    return (await anonymous.get("/health")).status_code == status


async def test_health_tells_who_answers(client: httpx.AsyncClient):
    """Plans, or graphql-core where there is none."""
    for query in (
        "{ __schema { queryType { name } } }",
        "{ __typename }",
        '{ __type(name: "Query") { name } }',
    ):
        await client.post("/graphql", json={"query": query})

    told = (await client.get("/health")).json()

    assert told["operations"] == {"planned": 1, "gaveUp": 0, "notPlanned": 2}


async def test_the_background_work_is_in_the_service(settings: Settings, viewer: Viewer):
    """What an agency has put is judged by whoever serves, and no longer once the service ends."""
    app = create_app(settings.model_copy(update={"worker": EMBEDDED}), SCHEMA)
    async with app.router.lifespan_context(app):
        world = School(app.state.storage, viewer)
        key = await world.booked()

        async def judged() -> bool:
            return (await world.row(key)).status is not BookingStatus.PENDING

        await eventually(judged)
        assert (await world.row(key)).status is BookingStatus.INVALID
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "worker"]


def test_an_unknown_database_stops_the_start():
    with pytest.raises(ValueError, match="expected sqlite:///FILE"):
        storage_at("mysql://x", outbox.fill)


async def test_background_work_that_ends_by_itself_begins_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
):
    app = create_app(settings.model_copy(update={"worker": EMBEDDED}), SCHEMA)

    async with app.router.lifespan_context(app):
        [first] = await eventually(running_workers)
        first.cancel()
        await asyncio.wait([first])
        [second] = await eventually(running_workers)

    assert second is not first
    assert "The background work ended unexpectedly; it starts again" in caplog.messages
    assert second.done()
    assert not second.cancelled()


def running_workers() -> "list[asyncio.Task[None]]":
    return [task for task in asyncio.all_tasks() if task.get_name() == TASK]
