"""Real databases for every test: a file, and a database on GATEWAY_TEST_POSTGRES_URL's server.

A test that uses a database runs once, on SQLite. A test of SQL, locks, query plans or migrations
runs on both databases: mark it, or its module, with `both_databases`:

    pytestmark = pytest.mark.both_databases

Mark what the databases can disagree about: races, constraints, filters, pages, sorting, queues and
streams. Rules, messages, mappings, importers, HTTP and the command line run once. Each read and
each command still runs on PostgreSQL somewhere: tests/plan runs every mutation on both databases.

A test that needs the demo copies `demo_template`. An end-to-end test whose requests only read, or
are all refused, takes `shared_client` or `shared` in place of a server of its own. A test that
starts a process does it through tests/processes.py, and waits through tests/patience.py.

Each process migrates once; then a file is a copy, and the server's database is emptied after each
test. `async def` tests and fixtures run on uvloop, as the gateway does.
"""

import asyncio
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from demo.organization import make_demo
from gateway import memory, warming
from resolvers.notifications import outbox
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, storage_at
from resolvers.storage.migrate import migrate
from resolvers.storage.read import Statements
from resolvers.storage.tables import metadata
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role
from tests import shapes
from tests.seats import miscounted, miscounted_through

POSTGRES_URL = os.environ.get("GATEWAY_TEST_POSTGRES_URL")
DATABASES = ["sqlite", "postgresql"] if POSTGRES_URL else ["sqlite"]
SEED = int(os.environ.setdefault("GATEWAY_TEST_SEED", str(datetime.now(UTC).toordinal())))
"""Chooses the quarter of the generated documents that this run compares: another one each day."""

DEMO_AT: Final = datetime(2027, 1, 11, 12, 0, tzinfo=UTC)

DISCONNECT_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))


MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
    # every commit waits for its file; files in memory answer at once
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


# the documents that a server compiles in the background are not valid in the small schemas of tests
warming.DELAY_SECONDS = 3_600  # type: ignore[misc]


Statements.checks.append(shapes.check)


def pytest_report_header() -> str:
    return f"GATEWAY_TEST_SEED={SEED} repeats this run's choice of generated documents"


def pytest_collection_finish() -> None:
    """Collect garbage as a server does. With Python's defaults it takes 15 % of the CPU time."""
    memory.settle()


def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> None:
    """An `async def` test needs no mark."""
    if collector.istestfunction(obj, name) and inspect.iscoroutinefunction(obj):
        pytest.mark.usefixtures("anyio_backend")(obj)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test its database: both if it is marked so, otherwise SQLite."""
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database" not in metafunc.fixturenames or any("database" in names for names in chosen):
        return
    if metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("database", DATABASES, scope="session")
    else:
        metafunc.parametrize("database", ["sqlite"], ids=[pytest.HIDDEN_PARAM], scope="session")


@pytest.fixture(autouse=True)
def unshared_shapes() -> Iterator[None]:
    """Each shape is that of one statement; see tests/shapes.py."""
    yield
    assert shapes.shared() == []


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


class SettableClock:
    """The storage's clock, at `now` until a test says otherwise."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> SettableClock:
    """A Monday in winter, at noon."""
    return SettableClock(datetime(2027, 1, 11, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "gateway.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def demo_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo, as it was made at DEMO_AT. Copy it; it takes seconds to make."""
    file = tmp_path_factory.mktemp("demo") / "gateway.db"
    shutil.copy(sqlite_template, file)
    assert asyncio.run(make_demo(f"sqlite:///{file}", DEMO_AT))
    return file


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a migrated database of this process."""
    name = f"gateway_test_{os.getpid()}"
    on_server(
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name}",
        f"ALTER DATABASE {name} SET synchronous_commit = off",
    )
    url = url_of_database(name)
    migrate(url)
    yield url
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database that is empty, and this test's alone while it runs.

    After each test, the counters of seats must be the numbers of bookings.
    """
    if database == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "gateway.db")
        url = f"sqlite:///{folder / 'gateway.db'}"
        yield url
        assert miscounted(url) == []
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    # a database of its own for each test takes 60 to 300 ms, this 10
    assert asyncio.run(recounted_and_emptied(url)) == []


@pytest.fixture
async def storage(database_url: str, clock: SettableClock) -> AsyncIterator[Storage]:
    opened = storage_at(database_url, outbox.fill, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def organization_id(storage: Storage) -> UUID:
    """An organization in London that counts in pounds."""
    made = MakeOrganization(name="Northfield Exams", time_zone="Europe/London", currency="GBP")
    [outcome] = await storage.write(make_organization, [made])
    assert isinstance(outcome, Outcome)
    return outcome.subject


@pytest.fixture
def viewer(organization_id: UUID) -> Viewer:
    """An administrator of the organization."""
    return Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )


async def recounted_and_emptied(url: str) -> list[Any]:
    """Delete all rows of a database; the counters of seats that differed from the bookings."""
    connection = await asyncpg.connect(url)
    try:
        differing = await miscounted_through(connection)
        await connection.execute(DISCONNECT_OTHERS)
        await connection.execute(EMPTY)
    finally:
        await connection.close()
    return differing


def url_of_database(name: str) -> str:
    assert POSTGRES_URL is not None
    return urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{name}"))


def on_server(*statements: str) -> None:
    """Run statements on the test server, each in a transaction of its own."""
    asyncio.run(run_statements(POSTGRES_URL, statements))


async def run_statements(url: str | None, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
