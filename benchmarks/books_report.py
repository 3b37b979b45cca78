"""The measurements of bookings as tables, with the bars that the gateway must meet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import product
from math import isnan, nan
from pathlib import Path
from statistics import median, quantiles
from typing import Final

import orjson

from benchmarks.books import GATEWAY, Booked
from benchmarks.report import MISSING, NAMES, TIMES
from benchmarks.rush import HOT, SPREAD, Part
from benchmarks.serve import TWO_PROCESSES

FAIR: Final = "fair"
TITLES: Final = {
    GATEWAY: "gateway",
    TWO_PROCESSES: "gateway, two processes",
    FAIR: "fair route",
    "simple": "simple route",
}

CPU_RATIO: Final = 2.0
DATABASE_RATIO: Final = 1.2
RATE_RATIO: Final = 0.6
BEST_PEER: Final = 1_610
"""Bookings a second of the best Node.js server on one hot event with a row lock."""

SINGLE_CPU: Final = 1.5
SINGLE_WAIT: Final = 3.5
"""Milliseconds of a booking by one client."""

ON_SQLITE: Final = 2_500
"""Bookings a second of 64 clients."""


class Books:
    """The measurements of one run."""

    def __init__(self, measured: Sequence[Booked]) -> None:
        self._measured: dict[tuple[str, str, Part], dict[int, Booked]] = {}
        for one in measured:
            key = one.database, one.server, one.part
            self._measured.setdefault(key, {})[one.round] = one
        self.databases = list(dict.fromkeys(one.database for one in measured))
        self.servers = [name for name in TITLES if any(one.server == name for one in measured)]
        order = [SPREAD, HOT]
        self.parts = sorted(
            {one.part for one in measured if not one.part.reads},
            key=lambda part: (order.index(part.shape), part.subscribers, part.clients),
        )

    def has(self, database: str, server: str, part: Part) -> bool:
        return (database, server, part) in self._measured

    def typical(
        self, value: Callable[[Booked], float], database: str, server: str, part: Part
    ) -> float:
        """The median over the rounds; not a number where that was not measured."""
        rounds = self._measured.get((database, server, part), {})
        return median(map(value, rounds.values())) if rounds else nan

    def ratio(self, value: Callable[[Booked], float], database: str, part: Part) -> float:
        """The gateway's value as a multiple of the fair route's: the median of the rounds'."""
        ours = self._measured.get((database, GATEWAY, part), {})
        theirs = self._measured.get((database, FAIR, part), {})
        ratios = [
            value(ours[n]) / value(theirs[n]) for n in ours if n in theirs and value(theirs[n])
        ]
        return median(ratios) if ratios else nan


def cpu(one: Booked) -> float:
    """Milliseconds of the server's process, for each booking."""
    return one.cost.cpu_milliseconds


def database_cpu(one: Booked) -> float:
    """Milliseconds of the database's processes, for each booking."""
    return one.database_milliseconds


def background(one: Booked) -> float:
    return one.background_milliseconds


def rate(one: Booked) -> float:
    return one.cost.per_second


def p50(one: Booked) -> float:
    """In milliseconds."""
    return 1000 * median(one.seconds_of)


def p99(one: Booked) -> float:
    """In milliseconds."""
    return 1000 * quantiles(one.seconds_of, n=100)[-1]


def markdown(measured: Sequence[Booked]) -> str:
    """A table for each database, and whether the bars are met."""
    books = Books(measured)
    parts = [_table(books, database) for database in books.databases]
    readers = [*_with_subscribers(books), *_readers(measured)]
    bars = ["The bars:", "\n".join(_bars(books))]
    return "\n\n".join([*parts, *readers, *bars]) + "\n"


def _readers(measured: Sequence[Booked]) -> Iterator[str]:
    """What a query for one booking took while others booked, over all rounds."""
    seconds_of: dict[tuple[str, Part], list[float]] = {}
    for one in measured:
        if one.part.reads:
            seconds_of.setdefault((one.database, one.part), []).extend(one.read_seconds_of)
    for (database, part), seconds in seconds_of.items():
        middle, last = 1000 * median(seconds), 1000 * quantiles(seconds, n=100)[-1]
        yield (
            f"{NAMES[database]}: a query for one booking during the rush ({_named(part)}): "
            f"p50 {middle:.1f} ms, p99 {last:.1f} ms, of {len(seconds)}"
        )


def _table(books: Books, database: str) -> str:
    lines = [
        f"**{NAMES[database]}**: bookings; CPU in ms for each, of the server's process, of the "
        "database's processes that serve it, and of those in the background",
        "",
        "| shape | clients | subscribers | server | bookings/s | p50, ms | p99, ms "
        "| CPU | database | background |",
        "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for part in books.parts:
        for server in books.servers:
            if not books.has(database, server, part):
                continue
            of = (database, server, part)
            lines.append(
                f"| {part.shape} | {part.clients} | {part.subscribers} | {TITLES[server]} "
                f"| {books.typical(rate, *of):,.0f} | {books.typical(p50, *of):.1f} "
                f"| {books.typical(p99, *of):.1f} | {books.typical(cpu, *of):.3f} "
                f"| {_milliseconds(books.typical(database_cpu, *of))} "
                f"| {_milliseconds(books.typical(background, *of))} |"
            )
    return "\n".join(lines)


def _milliseconds(value: float) -> str:
    return f"{value:.3f}" if value else MISSING


def _bars(books: Books) -> Iterator[str]:
    for part in books.parts:
        if part.subscribers:
            continue
        if "postgresql" in books.databases:
            yield from _on_postgresql(books, part)
        if "sqlite" in books.databases and part.clients == 64:
            reached = books.typical(rate, "sqlite", GATEWAY, part)
            what = f"SQLite, {_named(part)}: bookings a second"
            yield _line(what, reached, f"at least {ON_SQLITE:,}", reached >= ON_SQLITE)


def _with_subscribers(books: Books) -> Iterator[str]:
    """What subscribers to another event cost the gateway."""
    for database, part in product(books.databases, books.parts):
        alone = replace(part, subscribers=0)
        if not part.subscribers or not books.has(database, GATEWAY, alone):
            continue
        times = [
            books.typical(value, database, GATEWAY, part)
            / books.typical(value, database, GATEWAY, alone)
            for value in (cpu, p99)
        ]
        yield (
            f"{NAMES[database]}, {_named(part)}: {times[0]:.2f} {TIMES} the CPU and "
            f"{times[1]:.2f} {TIMES} the p99 without them"
        )


def _on_postgresql(books: Books, part: Part) -> Iterator[str]:
    of = "postgresql"
    if part.clients == 1:
        alone, waits = books.typical(cpu, of, GATEWAY, part), books.typical(p50, of, GATEWAY, part)
        yield _line(
            f"{_named(part)}: ms of CPU", alone, f"at most {SINGLE_CPU}", alone <= SINGLE_CPU
        )
        yield _line(
            f"{_named(part)}: ms until the response",
            waits,
            f"at most {SINGLE_WAIT}",
            waits <= SINGLE_WAIT,
        )
        return
    taken, busy = books.ratio(cpu, of, part), books.ratio(database_cpu, of, part)
    rates = books.ratio(rate, of, part)
    fair = f"{TIMES} the fair route"
    yield _line(f"{_named(part)}: CPU {fair}", taken, f"at most {CPU_RATIO}", taken <= CPU_RATIO)
    yield _line(
        f"{_named(part)}: database {fair}",
        busy,
        f"at most {DATABASE_RATIO}",
        busy <= DATABASE_RATIO,
    )
    yield _line(
        f"{_named(part)}: rate {fair}", rates, f"at least {RATE_RATIO}", rates >= RATE_RATIO
    )
    if part.shape == HOT:
        reached = books.typical(rate, of, GATEWAY, part)
        what = f"{_named(part)}: bookings a second"
        yield _line(what, reached, f"more than {BEST_PEER:,}", reached > BEST_PEER)


def _named(part: Part) -> str:
    clients = "1 client" if part.clients == 1 else f"{part.clients} clients"
    subscribers = f", {part.subscribers} subscribers" if part.subscribers else ""
    return f"{part.shape}, {clients}{subscribers}"


def _line(what: str, value: float, bar: str, met: bool) -> str:
    if isnan(value):
        return f"- not measured: {what}, {bar}"
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return f"- {'met' if met else '**missed**'}: {what}: {shown}, {bar}"


def write_json(file: Path, measured: Sequence[Booked]) -> None:
    """Every measurement of every round."""
    content = [
        {
            "database": one.database,
            "server": one.server,
            "part": asdict(one.part),
            "round": one.round,
            "per_second": rate(one),
            "p50_milliseconds": p50(one),
            "p99_milliseconds": p99(one),
            "cpu_milliseconds": cpu(one),
            "database_milliseconds": database_cpu(one),
            "background_milliseconds": background(one),
        }
        for one in measured
    ]
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
