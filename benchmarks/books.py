"""How many bookings a second, and what one costs: the gateway, the fair route, the simple route.

The three servers book in copies of one world. In each round they are asked one after the other, so
that other work on the machine falls on all of them; a ratio is that of one round, and the median of
the rounds counts.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from benchmarks import booking_world, databases
from benchmarks.booking_world import World
from benchmarks.database_cpu import DatabaseCpu, DatabaseMeter, database_meter
from benchmarks.drivers import driver_at
from benchmarks.load import Cost, answers, asking, cost_of
from benchmarks.reads import say
from benchmarks.rush import BOOKED, PAUSE_SECONDS, SHAPES, Crowd, Part, detail_queries
from benchmarks.serve import BOOKING_SERVERS
from benchmarks.servers import Server, cores, serving
from benchmarks.subscribers import Subscribers, subscribed

GATEWAY: Final = "gateway"

POSITION: Final = "SELECT position FROM log_position WHERE organization_id = $1"


@dataclass(frozen=True, slots=True)
class Effort:
    """What is measured, and how often."""

    rounds: int = 5
    clients: tuple[int, ...] = (1, 16, 64)
    shapes: tuple[str, ...] = SHAPES
    subscribers: tuple[int, ...] = (0, 500)
    servers: tuple[str, ...] = tuple(BOOKING_SERVERS)
    warm_up: int = 128
    """How many bookings of each shape come before the first round."""

    minutes: float = 10
    """No round on a database begins later than that."""

    @property
    def parts(self) -> list[Part]:
        """The last of each shape has a reader, for whom the most clients book."""
        booking = [Part(*part) for part in product(self.shapes, self.clients, self.subscribers)]
        reading = [
            Part(shape, max(self.clients), min(self.subscribers), reads=True)
            for shape in self.shapes
        ]
        return [*booking, *reading]


QUICK: Final = Effort(rounds=3, clients=(16, 64), subscribers=(0,), minutes=0.5)


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

    read_seconds_of: tuple[float, ...] = ()
    """Of each query of the reader, if the part has one."""

    @property
    def database_milliseconds(self) -> float:
        """CPU of the processes that serve the server's database, for each booking."""
        return 1000 * self.database_cpu.serving / self.cost.requests

    @property
    def background_milliseconds(self) -> float:
        """CPU of the WAL writer, the checkpointer and the background writer, for each booking."""
        return 1000 * self.database_cpu.background / self.cost.requests


async def measure(kind: str, effort: Effort, world: World = World()) -> list[Booked]:  # noqa: B008
    """Every part on one kind of database, in one interleaved run. Raises: Unanswered, Unbooked."""
    template = await asyncio.to_thread(booking_world.template, kind, world)
    return await measure_on(template, effort, world)


async def measure_on(template: str, effort: Effort, world: World) -> list[Booked]:
    """Every part in copies of a database. Raises: Unanswered, Unbooked."""
    kind = databases.kind_of(template)
    async with database_meter(kind) as meter, AsyncExitStack() as stack:
        core, _ = cores()
        rivals = []
        for name in effort.servers:
            url = await stack.enter_async_context(copy_of(template, name))
            server = stack.enter_context(serving(name, url, core=core))
            rivals.append(Rival(name, url, server, Crowd(world)))
        return await Run(kind, effort, meter, rivals, world).measured()


@asynccontextmanager
async def copy_of(template: str, name: str) -> AsyncIterator[str]:
    """A copy of a database, until it is no longer needed."""
    url = databases.address(
        databases.kind_of(template), f"{booking_world.PREFIX}{os.getpid()}_{name}"
    )
    await asyncio.to_thread(databases.copy, template, url)
    try:
        yield url
    finally:
        await asyncio.to_thread(databases.drop, url)


@dataclass(slots=True)
class Rival:
    """A server with its database and its candidates."""

    name: str
    url: str
    server: Server
    crowd: Crowd


async def book(
    rival: Rival, part: Part, requests: Sequence[bytes], meter: DatabaseMeter, number: int
) -> Booked:
    """What it takes a server to answer requests that book. Raises: Unanswered."""
    seconds_of: list[float] = []
    before = await meter.read(rival.url)
    cost = await cost_of(rival.server, requests, part.clients, proof=BOOKED, seconds_of=seconds_of)
    cpu = (await meter.read(rival.url)).since(before)
    kind = databases.kind_of(rival.url)
    return Booked(kind, rival.name, part, number, cost, cpu, tuple(seconds_of))


class Unbooked(Exception):
    """A server has not written what it has acknowledged."""


async def require_written(rival: Rival, world: World) -> None:
    """Require an entry in the log for each booking of a server. Raises: Unbooked."""
    if rival.name == "simple":
        return  # it has no log
    async with driver_at(rival.url) as driver:
        [[position]] = await driver.fetch(POSITION, [])
    if position != world.all_enrolments + rival.crowd.bookings:
        raise Unbooked(f"{rival.name}: {position} changes, {rival.crowd.bookings} bookings")


class Run:
    """One interleaved run on one kind of database."""

    def __init__(
        self,
        kind: str,
        effort: Effort,
        meter: DatabaseMeter,
        rivals: Sequence[Rival],
        world: World,
    ) -> None:
        self._kind, self._effort, self._meter = kind, effort, meter
        self._rivals, self._world = rivals, world

    async def measured(self) -> list[Booked]:
        """Every part, round after round. No round begins after the effort's minutes."""
        await self._warm_up()
        latest = time.monotonic() + 60 * self._effort.minutes
        measured: list[Booked] = []
        for number in range(self._effort.rounds):
            if measured and time.monotonic() > latest:
                break
            for subscribers in self._effort.subscribers:
                async with self._subscribed(subscribers):
                    measured += await self._round(number, subscribers)
        for rival in self._rivals:
            await require_written(rival, self._world)
        return measured

    async def _warm_up(self) -> None:
        for rival, shape in product(self._rivals, self._effort.shapes):
            requests = rival.crowd.requests(
                Part(shape, 16), self._effort.warm_up, self._effort.rounds
            )
            await cost_of(rival.server, requests, 16, proof=BOOKED)

    @asynccontextmanager
    async def _subscribed(self, number: int) -> AsyncIterator[None]:
        """Subscribers to the quiet event of each gateway, who receive nothing of the rush."""
        async with AsyncExitStack() as stack:
            opened = []
            for rival in self._rivals if number else ():
                if rival.name == GATEWAY:
                    quiet = subscribed(rival.server, rival.crowd.events.quiet, number)
                    opened.append((rival, await stack.enter_async_context(quiet)))
            for rival, subscribers in opened:
                await self._book_quietly(rival, subscribers)
            yield
            for rival, subscribers in opened:
                await self._book_quietly(rival, subscribers)

    async def _book_quietly(self, rival: Rival, subscribers: Subscribers) -> None:
        await answers(rival.server, [rival.crowd.request(rival.crowd.events.quiet)])
        await subscribers.require_next()

    async def _round(self, number: int, subscribers: int) -> list[Booked]:
        """All servers in each part, one after the other, in an order that is drawn anew."""
        parts = [part for part in self._effort.parts if part.subscribers == subscribers]
        measured = []
        for part in random.sample(parts, len(parts)):
            for rival in random.sample(self._rivals, len(self._rivals)):
                if not part.reads or rival.name == GATEWAY:
                    say(f"{self._kind}: round {number + 1}, {part}, {rival.name}")
                    measured.append(await self._book(rival, part, number))
        say("")
        return measured

    async def _book(self, rival: Rival, part: Part, number: int) -> Booked:
        requests = rival.crowd.requests(part, part.bookings, number)
        async with self._reading(rival, part) as read_seconds_of:
            booked = await book(rival, part, requests, self._meter, number)
        return replace(booked, read_seconds_of=tuple(read_seconds_of))

    @asynccontextmanager
    async def _reading(self, rival: Rival, part: Part) -> AsyncIterator[list[float]]:
        """A reader beside the rush, if the part has one."""
        if not part.reads:
            yield []
            return
        queries = detail_queries(self._world)
        async with asking(rival.server, queries, pause_seconds=PAUSE_SECONDS) as seconds_of:
            yield seconds_of
