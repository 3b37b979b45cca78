"""Injects every fault, one after the other, and prints what each did: `make faults`."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from resolvers.storage.migrate import migrate
from tests.faults import (
    clients,
    clocks,
    disks,
    files,
    kills,
    locks,
    networks,
    outages,
    pauses,
    receivers,
)
from tests.faults.clusters import Cluster, Missing
from tests.faults.disks import DATA, MEGABYTES, small_disk
from tests.faults.measuring import Fault, measure
from tests.faults.report import details, head, is_good, line

FAULTS: Sequence[Fault] = [
    *locks.FAULTS,
    *networks.FAULTS,
    *outages.FAULTS,
    *kills.FAULTS,
    *pauses.FAULTS,
    *disks.FAULTS,
    *files.FAULTS,
    *clocks.FAULTS,
    *clients.FAULTS,
    *receivers.FAULTS,
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults whose names contain one of these")
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    chosen = [
        fault
        for fault in FAULTS
        if asked.database in {None, fault.database}
        and (not asked.words or any(word in fault.name for word in asked.words))
    ]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, too
    with ExitStack() as opened:
        sys.exit(0 if run(chosen, opened) else 1)


def run(faults: Sequence[Fault], opened: ExitStack) -> bool:
    """Whether every fault kept its bars."""
    folder = opened.enter_context(temporary_folder())
    shared = SharedCluster(folder / "cluster", opened)
    good = True
    print(head(), flush=True)
    for number, fault in enumerate(faults):
        own = folder / str(number)
        own.mkdir()
        try:
            with database_of(fault, own, shared) as (url, cluster):
                migrate(url)
                measuring = measure(fault, folder=own, database_url=url, cluster=cluster)
                measured = asyncio.run(measuring)
        except Missing as missing:
            print(f"| {fault.name} | {fault.database} | skipped: {missing} |", flush=True)
            continue
        except Exception as error:  # the others are measured all the same
            traceback.print_exception(error)
            print(f"| {fault.name} | {fault.database} | failed: {error!r} |", flush=True)
            good = False
            continue
        print("\n".join([line(measured), *details(measured)]), flush=True)
        good &= is_good(measured)
    return good


class SharedCluster:
    """The server of all faults that do not need one of their own."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self._folder = folder
        self._opened = opened
        self._cluster: Cluster | None = None

    def running(self) -> Cluster:
        if self._cluster is None:
            self._cluster = self._opened.enter_context(running_cluster(self._folder))
        return self._cluster


@contextmanager
def database_of(
    fault: Fault, folder: Path, shared: SharedCluster
) -> Iterator[tuple[str, Cluster | None]]:
    """The address of an empty database, and the server that has it. Raises: Missing."""
    with ExitStack() as opened:
        disk = None
        if fault.disk is not None:
            disk = opened.enter_context(small_disk(folder, MEGABYTES[fault.disk]))
        if fault.database == "sqlite":
            yield f"sqlite:///{(disk or folder) / 'gateway.db'}", None
            return
        if disk is None:
            cluster = shared.running()
        elif fault.disk == DATA:
            cluster = opened.enter_context(running_cluster(disk / "cluster", wal=folder / "wal"))
        else:
            cluster = opened.enter_context(running_cluster(folder / "cluster", wal=disk / "wal"))
        yield make_database(cluster, f"fault_{uuid4().hex}"), cluster


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that other users can reach: PostgreSQL runs as one of them."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-faults-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_cluster(folder: Path, *, wal: Path | None = None) -> Iterator[Cluster]:
    cluster = Cluster(folder, wal=wal)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop("immediate")


def make_database(cluster: Cluster, name: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(cluster.url())
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    asyncio.run(make())
    return cluster.url(name)


if __name__ == "__main__":
    main()
