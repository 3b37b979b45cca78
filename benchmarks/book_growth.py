"""What a booking costs as the data grows: more enrolments everywhere, or more at one event.

The gateway and the fair route book in copies of a small and of a large world, and at hot events
that are filled to different degrees. In each round they do so one after the other.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Final

from benchmarks import booking_world
from benchmarks.booking_world import World
from benchmarks.books import GATEWAY, Booked, Rival, book, copy_of
from benchmarks.database_cpu import DatabaseMeter, database_meter
from benchmarks.load import cost_of
from benchmarks.reads import say
from benchmarks.report import NAMES, TIMES
from benchmarks.rush import BOOKED, HOT, SPREAD, Crowd, Part
from benchmarks.servers import cores, serving

SIZES: Final = (100_000, 1_000_000)
FILLED: Final = (0, 3_000, 6_000, 9_000)
SERVERS: Final = (GATEWAY, "fair")
AT_HOT_EVENT: Final = 192
"""How many bookings are measured at a hot event in a round."""

MOST: Final = 0.15
"""By how much the database's time may change."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How much is booked: rounds, worlds by enrolments, and hot events by seats taken."""

    rounds: int = 4
    clients: tuple[int, ...] = (16, 64)
    warm_up: int = 128
    sizes: tuple[int, ...] = SIZES
    filled: tuple[int, ...] = FILLED
    bookers: int = booking_world.BOOKERS
    events: int = 2_000


@dataclass(frozen=True, slots=True)
class Step:
    """Bookings in a world with so many enrolments; those of a hot event have `taken` seats."""

    enrolments: int
    clients: int
    taken: int | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """What a server took in a step in one round."""

    step: Step
    booked: Booked


async def measure(kind: str, growth: Growth) -> list[Grown]:
    """Every step on one kind of database, in one interleaved run. Raises: Unanswered."""
    async with database_meter(kind) as meter, AsyncExitStack() as stack:
        run = _Run(growth, meter)
        for enrolments in growth.sizes:
            filled = growth.filled if enrolments == min(growth.sizes) else ()
            world = World(enrolments, growth.events, growth.bookers, filled)
            template = await asyncio.to_thread(booking_world.template, kind, world)
            for name in SERVERS:
                url = await stack.enter_async_context(copy_of(template, f"{name}_{enrolments}"))
                core, _ = cores()
                server = stack.enter_context(serving(name, url, core=core))
                run.rivals[name, enrolments] = Rival(name, url, server, Crowd(world))
        return await run.measured()


class _Run:
    def __init__(self, growth: Growth, meter: DatabaseMeter) -> None:
        self._growth, self._meter = growth, meter
        self.rivals: dict[tuple[str, int], Rival] = {}

    async def measured(self) -> list[Grown]:
        for rival in self.rivals.values():
            requests = rival.crowd.requests(Part(SPREAD, 16), self._growth.warm_up, 0)
            await cost_of(rival.server, requests, 16, proof=BOOKED)
        steps = [*self._steps()]
        return [
            grown
            for number in range(self._growth.rounds)
            for step in random.sample(steps, len(steps))
            for grown in [await self._book(name, step, number) for name in SERVERS]
        ]

    def _steps(self) -> Iterator[Step]:
        for enrolments, clients in product(self._growth.sizes, self._growth.clients):
            yield Step(enrolments, clients)
        for taken in self._growth.filled:
            yield Step(min(self._growth.sizes), max(self._growth.clients), taken)

    async def _book(self, name: str, step: Step, number: int) -> Grown:
        say(f"round {number + 1}: {step}, {name}")
        rival = self.rivals[name, step.enrolments]
        if step.taken is None:
            part = Part(SPREAD, step.clients)
            requests = rival.crowd.requests(part, part.bookings, 0)
        else:
            part, event = Part(HOT, step.clients), self._growth.filled.index(step.taken)
            requests = rival.crowd.requests(part, AT_HOT_EVENT, event)
        return Grown(step, await book(rival, part, requests, self._meter, number))


def markdown(measured: Sequence[Grown]) -> str:
    """Tables of the CPU of the server and of the database, and whether the bars are met."""
    parts = []
    for database in dict.fromkeys(one.booked.database for one in measured):
        of_database = [one for one in measured if one.booked.database == database]
        parts += [_table(of_database, database), "\n".join(_bars(of_database, database))]
    return "\n\n".join(parts) + "\n"


def _table(measured: Sequence[Grown], database: str) -> str:
    steps = list(dict.fromkeys(one.step for one in measured))
    steps.sort(key=lambda step: (step.taken is not None, step.clients, step.taken or 0))
    lines = [
        f"**{NAMES[database]}**: CPU in ms for each booking, of the server's process and of the "
        "database's",
        "",
        "| enrolments | seats taken at the hot event | clients | server | CPU | database |",
        "|--:|--:|--:|---|--:|--:|",
    ]
    for step, server in product(steps, SERVERS):
        taken = "" if step.taken is None else f"{step.taken:,}"
        lines.append(
            f"| {step.enrolments:,} | {taken} | {step.clients} | {server} "
            f"| {_typical(measured, server, step, _cpu):.3f} "
            f"| {_typical(measured, server, step, _database):.3f} |"
        )
    return "\n".join(lines)


def _cpu(one: Booked) -> float:
    return one.cost.cpu_milliseconds


def _database(one: Booked) -> float:
    return one.database_milliseconds


def _typical(
    measured: Sequence[Grown], server: str, step: Step, value: Callable[[Booked], float]
) -> float:
    return median(_of(measured, server, step, value).values())


def _of(
    measured: Sequence[Grown], server: str, step: Step, value: Callable[[Booked], float]
) -> dict[int, float]:
    """By round."""
    return {
        one.booked.round: value(one.booked)
        for one in measured
        if one.step == step and one.booked.server == server
    }


def _bars(measured: Sequence[Grown], database: str) -> Iterator[str]:
    """How much the gateway's cost grows. SQLite works in the server's own process."""
    value = _database if database == "postgresql" else _cpu
    steps = {one.step for one in measured}
    few, *_, many = sorted({step.enrolments for step in steps})
    for clients in sorted({step.clients for step in steps}):
        grown = _ratio(measured, Step(few, clients), Step(many, clients), value)
        yield _line(f"{clients} clients, {many:,} enrolments", grown, f"{few:,}")
    empty, *filled = sorted(
        (step for step in steps if step.taken is not None), key=lambda step: step.taken or 0
    )
    for step in filled:
        grown = _ratio(measured, empty, step, value)
        yield _line(f"a hot event with {step.taken:,} seats taken", grown, f"{empty.taken:,}")


def _ratio(
    measured: Sequence[Grown], before: Step, after: Step, value: Callable[[Booked], float]
) -> float:
    old = _of(measured, GATEWAY, before, value)
    new = _of(measured, GATEWAY, after, value)
    return median(new[n] / old[n] for n in new)


def _line(what: str, ratio: float, before: str) -> str:
    met = abs(ratio - 1) <= MOST
    return f"- {'met' if met else '**missed**'}: {what}: {ratio:.2f} {TIMES} that with {before}"
