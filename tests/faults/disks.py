"""Disks without space, as small file systems of their own; to mount them needs root."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import asyncpg

from tests.faults.clusters import Missing
from tests.faults.locks import session
from tests.faults.measuring import Fault, Scene

FILE: Final = "file"
DATA: Final = "data"
WAL: Final = "wal"
MEGABYTES: Final = {FILE: 32, DATA: 160, WAL: 96}
USE_A_SEGMENT: Final = "SELECT pg_logical_emit_message(false, 'fault', repeat('x', 1000000))"
FOLDER: Final = "small-disk"
FILLER: Final = "filler"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory of that size. Raises: Missing, unless root asks."""
    disk = folder / FOLDER
    disk.mkdir()
    options = ("-o", f"size={megabytes}m,mode=0755")
    with mounted("tmpfs", *options, "-t", "tmpfs", str(disk)):
        yield disk


@contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """A mount of the last argument. Raises: Missing."""
    mount(*arguments)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", arguments[-1]], check=True)


def mount(*arguments: str) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise Missing("only root can mount a file system")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"no file system can be mounted here: {done.stderr.strip()}")


def fill(disk: Path) -> None:
    """Take all the space that is left."""
    block = bytes(4096)
    with disk.joinpath(FILLER).open("ab", buffering=0) as file:
        try:
            while file.write(block):
                pass
        except OSError:
            return


@asynccontextmanager
async def full(scene: Scene) -> AsyncIterator[None]:
    """No space until the end of the fault. A server that has stopped is then started again."""
    disk = scene.folder / FOLDER
    fill(disk)
    yield
    disk.joinpath(FILLER).unlink()
    if scene.cluster is not None and not scene.cluster.running:
        scene.notes.append("PostgreSQL had stopped, and was started again")
        await asyncio.to_thread(scene.cluster.start)


@asynccontextmanager
async def full_of_segments(scene: Scene) -> AsyncIterator[None]:
    """No space for the next segment of the log. The server cannot go on without one."""
    async with full(scene):
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with session(scene) as other:
                while True:  # the server keeps some segments for later, and uses these first
                    await other.execute(USE_A_SEGMENT)
        yield


@asynccontextmanager
async def read_only(scene: Scene) -> AsyncIterator[None]:
    """The folder of the SQLite file cannot be written to, except through files already open."""
    folder = str(Path(scene.database_url.removeprefix("sqlite:///")).parent)
    with mounted("--bind", folder, folder):
        mount("-o", "remount,bind,ro", folder)
        yield


DISK: Final = Fault(
    name="the disk of the SQLite file is full",
    database="sqlite",
    inject=full,
    spares_others=False,
    disk=FILE,
)


FAULTS: Final = [
    DISK,
    replace(DISK, name="the disk of PostgreSQL's data is full", database="postgresql", disk=DATA),
    replace(
        DISK,
        name="the disk of PostgreSQL's write-ahead log is full",
        database="postgresql",
        inject=full_of_segments,
        disk=WAL,
    ),
    replace(
        DISK,
        name="the folder of the SQLite file becomes read-only",
        inject=read_only,
        disk=None,
    ),
]
