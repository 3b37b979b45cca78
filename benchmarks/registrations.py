"""A search for registrations by name: over HTTP, and the same SQL by hand on the bare driver.

Who searches waits for the database, so what counts is the time until the answer is there; one asks
after the other. Both look at every candidate's name: see `ix_candidate_search`.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from benchmarks import databases
from benchmarks.data import Size
from benchmarks.drivers import driver_at
from benchmarks.load import answers
from benchmarks.queries import post
from benchmarks.reads import Differs, token
from benchmarks.servers import Server, cores, serving
from resolvers.searching import containing_in_first

SIZE: Final = Size(candidates=100_000, enrolments=0, registrations=100_000)
NAMES: Final = {
    "nobody's": "featherstonehaugh",
    "one in 320": "mei tanaka",
    "one in 16": "smith",
    "most": "a",
}
"""What is searched for, by how many have it."""

ROUNDS: Final = 25
SEARCH: Final = """query Search($name: String!) {
  registrations(first: 50, criteria: {name: $name}) {
    nodes { reference status candidate { fullName reference } }
  }
}"""
BY_HAND: Final = """
    SELECT b.reference, b.status, c.first_names, c.last_name, c.reference
    FROM candidate c CROSS JOIN booking b
    WHERE c.organization_id = $1 AND c.search_text LIKE $2 ESCAPE '\\'
        AND b.organization_id = c.organization_id AND b.candidate_id = c.id
        AND b.kind = 'REGISTRATION' AND b.status <> 'DELETED'
    ORDER BY b.start_at, b.id LIMIT 50
"""
"""PostgreSQL chooses by itself what it begins with; SQLite begins with the candidates."""

Run = Callable[[str], Awaitable[list[Any]]]
"""What is found by a name."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The median of the times that a search took, both ways."""

    database: str
    name: str
    found: int
    gateway_ms: float
    by_hand_ms: float


async def measure(kind: str, url: str) -> list[Searched]:
    """Every name on one database, turn by turn. Raises: Differs, Unanswered."""
    core, _ = cores()
    async with driver_at(url) as driver:

        async def by_hand(name: str) -> list[Any]:
            return _shown(await driver.fetch(BY_HAND, [containing_in_first(name)]))

        with serving("gateway", url, core=core) as server:
            return [
                await _compared(kind, many, name, _gateway(server), by_hand)
                for many, name in NAMES.items()
            ]


async def _compared(kind: str, many: str, name: str, gateway: Run, by_hand: Run) -> Searched:
    if (found := await gateway(name)) != await by_hand(name):
        raise Differs(f"{name}: the gateway finds other registrations than the SQL by hand")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for run, taken in zip((gateway, by_hand), times, strict=True):
            began = time.perf_counter()
            await run(name)
            taken.append(1000 * (time.perf_counter() - began))
    return Searched(kind, many, len(found), *(median(taken) for taken in times))


def _gateway(server: Server) -> Run:
    mine = token()

    async def run(name: str) -> list[Any]:
        [body] = await answers(server, [post({"query": SEARCH, "variables": {"name": name}}, mine)])
        found: list[Any] = orjson.loads(body)["data"]["registrations"]["nodes"]
        return found

    return run


def _shown(rows: Sequence[Any]) -> list[Any]:
    return [
        {
            "reference": reference,
            "status": status,
            "candidate": {"fullName": f"{first} {last}", "reference": of_candidate},
        }
        for reference, status, first, last, of_candidate in rows
    ]


def markdown(measured: Sequence[Searched]) -> str:
    """A table of all searches."""
    lines = [
        f"A page of 50 of {SIZE.registrations:,} registrations by a name; time to the answer",
        "",
        "| database | the name is | found | gateway over HTTP, ms | the SQL by hand, ms |",
        "|---|---|--:|--:|--:|",
    ]
    for one in measured:
        lines.append(
            f"| {one.database} | {one.name} | {one.found} "
            f"| {one.gateway_ms:.1f} | {one.by_hand_ms:.1f} |"
        )
    return "\n".join(lines) + "\n"


def write_json(file: Path, measured: Sequence[Searched]) -> None:
    every = [asdict(one) for one in measured]
    file.write_bytes(orjson.dumps(every, option=orjson.OPT_INDENT_2))


def prepared(kinds: Sequence[str], size: Size = SIZE) -> dict[str, str]:
    """The databases' addresses, built where they are missing."""
    return {kind: databases.kept(kind, size) for kind in kinds}
