"""The measurement of reads: every server, query and number of connections, round after round.

In each round the servers are asked one thing one after the other, in an order that is drawn anew,
so that what else the machine does falls on all alike; a ratio is that of one round, and the median
of the rounds counts.
"""

import hashlib
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle, islice, product
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks import data, databases
from benchmarks import queries as questions
from benchmarks.data import Size
from benchmarks.load import Cost, answers, cost_of
from benchmarks.queries import Query, Variables, queries
from benchmarks.serve import SECRET
from benchmarks.servers import Server, cores, serving
from gateway.auth import make_token

COMPARED: Final = 16
"""How many answers to each query are compared before anything is timed."""

WARM_REQUESTS: Final = 256
MOST_REQUESTS: Final = 10_000
AT: Final = 16
"""The number of connections at which servers are compared."""

HAND_WRITTEN: Final = "hand-written"
STOCK_EXECUTOR: Final = "stock executor"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured: rounds, and about so much CPU time for each of their parts."""

    rounds: int = 5
    cpu_seconds: float = 0.5
    new_documents: int = 20
    connections: tuple[int, ...] = (1, AT, 64)
    minutes: float = 4
    """No round on a database begins later than that."""

    @property
    def seconds(self) -> float:
        """How long a part may last where a server mostly waits for its database."""
        return 4 * self.cpu_seconds


QUICK: Final = Effort(rounds=2, cpu_seconds=0.1, new_documents=4, connections=(1, AT), minutes=0.25)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a server took for a query in one round. Without connections: for new documents."""

    database: str
    server: str
    query: str
    connections: int | None
    round: int
    cost: Cost


class Differs(Exception):
    """Two servers answered one question with different data. The message says which."""


def token(hours: float = 2) -> str:
    """An administrator's token, as every server is asked with."""
    return make_token(
        secret=SECRET,
        organization_id=data.organization_id(),
        role="admin",
        now=datetime.now(UTC),
        hours=hours,
    )


async def measure(
    kind: str, url: str, asked: Sequence[Query], effort: Effort, names: Sequence[str]
) -> list[Measured]:
    """All servers on one database, in one interleaved run.

    Raises: Differs, Unanswered.
    """
    core, _ = cores()
    with ExitStack() as running:
        servers = {name: running.enter_context(serving(name, url, core=core)) for name in names}
        for query in asked:
            await require_equal(servers, query)
        return await _Run(kind, servers, asked, effort).measured()


async def require_equal(servers: Mapping[str, Server], query: Query) -> list[Any]:
    """The data that all servers answer to a query. Raises: Differs, Unanswered."""
    data_of: dict[str, list[Any]] = {}
    for name, server in servers.items():
        requests = query.requests(name, token())[:COMPARED]
        data_of[name] = [orjson.loads(body)["data"] for body in await answers(server, requests)]
    first, *others = data_of
    for other in others:
        if data_of[other] != data_of[first]:
            raise Differs(f"{query.name}: {other} answers with other data than {first}")
    return data_of[first]


class _Run:
    """One interleaved run on one database."""

    def __init__(
        self,
        kind: str,
        servers: Mapping[str, Server],
        asked: Sequence[Query],
        effort: Effort,
    ) -> None:
        self._kind, self._servers, self._effort = kind, servers, effort
        self._queries = {query.name: query for query in asked}
        self._token = token()
        self._requests = {
            (server, query.name): query.requests(server, self._token)
            for server, query in product(servers, asked)
        }
        self._count: dict[tuple[str, str], int] = {}
        self._new = count()

    async def measured(self) -> list[Measured]:
        for server, query in self._requests:
            self._count[server, query] = await self._enough(server, query)
        latest = time.monotonic() + 60 * self._effort.minutes
        measured: list[Measured] = []
        for number in range(self._effort.rounds):
            if not measured or time.monotonic() < latest:
                measured += await self._round(number)
        return measured

    async def _enough(self, server: str, query: str) -> int:
        """How many requests make up the time of a part; asked when the server is warm."""
        cold = await self._ask(server, query, AT, AT)
        await self._ask(server, query, min(self._of(cold), WARM_REQUESTS), AT)
        return self._of(await self._ask(server, query, AT, AT))

    def _of(self, trial: Cost) -> int:
        by_cpu = self._effort.cpu_seconds * trial.requests / trial.cpu_seconds
        by_time = self._effort.seconds * trial.requests / trial.seconds
        return min(MOST_REQUESTS, max(1, round(min(by_cpu, by_time))))

    def _parts(self) -> list[tuple[str, str, int | None]]:
        """Who is asked what over how many connections; None: documents that are new.

        What is compared comes one after the other, and all else in any order.
        """
        compared = [*product(self._queries, [*self._effort.connections, None])]
        random.shuffle(compared)
        return [
            (server, query, connections)
            for query, connections in compared
            for server in random.sample(list(self._servers), len(self._servers))
            if server != (HAND_WRITTEN if connections is None else STOCK_EXECUTOR)
            or connections == AT
        ]

    async def _round(self, number: int) -> list[Measured]:
        parts = self._parts()
        measured = []
        for done, (server, query, connections) in enumerate(parts):
            say(f"{self._kind}: round {number + 1}, {done + 1} of {len(parts)}")
            cost = (
                await self._ask_new(server, query)
                if connections is None
                else await self._ask(server, query, self._count[server, query], connections)
            )
            measured.append(Measured(self._kind, server, query, connections, number, cost))
        say("")
        return measured

    async def _ask(self, server: str, query: str, number: int, connections: int) -> Cost:
        requests = islice(cycle(self._requests[server, query]), max(number, connections))
        return await cost_of(self._servers[server], requests, connections)

    async def _ask_new(self, server: str, query: str) -> Cost:
        """Documents that no server has seen before."""
        number = self._effort.new_documents
        first = next(self._new) * number
        requests = self._queries[query].new_documents(self._token, first, number)
        return await cost_of(self._servers[server], requests, 1)


def say(what: str) -> None:
    """Where the run is; on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


def prepared(
    kinds: Sequence[str], size: Size, *, rebuild: bool
) -> tuple[dict[str, str], list[Query]]:
    """The databases' addresses, built where they are missing, and what is asked of them."""
    urls = {kind: databases.kept(kind, size, rebuild=rebuild) for kind in kinds}
    return urls, queries(_variables(size))


def _variables(size: Size) -> Variables:
    """What is drawn from the world; kept, since drawing it takes longer than a short run."""
    drawn_by = hashlib.sha256(Path(questions.__file__).read_bytes()).hexdigest()[:12]
    kept = databases.FOLDER / f"variables_{databases.fingerprint(size)}_{drawn_by}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(orjson.dumps(questions.draw(data.rows_of(size))))
    variables: Variables = orjson.loads(kept.read_bytes())
    return variables
