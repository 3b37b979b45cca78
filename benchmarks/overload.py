"""What a gateway does when far more is asked of it than it can do.

First the rate of 64 clients is measured. Then requests begin at a multiple of that rate, whether
earlier ones have been answered or not, while one further client books at a steady pace. It goes on
afterwards, until the gateway is back to normal.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from benchmarks import booking_world, databases
from benchmarks.booking_requests import booking_request
from benchmarks.booking_world import World
from benchmarks.books import GATEWAY, copy_of
from benchmarks.load import LENGTH, cost_of
from benchmarks.reads import say, token
from benchmarks.report import NAMES, TIMES
from benchmarks.rush import BOOKED, SPREAD, Crowd, Part
from benchmarks.servers import Server, cores, serving

CLIENTS: Final = 64
ACCEPTED_SECONDS: Final = 1.0
REFUSED_SECONDS: Final = 0.1
RECOVERY_SECONDS: Final = 5.0
REFUSED: Final = b"OVERLOADED"


@dataclass(frozen=True, slots=True)
class Storm:
    """How much is asked, and for how long."""

    times: float = 10
    seconds: float = 30
    connections: int = 3_000
    bookings: int = 1_280
    """How many bookings the sustainable rate is measured with."""

    steady_seconds: float = 3
    """How long the steady client books before the storm."""

    calm_seconds: float = 6
    """How long it goes on after the storm."""


@dataclass(slots=True)
class Weathered:
    """What a storm did. Seconds are those of single requests, unless named otherwise."""

    database: str
    sustainable: float
    """Bookings a second of 64 clients."""

    storm: Storm
    asked: int = 0
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)
    """Responses that are neither."""

    recovery_seconds: float = 0.0
    """From the end of the storm until the steady client is served as before it."""


async def measure(kind: str, storm: Storm, world: World = World()) -> Weathered:  # noqa: B008
    """Let a storm pass over a gateway on one kind of database. Raises: Unanswered."""
    template = await asyncio.to_thread(booking_world.template, kind, world)
    return await measure_on(template, storm, world)


async def measure_on(template: str, storm: Storm, world: World) -> Weathered:
    """Let a storm pass over a gateway with a copy of a database. Raises: Unanswered."""
    kind = databases.kind_of(template)
    async with copy_of(template, "overload") as url:
        core, _ = cores()
        with serving(GATEWAY, url, core=core) as server:
            return await _weathered(kind, server, storm, Crowd(world), world)


async def _weathered(
    kind: str, server: Server, storm: Storm, crowd: Crowd, world: World
) -> Weathered:
    for number in (storm.bookings // 4, storm.bookings):  # the first ones warm it up
        requests = crowd.requests(Part(SPREAD, CLIENTS), number, 0)
        cost = await cost_of(server, requests, CLIENTS, proof=BOOKED)
    weathered = Weathered(kind, cost.per_second, storm)
    candidates = deque(range(crowd.bookings + 1, world.bookers + 1))
    asking = _Asking(server, weathered, candidates, world, crowd.events.spread)
    connections = [await asking.opened() for _ in range(storm.connections)]
    steady = _Steady(_Asking(server, Weathered(kind, 0, storm), candidates, world, asking.events))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(steady.book())
        await asyncio.sleep(storm.steady_seconds)
        say(f"{kind}: {storm.times:.0f} times {weathered.sustainable:.0f} a second")
        began = time.perf_counter()
        await asking.storm(connections)
        ended = time.perf_counter()
        await asyncio.sleep(storm.calm_seconds)
        steady.ending = True
    say("")
    weathered.recovery_seconds = steady.normal_at(began, ended) - ended
    for one in connections:
        one.close()
    return weathered


class _Asking:
    """Begins bookings. A candidate who was refused tries again later."""

    def __init__(
        self,
        server: Server,
        weathered: Weathered,
        candidates: "deque[int]",
        world: World,
        events: Sequence[Any],
    ) -> None:
        self.events = events
        self.weathered = weathered
        self.idle: list[_Connection] = []
        self._server, self._candidates, self._world = server, candidates, world
        self._token = token()

    async def opened(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self), "127.0.0.1", self._server.port
        )
        self.idle.append(connection)
        return connection

    async def storm(self, connections: Sequence["_Connection"]) -> None:
        """Begin requests at the storm's rate, as far as there are idle connections for them."""
        storm, asked = self.weathered.storm, self.weathered.asked
        rate, began = storm.times * self.weathered.sustainable, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < storm.seconds:
            due = int(rate * elapsed) - asked
            asked += due
            for _ in range(min(due, len(self.idle))):
                self.begin(self.idle.pop())
            await asyncio.sleep(0.001)
        while len(self.idle) < len(connections):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.001)

    def begin(self, connection: "_Connection") -> None:
        self.weathered.asked += 1
        candidate = self._candidates.popleft()
        event = self.events[candidate % len(self.events)]
        connection.ask(
            candidate, booking_request(self._world.candidate(candidate), event, self._token)
        )

    def answered(self, connection: "_Connection", candidate: int, whole: bytes) -> None:
        seconds = time.perf_counter() - connection.asked_at
        if whole.startswith(b"HTTP/1.1 200") and BOOKED in whole:
            self.weathered.accepted.append(seconds)
        elif REFUSED in whole:
            self.weathered.refused.append(seconds)
            self._candidates.append(candidate)
        else:
            self.weathered.others.append(whole[:500])
        self.idle.append(connection)


class _Steady:
    """One client that books all the time, with a pause after each response."""

    PAUSE_SECONDS: Final = 0.02

    def __init__(self, asking: _Asking) -> None:
        self.ending = False
        self._asking = asking
        self._took: list[tuple[float, float, bool]] = []  # began, seconds, whether it booked

    async def book(self) -> None:
        connection = await self._asking.opened()
        while not self.ending:
            booked = len(self._asking.weathered.accepted)
            self._asking.idle.clear()
            self._asking.begin(connection)
            while not self._asking.idle:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0.001)
            seconds = time.perf_counter() - connection.asked_at
            self._took.append(
                (connection.asked_at, seconds, len(self._asking.weathered.accepted) > booked)
            )
            await asyncio.sleep(self.PAUSE_SECONDS)
        connection.close()

    def normal_at(self, began: float, ended: float) -> float:
        """When the last response came that took more than twice as long as any before."""
        most = 2 * max(seconds for at, seconds, _ in self._took if at < began)
        slow = [
            at + seconds
            for at, seconds, booked in self._took
            if at + seconds > ended and not (booked and seconds <= most)
        ]
        return max(slow, default=ended)


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, asking: _Asking) -> None:
        self.asked_at = 0.0
        self._asking = asking
        self._candidate = 0
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def ask(self, candidate: int, request: bytes) -> None:
        self._candidate, self.asked_at = candidate, time.perf_counter()
        self._transport.write(request)

    def data_received(self, received: bytes) -> None:
        self._received += received
        whole = self._received
        end = whole.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        start = whole.find(LENGTH, 0, end) + len(LENGTH)
        if len(whole) < end + int(whole[start : whole.find(b"\r", start)]):
            return
        self._received = b""
        self._asking.answered(self, self._candidate, whole)

    def close(self) -> None:
        self._transport.close()


def markdown(measured: Sequence[Weathered]) -> str:
    """A table, and whether the bars are met."""
    lines = [
        "| database | sustainable, bookings/s | asked/s | accepted/s | p50, p99, ms "
        "| refused/s | p50, p99, max, ms | other responses | normal after, s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        *map(_row, measured),
        "",
        *(line for one in measured for line in _bars(one)),
        "",
    ]
    return "\n".join(lines)


def _row(one: Weathered) -> str:
    seconds = one.storm.seconds
    asked = one.asked / seconds
    cells = (
        NAMES[one.database],
        f"{one.sustainable:,.0f}",
        f"{asked:,.0f} ({asked / one.sustainable:.1f} {TIMES})",
        f"{len(one.accepted) / seconds:,.0f}",
        f"{_ms(one.accepted, 0.5)}, {_ms(one.accepted, 0.99)}",
        f"{len(one.refused) / seconds:,.0f}",
        f"{_ms(one.refused, 0.5)}, {_ms(one.refused, 0.99)}, {_ms(one.refused, 1)}",
        f"{len(one.others):,}",
        f"{one.recovery_seconds:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _bars(one: Weathered) -> Iterator[str]:
    accepted, refused = quantile(one.accepted, 0.99), quantile(one.refused, 0.99)
    for what, value, most in (
        ("p99 of accepted requests, s", accepted, ACCEPTED_SECONDS),
        ("p99 of refusals, s", refused, REFUSED_SECONDS),
        ("normal again after, s", one.recovery_seconds, RECOVERY_SECONDS),
        ("responses that neither book nor say OVERLOADED", len(one.others), 0),
    ):
        met = "met" if value <= most else "**missed**"
        yield f"- {met}: {NAMES[one.database]}: {what}: {value:.2f}, at most {most:g}"


def quantile(values: Sequence[float], part: float) -> float:
    """The value that a part of the values does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _ms(values: Sequence[float], part: float) -> str:
    return f"{1000 * (median(values) if part == 0.5 and values else quantile(values, part)):.0f}"
