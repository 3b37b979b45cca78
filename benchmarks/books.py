"""How many bookings a second, and what one costs: the gateway, the fair route, the simple route.

The three servers book in copies of one world. In each round they are asked one after the other, so
that other work on the machine falls on all of them; a ratio is that of one round, and the median of
the rounds counts.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Final
from uuid import UUID

from benchmarks import booking_world, databases
from benchmarks.booking_requests import booking_request
from benchmarks.booking_world import World
from benchmarks.database_cpu import DatabaseCpu, DatabaseMeter, database_meter
from benchmarks.load import Cost, cost_of
from benchmarks.reads import token
from benchmarks.serve import BOOKING_SERVERS
from benchmarks.servers import Server, cores, serving
from resolvers.storage.tables import Event

SPREAD: Final = "spread"
HOT: Final = "hot"
SHAPES: Final = (SPREAD, HOT)
BOOKED: Final = b'"enrolment":{"id":'
"""What the response to a booking contains, and that to a refusal does not."""

WARM_UP: Final = 192
BOOKINGS: Final = {1: 96, 16: 640, 64: 1_280}
"""How many bookings make up a part, by the number of clients."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What is measured, and how often."""

    rounds: int = 5
    clients: tuple[int, ...] = (1, 16, 64)
    shapes: tuple[str, ...] = SHAPES
    subscribers: tuple[int, ...] = (0, 500)
    servers: tuple[str, ...] = tuple(BOOKING_SERVERS)

    @property
    def parts(self) -> list["Part"]:
        return [Part(*part) for part in product(self.shapes, self.clients, self.subscribers)]


QUICK: Final = Effort(rounds=3, clients=(16, 64), subscribers=(0,))


@dataclass(frozen=True, slots=True)
class Part:
    """One way to book: over all events or at one, by so many clients, with subscribers or not."""

    shape: str
    clients: int
    subscribers: int = 0

    @property
    def bookings(self) -> int:
        return BOOKINGS.get(self.clients, 20 * self.clients)


@dataclass(frozen=True, slots=True)
class Booked:
    """What a server took for a part in one round."""

    database: str
    server: str
    part: Part
    round: int
    cost: Cost
    database_cpu: DatabaseCpu
    seconds_of: tuple[float, ...]
    """Of each booking, in order of the responses."""

    @property
    def database_milliseconds(self) -> float:
        """CPU of the processes that serve the server's database, for each booking."""
        return 1000 * self.database_cpu.serving / self.cost.requests

    @property
    def background_milliseconds(self) -> float:
        """CPU of the WAL writer, the checkpointer and the background writer, for each booking."""
        return 1000 * self.database_cpu.background / self.cost.requests


async def measure(kind: str, effort: Effort, world: World = World()) -> list[Booked]:  # noqa: B008
    """Every part on one kind of database, in one interleaved run. Raises: Unanswered."""
    template = await asyncio.to_thread(booking_world.template, kind, world)
    return await measure_on(template, effort, world)


async def measure_on(template: str, effort: Effort, world: World) -> list[Booked]:
    """Every part in copies of a database. Raises: Unanswered."""
    kind = databases.kind_of(template)
    async with database_meter(kind) as meter, AsyncExitStack() as stack:
        core, _ = cores()
        rivals = []
        for name in effort.servers:
            url = await stack.enter_async_context(_copy_of(template, name))
            server = stack.enter_context(serving(name, url, core=core))
            rivals.append(Rival(name, url, server, Crowd(world)))
        run = _Run(kind, effort, meter, rivals)
        return await run.measured()


@asynccontextmanager
async def _copy_of(template: str, name: str) -> AsyncIterator[str]:
    """A copy of a database, until it is no longer needed."""
    url = databases.address(
        databases.kind_of(template), f"{booking_world.PREFIX}{os.getpid()}_{name}"
    )
    await asyncio.to_thread(databases.copy, template, url)
    try:
        yield url
    finally:
        await asyncio.to_thread(databases.drop, url)


class Crowd:
    """The candidates of one server: each books once. Every server has the same, in one order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = 1
        self._events = [row.id for row in booking_world.rows_of(world)[Event]]
        self._token = token()

    def requests(self, part: Part, number: int, round_number: int) -> list[bytes]:
        """Requests that book a seat for as many candidates who have not booked yet."""
        first, self._next = self._next, self._next + number
        if self._next > self._world.bookers:
            raise ValueError(f"there are {self._world.bookers:,} candidates")
        chance = random.Random(first)  # noqa: S311 - the same draws for every server
        return [
            booking_request(
                self._world.candidate(n), self._event(part, round_number, chance), self._token
            )
            for n in range(first, first + number)
        ]

    def _event(self, part: Part, round_number: int, chance: random.Random) -> UUID:
        if part.shape == HOT:
            return self._events[round_number % len(self._events)]
        return chance.choice(self._events[len(self._events) // 10 :])


@dataclass(slots=True)
class Rival:
    """A server with its database and its candidates."""

    name: str
    url: str
    server: Server
    crowd: Crowd


class _Run:
    """One interleaved run on one kind of database."""

    def __init__(
        self, kind: str, effort: Effort, meter: DatabaseMeter, rivals: Sequence[Rival]
    ) -> None:
        self._kind, self._effort, self._meter, self._rivals = kind, effort, meter, rivals

    async def measured(self) -> list[Booked]:
        for rival, shape in product(self._rivals, self._effort.shapes):
            warm_up = Part(shape, 16)
            requests = rival.crowd.requests(warm_up, WARM_UP, self._effort.rounds)
            await cost_of(rival.server, requests, 16, proof=BOOKED)
        return [
            booked
            for number in range(self._effort.rounds)
            for part in random.sample(self._effort.parts, len(self._effort.parts))
            for booked in await self._part(part, number)
        ]

    async def _part(self, part: Part, number: int) -> list[Booked]:
        """All servers, in an order that is drawn anew."""
        return [
            await self._book(rival, part, number)
            for rival in random.sample(self._rivals, len(self._rivals))
        ]

    async def _book(self, rival: Rival, part: Part, number: int) -> Booked:
        requests = rival.crowd.requests(part, part.bookings, number)
        seconds_of: list[float] = []
        before = await self._meter.read(rival.url)
        cost = await cost_of(
            rival.server, requests, part.clients, proof=BOOKED, seconds_of=seconds_of
        )
        after = await self._meter.read(rival.url)
        cpu = after.since(before)
        return Booked(self._kind, rival.name, part, number, cost, cpu, tuple(seconds_of))
