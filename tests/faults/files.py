"""The SQLite file is deleted or replaced while the gateway serves."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

from tests.faults.measuring import Fault, Scene

SUFFIXES: Final = ("", "-wal", "-shm")
"""Of the database, its write-ahead log, and the index of the log."""


@asynccontextmanager
async def deleted(scene: Scene) -> AsyncIterator[None]:
    """Delete the database. At the end restore it as it was then, and restart the gateway.

    A booking that was acknowledged meanwhile is in no file any more: it is found to be lost.
    """
    file, copy = database_file(scene), scene.folder / "copy.db"
    await asyncio.to_thread(take_away, file, copy)
    yield
    await restored(scene, copy)


@asynccontextmanager
async def replaced(scene: Scene) -> AsyncIterator[None]:
    """Put a copy of the database in its place. At the end restart the gateway on the copy."""
    file, copy = database_file(scene), scene.folder / "copy.db"
    await asyncio.to_thread(take_away, file, copy)
    shutil.copy(copy, file)
    yield
    await restored(scene, copy)


def database_file(scene: Scene) -> Path:
    return Path(scene.database_url.removeprefix("sqlite:///"))


def take_away(file: Path, copy: Path) -> None:
    """Copy a database, and delete its files before anything more is written."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(file)) as reading, closing(sqlite3.connect(copy)) as written:
            reading.backup(written)
        for suffix in SUFFIXES:
            Path(f"{file}{suffix}").unlink()


async def restored(scene: Scene, copy: Path) -> None:
    [gateway] = scene.gateways
    if not await gateway.stop():
        scene.notes.append("the gateway did not stop when it was asked to")
    put_back(database_file(scene), copy)
    gateway.spawn()


def put_back(file: Path, copy: Path) -> None:
    for suffix in SUFFIXES:
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, file)


DELETED: Final = Fault(
    name="the SQLite file is deleted, and restored at a restart",
    database="sqlite",
    inject=deleted,
    spares_others=False,
    spares_health=False,  # a restart is part of it
)

FAULTS: Final = [
    DELETED,
    Fault(
        name="the SQLite file is replaced by a copy, and the gateway restarted",
        database="sqlite",
        inject=replaced,
        spares_others=False,
        spares_health=False,
    ),
]
