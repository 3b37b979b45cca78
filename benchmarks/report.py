"""What was measured, as tables that README can show, and as JSON."""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson

from benchmarks.load import Cost
from benchmarks.reads import AT, HAND_WRITTEN, STOCK_EXECUTOR, Measured

GATEWAY: Final = "gateway"
STOCK: Final = "stock"
BARS: Final = {"detail": (1.35, 15), "roster": (1.4, 30), "fan-out": (1.3, 30)}
"""At most so many times the hand-written route's CPU, and so many times less than stock's."""

NEW_DOCUMENT: Final = 1.5
"""What a document seen for the first time may cost, in times of what the stock executor takes."""

TIMES: Final = "×"  # noqa: RUF001 - a sign of multiplication is meant

MISSING: Final = "–"  # noqa: RUF001 - a dash for what was not measured
NAMES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
TITLES: Final = {
    HAND_WRITTEN: "hand-written route",
    STOCK: "stock Strawberry",
    STOCK_EXECUTOR: "gateway on graphql-core",
}


class Results:
    """The measurements of one run, and what they come to."""

    def __init__(self, measured: Sequence[Measured]) -> None:
        self._costs: dict[tuple[str, str, str, int | None], dict[int, Cost]] = {}
        for one in measured:
            key = (one.database, one.server, one.query, one.connections)
            self._costs.setdefault(key, {})[one.round] = one.cost
        self.databases = _distinct(one.database for one in measured)
        self.servers = _distinct(one.server for one in sorted(measured, key=_in_order))
        self.connections = sorted({n for *_, n in self._costs if n is not None})
        self.queries = [name for name in BARS if any(one.query == name for one in measured)]

    def typical(
        self,
        value: Callable[[Cost], float],
        database: str,
        server: str,
        query: str,
        connections: int | None,
    ) -> float:
        """The median over the rounds; not a number where that was not measured."""
        costs = self._costs.get((database, server, query, connections))
        return median(value(cost) for cost in costs.values()) if costs else float("nan")

    def ratio(
        self, database: str, query: str, connections: int | None, server: str, to: str
    ) -> float:
        """How many times the CPU of another a server takes: the median of the rounds' ratios."""
        ours = self._costs.get((database, server, query, connections), {})
        theirs = self._costs.get((database, to, query, connections), {})
        ratios = [
            ours[n].cpu_milliseconds / theirs[n].cpu_milliseconds for n in ours if n in theirs
        ]
        return median(ratios) if ratios else float("nan")


def _distinct(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _in_order(one: Measured) -> int:
    return [HAND_WRITTEN, GATEWAY, STOCK_EXECUTOR, STOCK].index(one.server)


def markdown(results: Results) -> str:
    """Every table, and whether the bars are met."""
    parts = [
        part
        for database in results.databases
        for part in (_table(results, database), _new_documents(results, database))
    ]
    return "\n\n".join([*parts, *_verdict(results)]) + "\n"


def _table(results: Results, database: str) -> str:
    shown = " / ".join(map(str, results.connections))
    lines = [
        f"**{NAMES[database]}**: CPU of the server's process for each request, and requests a "
        f"second, at {shown} connections",
        "",
        f"| query | server | CPU, ms | requests/s | {TIMES} hand-written at {AT} |",
        "|---|---|--:|--:|--:|",
    ]
    for query in results.queries:
        for server in results.servers:
            of = (database, server, query)
            at = results.connections
            cpu = [results.typical(lambda c: c.cpu_milliseconds, *of, n) for n in at]
            speed = [results.typical(lambda c: c.per_second, *of, n) for n in at]
            times = results.ratio(database, query, AT, server, HAND_WRITTEN)
            lines.append(
                f"| {query} | {TITLES.get(server, server)} | {_cells(cpu, _milliseconds)} "
                f"| {_cells(speed, _per_second)} | {_times(times)} |"
            )
    return "\n".join(lines)


def _new_documents(results: Results, database: str) -> str:
    servers = [server for server in results.servers if server != HAND_WRITTEN]
    titles = " | ".join(TITLES.get(server, server) for server in servers)
    lines = [
        f"**{NAMES[database]}**: CPU for a request whose document is seen for the first time, ms",
        "",
        f"| query | {titles} | gateway ÷ on graphql-core |",
        f"|---|{'--:|' * (len(servers) + 1)}",
    ]
    for query in results.queries:
        cpu = [
            results.typical(lambda c: c.cpu_milliseconds, database, server, query, None)
            for server in servers
        ]
        times = results.ratio(database, query, None, GATEWAY, STOCK_EXECUTOR)
        lines.append(f"| {query} | {' | '.join(map(_milliseconds, cpu))} | {_times(times)} |")
    return "\n".join(lines)


def _verdict(results: Results) -> list[str]:
    if "postgresql" not in results.databases:
        return []
    of = "postgresql"
    lines = []
    for query in results.queries:
        most, least = BARS[query]
        slower = results.ratio(of, query, AT, GATEWAY, HAND_WRITTEN)
        faster = results.ratio(of, query, AT, STOCK, GATEWAY)
        new = results.ratio(of, query, None, GATEWAY, STOCK_EXECUTOR)
        lines += [
            f"- {_mark(slower <= most)} {query}: {slower:.2f} {TIMES} the hand-written route, "
            f"at most {most} {TIMES}",
            f"- {_mark(faster >= least)} {query}: {faster:.1f} {TIMES} less than stock, "
            f"at least {least} {TIMES}",
            f"- {_mark(new <= NEW_DOCUMENT)} {query}, new document: {new:.2f} {TIMES} the stock "
            f"executor, at most {NEW_DOCUMENT} {TIMES}",
        ]
    return [f"The bars, on PostgreSQL at {AT} connections:", "\n".join(lines)]


def _mark(met: bool) -> str:
    return "met" if met else "**missed**"


def _cells(values: Sequence[float], shown: Callable[[float], str]) -> str:
    return " / ".join(map(shown, values))


def _per_second(value: float) -> str:
    return MISSING if isnan(value) else f"{value:,.0f}"


def _milliseconds(value: float) -> str:
    if isnan(value):
        return MISSING
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _times(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def write_json(file: Path, measured: Sequence[Measured], **conditions: Any) -> None:
    """Every measurement of every round, with what it was taken on."""
    content = {
        "machine": {"python": platform.python_version(), "platform": platform.platform()},
        **conditions,
        "measured": [
            {
                **asdict(one),
                "cpu_milliseconds": one.cost.cpu_milliseconds,
                "per_second": one.cost.per_second,
            }
            for one in measured
        ],
    }
    file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
