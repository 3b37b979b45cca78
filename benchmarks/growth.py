"""How the cost of the queries of README grows from 100,000 to 1,000,000 enrolments on PostgreSQL.

Each query is asked over one connection, of one gateway on each database in turn. What counts is the
CPU time of the gateway and of PostgreSQL's backends for one request: unlike the time to the answer,
it does not depend on what else the machine does.
"""

import math
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

import asyncpg
import orjson

from benchmarks import copies, databases
from benchmarks.data import Size
from benchmarks.database_cpu import DatabaseMeter, database_meter
from benchmarks.load import cost_of
from benchmarks.queries import post
from benchmarks.reads import token
from benchmarks.servers import ROOT, Server, cores, serving

SIZE: Final = Size(registrations=10_000)
TIMES: Final = 10

WARM_REQUESTS: Final = 12
"""More than PostgreSQL plans anew before it keeps a plan."""

CPU_SECONDS: Final = 0.5
MOST_REQUESTS: Final = 200
ROUNDS: Final = 3

README_QUERY: Final = re.compile(r"```graphql\n(query (\w+) .*?)```", re.DOTALL)
DEMO_CANDIDATE: Final = re.compile(r"candidate\(ref: \{external: .*?\}\}\)")
BENCHMARK_CANDIDATE: Final = 'candidate(ref: {reference: "P000001"})'

BEYOND_README: Final = {
    "Total": "{ enrolments { totalCount totalCountPrecision } }",
    "Name of no candidate": """{ enrolments(first: 20, filter: {
        candidateName: {contains: "featherstonehaugh"}}) { nodes { reference } } }""",
    "Name of one in 320": """{ enrolments(first: 20, filter: {
        candidateName: {contains: "mei tanaka"}}) { nodes { reference } } }""",
    "Name of most": """{ enrolments(first: 20, filter: {
        candidateName: {contains: "a"}}) { nodes { reference } } }""",
    "Changes": "{ bookingChanges(last: 20) { nodes { cursor type booking { reference } } } }",
}


@dataclass(frozen=True, slots=True)
class Growth:
    """The CPU time of one request at both sizes, in milliseconds."""

    query: str
    gateway: tuple[float, float]
    database: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Side:
    """A gateway, and the database that it serves."""

    server: Server
    url: str


def prepared(*, rebuild: bool) -> tuple[str, str]:
    """The addresses of the databases of both sizes, built where they are missing."""
    small = databases.kept("postgresql", SIZE, rebuild=rebuild)
    return small, copies.kept(small, TIMES, rebuild=rebuild)


def questions() -> dict[str, str]:
    """The queries of README by their names, and a few beyond it."""
    readme = (ROOT / "README.md").read_text()
    found = {name: document for document, name in README_QUERY.findall(readme)}
    found["Candidate"] = DEMO_CANDIDATE.sub(BENCHMARK_CANDIDATE, found["Candidate"])
    return {**found, **BEYOND_README}


async def measure(urls: Sequence[str]) -> list[Growth]:
    """Every query at both sizes, turn by turn. Raises: Unanswered."""
    core, _ = cores()
    async with database_meter("postgresql") as meter:
        with ExitStack() as running:
            sides = []
            for url in urls:
                await _without_parallel_workers(url)
                server = running.enter_context(serving("gateway", url, core=core))
                sides.append(_Side(server, url))
            return [await _growth(name, text, sides, meter) for name, text in questions().items()]


async def _without_parallel_workers(url: str) -> None:
    """Let PostgreSQL work in the gateway's connections alone, whose CPU time can be read."""
    connection = await asyncpg.connect(url)
    try:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0")
    finally:
        await connection.close()


async def _growth(name: str, text: str, sides: Sequence[_Side], meter: DatabaseMeter) -> Growth:
    request = post({"query": text}, token())
    counts = [await _enough(side, request, meter) for side in sides]
    least = [(math.inf, math.inf)] * len(sides)
    for _ in range(ROUNDS):
        for n, (side, count) in enumerate(zip(sides, counts, strict=True)):
            gateway, database = await _cost(side, request, count, meter)
            least[n] = min(least[n][0], gateway), min(least[n][1], database)
    small, large = least
    return Growth(name, (small[0], large[0]), (small[1], large[1]))


async def _enough(side: _Side, request: bytes, meter: DatabaseMeter) -> int:
    """How many requests take the time of a measurement."""
    await _cost(side, request, WARM_REQUESTS, meter)
    gateway, database = await _cost(side, request, 3, meter)
    return max(3, min(MOST_REQUESTS, round(CPU_SECONDS * 1000 / max(gateway, database))))


async def _cost(
    side: _Side, request: bytes, count: int, meter: DatabaseMeter
) -> tuple[float, float]:
    """The CPU milliseconds of the gateway and of the database for each of some requests."""
    before = await meter.read(side.url)
    cost = await cost_of(side.server, repeat(request, count), 1)
    database = (await meter.read(side.url)).since(before)
    return cost.cpu_milliseconds, 1000 * database.serving / count


def markdown(measured: Sequence[Growth]) -> str:
    """A table of all queries."""
    small, large = SIZE.enrolments, SIZE.enrolments * TIMES
    lines = [
        f"CPU of one request at {small:,} and at {large:,} enrolments, in ms",
        "",
        "| query | database | | ratio | gateway | | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in measured:
        cells = [*_cells(one.database), *_cells(one.gateway)]
        lines.append(f"| {one.query} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cells(both: tuple[float, float]) -> list[str]:
    small, large = both
    ratio = f"{large / small:.1f}" if small else ""
    return [f"{small:.2f}", f"{large:.2f}", ratio]


def write_json(file: Path, measured: Sequence[Growth]) -> None:
    every = [asdict(one) for one in measured]
    file.write_bytes(orjson.dumps(every, option=orjson.OPT_INDENT_2))
