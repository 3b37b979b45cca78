"""Injects every fault, one after the other, and prints what each did: `make faults`."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg

from resolvers.storage.migrate import migrate
from tests.faults import kills, locks, networks
from tests.faults.clusters import Cluster, Missing
from tests.faults.measuring import Fault, measure
from tests.faults.report import details, head, is_good, line

FAULTS: Sequence[Fault] = [*locks.FAULTS, *networks.FAULTS, *kills.FAULTS]


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
    with ExitStack() as opened:
        sys.exit(0 if run(chosen, opened) else 1)


def run(faults: Sequence[Fault], opened: ExitStack) -> bool:
    """Whether every fault kept its bars."""
    folder = opened.enter_context(temporary_folder())
    cluster: Cluster | None = None
    good = True
    print(head(), flush=True)
    for number, fault in enumerate(faults):
        own = folder / str(number)
        own.mkdir()
        try:
            if fault.database == "postgresql":
                cluster = cluster or opened.enter_context(running_cluster(folder / "cluster"))
                url = make_database(cluster, f"fault_{number}")
            else:
                url = f"sqlite:///{own / 'gateway.db'}"
            migrate(url)
            measured = asyncio.run(measure(fault, folder=own, database_url=url, cluster=cluster))
        except Missing as missing:
            print(f"| {fault.name} | {fault.database} | skipped: {missing} |", flush=True)
            continue
        print("\n".join([line(measured), *details(measured)]), flush=True)
        good &= is_good(measured)
    return good


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that other users can reach: PostgreSQL runs as one of them."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-faults-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=not os.environ.get("GATEWAY_TEST_KEEP"))


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
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
