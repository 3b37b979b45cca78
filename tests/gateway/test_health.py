"""Health: it answers at once, also while the database does not."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.settings import Settings
from tests.gateway.conftest import SCHEMA, SECRET
from tests.patience import PATIENCE, eventually
from tests.resolvers.storage.proxy import Proxy


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    if not database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL only")
    async with Proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def app(proxy: Proxy) -> AsyncIterator[Starlette]:
    """A gateway behind the proxy that would wait for minutes for an answer of the database."""
    settings = Settings(
        database_url=proxy.url, jwt_secret=SECRET, worker="off", statement_seconds=PATIENCE
    )
    app = create_app(settings, SCHEMA)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def anonymous(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.both_databases
async def test_a_silent_database_is_reported_at_once(anonymous: httpx.AsyncClient, proxy: Proxy):
    async def status() -> int:
        async with asyncio.timeout(PATIENCE / 4):
            return (await anonymous.get("/health")).status_code

    assert await status() == 200
    proxy.stop_forwarding()

    await eventually(lambda: _is(status, 503))
    assert (await anonymous.get("/health/live")).json() == {"status": "live"}

    proxy.forward_again()
    await eventually(lambda: _is(status, 200))


async def _is(status: object, expected: int) -> bool:
    return await status() == expected  # type: ignore[operator]
