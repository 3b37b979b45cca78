"""One healthy world for each process and database, and copies of it to break or to write to."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import strawberry

from resolvers.storage import Storage
from resolvers.viewer import Viewer
from schema import build_schema
from tests.plan.both_ways import BothWays
from tests.plan.databases import BREAKS, Copy, broken_copy, copies_in, opened
from tests.plan.documents import Known
from tests.plan.knowing import known
from tests.plan.worlds import viewers


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Faults of ours are what half of these tests are about; nobody wants their tracebacks."""
    logger = logging.getLogger("gateway.errors")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    return build_schema()


@pytest.fixture(scope="session")
def copies(
    database: str, demo_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copy]:
    """A database with worlds of its own."""
    with copies_in(database, tmp_path_factory.mktemp("w"), demo_template) as made:
        yield made


class _Facts:
    """What is found out about the healthy world once, for all tests of a process."""

    def __init__(self) -> None:
        self.known: Known | None = None
        self.viewers: dict[str, Viewer] = {}
        self.twins = 0


@pytest.fixture(scope="session")
def facts(copies: Copy) -> _Facts:
    return _Facts()


@pytest.fixture
def twin_urls(copies: Copy, facts: _Facts) -> list[str]:
    """The addresses of two worlds that are alike, and stay alike where both are told the same.

    To be made before the healthy one is opened, of which no copy can be made then. PostgreSQL
    takes seconds for a database: there all tests of a process share the two.
    """
    if facts.twins == 0 or copies("healthy").startswith("sqlite"):
        facts.twins += 1
    return [copies(f"twin_{facts.twins}_{n}") for n in range(2)]


@pytest.fixture
async def twins(
    twin_urls: list[str], schema: strawberry.Schema, facts: _Facts
) -> AsyncIterator[tuple[BothWays, BothWays]]:
    """Two services over worlds that are the same; the second has no plans."""
    async with opened(twin_urls[0]) as one, opened(twin_urls[1]) as other:
        if not facts.viewers:
            facts.viewers = await viewers(one)
        planned, by_core = BothWays(schema, one), BothWays(schema, other)
        by_core.planner.on = False
        yield planned, by_core


@pytest.fixture
def who(twins: tuple[BothWays, BothWays], facts: _Facts) -> dict[str, Viewer]:
    """Viewers of the twins by name."""
    return facts.viewers


@pytest.fixture
async def healthy(copies: Copy) -> AsyncIterator[Storage]:
    """The healthy world; nobody writes to it."""
    async with opened(copies("healthy")) as storage:
        yield storage


@pytest.fixture
async def both(schema: strawberry.Schema, healthy: Storage) -> BothWays:
    """The service over the healthy world."""
    return BothWays(schema, healthy)


@pytest.fixture
async def asking(both: BothWays, facts: _Facts) -> dict[str, Viewer]:
    """Viewers by name, from those with all rights to those with none."""
    if not facts.viewers:
        facts.viewers = await viewers(both.storage)
    return facts.viewers


@pytest.fixture
async def there_is(both: BothWays, asking: dict[str, Viewer], facts: _Facts) -> Known:
    """What documents can ask for."""
    if facts.known is None:
        facts.known = await known(both, asking["admin"])
    return facts.known


@pytest.fixture(scope="session")
def broken_urls(copies: Copy) -> dict[str, str]:
    """The addresses of the worlds that are broken, by the way they are."""
    return {way: broken_copy(copies, way) for way in BREAKS}


@pytest.fixture
def broken(broken_urls: dict[str, str]) -> Callable[[str], Any]:
    """The storage of a world that is broken in one of the ways."""
    return lambda way: opened(broken_urls[way])
