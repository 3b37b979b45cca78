"""Databases with worlds: a healthy one, made once, and copies of it to break or to write to."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from resolvers.notifications import outbox
from resolvers.storage import Storage, storage_at
from resolvers.storage.migrate import migrate
from tests.conftest import on_server, url_of_database
from tests.plan.worlds import NOW, Break, broken_rows, broken_values, make_healthy, run_sql

Copy = Callable[[str], str]
"""Makes a copy of the healthy world under a name, once; its address."""

BREAKS: dict[str, Break] = {"values": broken_values, "rows": broken_rows}


@contextmanager
def copies_in(database: str, folder: Path, demo: Path | None = None) -> Iterator[Copy]:
    """Worlds of one process, as files in a folder or on PostgreSQL's server.

    Files are made of a database with the demo, if there is one.
    """
    if database == "sqlite":
        yield _files(folder, demo)
        return
    names = [f"gateway_plan_{os.getpid()}"]
    on_server(f"DROP DATABASE IF EXISTS {names[0]} WITH (FORCE)", f"CREATE DATABASE {names[0]}")
    migrate(url_of_database(names[0]))
    asyncio.run(make_healthy(url_of_database(names[0])))
    try:
        yield _databases(names)
    finally:
        on_server(*(f"DROP DATABASE {name} WITH (FORCE)" for name in names))


def _files(folder: Path, demo: Path | None) -> Copy:
    healthy = folder / "healthy.db"
    if demo is None:
        migrate(f"sqlite:///{healthy}")
    else:
        shutil.copy(demo, healthy)
    asyncio.run(make_healthy(f"sqlite:///{healthy}"))

    def copy(name: str) -> str:
        file = folder / f"{name}.db"
        if not file.exists():
            shutil.copy(healthy, file)
        return f"sqlite:///{file}"

    return copy


def _databases(names: list[str]) -> Copy:
    def copy(name: str) -> str:
        made = f"{names[0]}_{name}"
        if name == "healthy":
            made = names[0]
        elif made not in names:
            on_server(
                f"DROP DATABASE IF EXISTS {made} WITH (FORCE)",
                f"CREATE DATABASE {made} TEMPLATE {names[0]}",
            )
            names.append(made)
        return url_of_database(made)

    return copy


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Storage]:
    """The storage of a world, whose clock stands still."""
    storage = storage_at(url, outbox.fill, clock=lambda: NOW)
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


def broken_copy(copies: Copy, way: str) -> str:
    """The address of a copy that is broken in that way; to be asked for once."""
    url = copies(way)
    asyncio.run(run_sql(url, list(BREAKS[way](url.partition(":")[0]))))
    return url
