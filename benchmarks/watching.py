"""What subscriptions cost: the gateway, beside a bare broadcast of the same bytes.

One process on one core, PostgreSQL. A latency is the time from the response that says that a
booking is committed (or that a text was accepted) to the arrival of its message. The CPU of
messages is that of the process less what it takes for the same bookings without subscribers.
"""

import asyncio
import resource
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import booking_world
from benchmarks.booking_world import World
from benchmarks.books import copy_of
from benchmarks.load import cost_of
from benchmarks.reads import say, token
from benchmarks.rush import BOOKED, SPREAD, Crowd, Part
from benchmarks.servers import Server, cores, serving
from benchmarks.watchers import Watcher, all_have, subscribing, watching
from resolvers.identity import global_id

SUBSCRIBE: Final = """subscription Changes($filter: BookingFilter) {
  bookingChanged(filter: $filter) {
    cursor type at booking { reference status candidate { fullName } event { title } }
  }
}"""
BETWEEN_SECONDS: Final = 0.1
IDENTIFIER: Final = "00000000-0000-4000-8000-{:012d}"
"""Clients choose identifiers of this length."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many subscribers, messages and bookings."""

    crowd: int = 2_000
    commits: int = 100
    idle: int = 10_000
    elsewhere: int = 100
    others: tuple[int, ...] = (0, 500, 2_000, 10_000)
    rounds: int = 3
    clients: int = 16
    bookings: int = 1_280


QUICK: Final = Effort(crowd=500, commits=30, idle=2_000, others=(0, 500, 2_000), rounds=2)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What it took to deliver messages."""

    what: str
    messages: int
    lost: int
    cpu_microseconds: float
    """For each message, beyond the same without subscribers."""

    cpu_milliseconds: float
    """For each commit, beyond the same without subscribers."""

    p50: float
    p99: float
    """Milliseconds from the commit to the receipt."""


@dataclass(frozen=True, slots=True)
class Beside:
    """How fast others book while so many subscribers match nothing."""

    subscribers: int
    per_second: float
    cpu_milliseconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """By how much the memory of a server grew with so many idle subscribers."""

    subscribers: int
    kilobytes: float
    """For each."""


Found = Delivered | Beside | Held


async def measure(effort: Effort, world: World = World()) -> list[Found]:  # noqa: B008
    """Everything, on PostgreSQL."""
    template = await asyncio.to_thread(booking_world.template, "postgresql", world)
    crowd = Crowd(world)  # shared, so that no candidate books an event twice
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(copy_of(template, "gateway"))
        core, _ = cores()
        with serving("gateway", url, core=core) as fresh:
            held = await _Run(effort, crowd, fresh, fresh).held()
        gateway = stack.enter_context(serving("gateway", url, core=core))
        with serving("gateway", url, core=core) as other:
            elsewhere = await _Run(effort, crowd, gateway, other).elsewhere(other)
        bare = stack.enter_context(serving("broadcast", url, core=core))
        return [held, elsewhere, *await _Run(effort, crowd, gateway, bare).measured()]


class _Run:
    def __init__(self, effort: Effort, crowd: Crowd, gateway: Server, bare: Server) -> None:
        self._effort, self._gateway, self._bare = effort, gateway, bare
        self._crowd = crowd
        self._token = token()
        self._hot = self._crowd.events.hot[0]

    async def held(self) -> Held:
        """The memory of subscribers in a server that has just started."""
        count, quiet = self._effort.idle, self._crowd.events.quiet
        async with watching(self._gateway, [self._subscription(0, quiet)]):
            before = _resident_bytes(self._gateway)
            idle = [self._subscription(n, quiet) for n in range(count)]
            async with watching(self._gateway, idle):
                held = _resident_bytes(self._gateway) - before
        say(f"{count:,} idle subscribers")
        return Held(count, held / count / 1000)

    async def elsewhere(self, other: Server) -> Delivered:
        """Messages of another process than the one that books, with the CPU of that process."""
        count = self._effort.elsewhere
        begin = [self._subscription(n, self._hot) for n in range(count)]
        async with watching(other, begin) as watchers:
            cpu, committed = await self._paced(other, self._book, watchers)
        what = f"{count:,} subscribers of another process"
        say(what)
        return _delivered_to(watchers, committed, cpu, what)

    async def measured(self) -> list[Found]:
        effort, events = self._effort, self._crowd.events
        found: list[Found] = []
        warm = self._crowd.requests(Part(SPREAD, effort.clients), 256, 0)
        await cost_of(self._gateway, warm, effort.clients, proof=BOOKED)
        alone, _ = await self._paced(self._gateway, self._book, [])
        one = [self._subscription(n, self._hot) for n in range(effort.crowd)]
        what = f"{effort.crowd:,} subscribers of one event"
        for number in range(effort.rounds):
            async with watching(self._gateway, one) as watchers:
                found.append(await self._delivered(watchers, alone, watchers, what))
                frame = watchers[0].last
            async with watching(self._bare, [[] for _ in one]) as watchers:
                found.append(await self._broadcast(watchers, frame, what))
            say(f"round {number + 1}: {what}")
        several = [self._hot, *events.spread[: effort.crowd - 1]]
        different = [self._subscription(n, event) for n, event in enumerate(several)]
        async with watching(self._gateway, different) as watchers:
            what = f"{len(different):,} different filters, of which one matches"
            found.append(await self._delivered(watchers, alone, watchers[:1], what))
        for count in effort.others:
            found.append(await self._beside(count))
        return found

    def _subscription(self, n: int, event: Any) -> list[bytes]:
        variables = {"filter": {"eventId": {"eq": global_id("Event", event)}}}
        return subscribing(self._token, SUBSCRIBE, variables, IDENTIFIER.format(n))

    async def _book(self) -> float:
        """Book a seat at the event of the subscribers; when the response arrived."""
        await cost_of(self._gateway, [self._crowd.request(self._hot)], 1, proof=BOOKED)
        return time.perf_counter()

    async def _delivered(
        self, watchers: Sequence[Watcher], alone: float, receivers: Sequence[Watcher], what: str
    ) -> Delivered:
        """What the messages of some bookings take, beyond the bookings alone."""
        cpu, committed = await self._paced(self._gateway, self._book, receivers)
        return _delivered_to(receivers, committed, cpu - alone, f"{what}, gateway")

    async def _broadcast(self, watchers: Sequence[Watcher], frame: bytes, what: str) -> Delivered:
        head = b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
        request = head % len(frame) + frame

        async def send() -> float:
            await cost_of(self._bare, [request], 1)
            return time.perf_counter()

        cpu, committed = await self._paced(self._bare, send, watchers)
        return _delivered_to(watchers, committed, cpu, f"{what}, bare broadcast")

    async def _paced(
        self, server: Server, act: Callable[[], Awaitable[float]], receivers: Sequence[Watcher]
    ) -> tuple[float, list[float]]:
        """Act ten times a second; the CPU seconds of a server, and when each act was confirmed."""
        for watcher in receivers:
            watcher.arrivals.clear()
        before, confirmed = server.cpu_seconds(), []
        for _ in range(self._effort.commits):
            confirmed.append(await act())
            await asyncio.sleep(BETWEEN_SECONDS)
        await all_have(receivers, len(confirmed))
        return server.cpu_seconds() - before, confirmed

    async def _beside(self, count: int) -> Beside:
        """How fast others book while subscribers of another event receive nothing."""
        quiet = [self._subscription(n, self._crowd.events.quiet) for n in range(count)]
        async with watching(self._gateway, quiet):
            rates, costs = [], []
            for number in range(self._effort.rounds):
                part = Part(SPREAD, self._effort.clients)
                requests = self._crowd.requests(part, self._effort.bookings, number)
                cost = await cost_of(self._gateway, requests, part.clients, proof=BOOKED)
                rates.append(cost.per_second)
                costs.append(cost.cpu_milliseconds)
        say(f"bookings beside {count} subscribers")
        return Beside(count, max(rates), min(costs))


def _delivered_to(
    receivers: Sequence[Watcher], committed: Sequence[float], cpu: float, what: str
) -> Delivered:
    late = [
        arrival - moment
        for watcher in receivers
        for moment, arrival in zip(committed, watcher.arrivals, strict=False)
    ]
    messages = len(committed) * len(receivers)
    cuts = statistics.quantiles(late, n=100)
    return Delivered(
        what,
        messages,
        messages - len(late),
        1e6 * cpu / messages,
        1e3 * cpu / len(committed),
        1e3 * cuts[49],
        1e3 * cuts[98],
    )


def _resident_bytes(server: Server) -> int:
    pages = Path(f"/proc/{server.process_id}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def markdown(found: Sequence[Found]) -> str:
    """Two tables and the memory."""
    lines = [
        "| | messages | lost | CPU for each message | CPU for each commit | p50 | p99 |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.what} | {one.messages:,} | {one.lost} | {one.cpu_microseconds:.1f} µs"
        f" | {one.cpu_milliseconds:.2f} ms | {one.p50:.1f} ms | {one.p99:.1f} ms |"
        for one in found
        if isinstance(one, Delivered)
    ]
    lines += [
        "",
        "| subscribers that do not match | bookings a second | CPU for each booking |",
        "|---|---|---|",
    ]
    lines += [
        f"| {one.subscribers:,} | {one.per_second:,.0f} | {one.cpu_milliseconds:.2f} ms |"
        for one in found
        if isinstance(one, Beside)
    ]
    lines += [
        f"\nMemory: {one.kilobytes:.1f} kB for each of {one.subscribers:,} idle subscribers."
        for one in found
        if isinstance(one, Held)
    ]
    return "\n".join(lines) + "\n"
