"""The differential test for as long as one likes: `make compare DOCUMENTS=20000`.

On SQLite, and on PostgreSQL where GATEWAY_TEST_POSTGRES_URL says so. It stops at the first
difference and prints the seed and the smallest document for which the two ways differ.
"""

import argparse
import asyncio
import gc
import logging
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from random import Random
from typing import Any

from resolvers.viewer import Viewer
from schema import build_schema
from tests.conftest import DATABASES
from tests.plan.both_ways import BothWays
from tests.plan.comparing import Tally, compared, compared_leniently
from tests.plan.databases import BREAKS, Copy, broken_copy, copies_in, opened
from tests.plan.documents import Known
from tests.plan.failing import TABLES, failing
from tests.plan.knowing import known
from tests.plan.worlds import viewers

WAYS = ("healthy", "values", "healthy", "failing", "values", "rows")
"""What is asked, document after document."""

AT_ONCE = 60
"""So many documents are asked of one world before it is the next one's turn."""


def main() -> None:
    given = _given()
    # graphql-core forgets the coroutines of fields beside one that raises
    warnings.simplefilter("ignore", RuntimeWarning)
    print(f"--seed {given.seed} --documents {given.documents}")  # noqa: T201 - a command line prints
    shares = [
        (
            database,
            given.seed + n * 1_000_000,
            given.documents // (len(DATABASES) * given.processes),
        )
        for database in DATABASES
        for n in range(given.processes)
    ]
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        total: Counter[str] = Counter()
        for tally in pool.imap_unordered(_share, shares):
            total.update(tally)
    seconds = time.monotonic() - started
    share = total["answered"] / max(1, total["faultless"])
    print(f"{dict(total)} in {seconds:.0f} s; {share:.1%} of the faultless by plans")  # noqa: T201 - a command line prints


def _given() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _share(share: tuple[str, int, int]) -> dict[str, int]:
    """What became of one process's documents, from its own worlds."""
    database, seed, documents = share
    for name in ("gateway.errors", "schema.plan.planner"):
        logging.getLogger(name).disabled = True
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.unraisablehook = lambda _: None
    with tempfile.TemporaryDirectory() as folder, copies_in(database, Path(folder)) as copies:
        urls = {way: broken_copy(copies, way) for way in BREAKS}
        return asyncio.run(_all(copies, urls, range(seed, seed + documents), database))


async def _all(copies: Copy, urls: dict[str, str], seeds: range, database: str) -> dict[str, int]:
    schema, tally = build_schema(), Tally()
    urls = {"healthy": copies("healthy"), "failing": copies("healthy"), **urls}
    async with opened(urls["healthy"]) as storage:
        both = BothWays(schema, storage)
        asking = await viewers(storage)
        there_is = await known(both, asking["admin"])
    for n, some in enumerate(_parts(seeds)):
        way = WAYS[n % len(WAYS)]
        async with opened(urls[way]) as storage:
            await _some(BothWays(schema, storage), there_is, asking, some, way, tally)
        gc.collect()
        print(f"{database} {some[0]}: {tally.documents} asked, {tally.answered} by plans")  # noqa: T201 - a command line prints
    return tally.counts()


async def _some(
    both: BothWays,
    there_is: Known,
    asking: dict[str, Viewer],
    seeds: range,
    way: str,
    tally: Tally,
) -> None:
    compare = compared_leniently if way == "rows" else compared
    for seed in seeds:
        broken = Random(seed).choice(TABLES)
        with failing(both.storage, broken) if way == "failing" else nullcontext():
            await compare(both, there_is, asking, seed, tally)


def _parts(seeds: range) -> Iterator[range]:
    for start in range(0, len(seeds), AT_ONCE):
        yield seeds[start : start + AT_ONCE]


if __name__ == "__main__":
    main()
