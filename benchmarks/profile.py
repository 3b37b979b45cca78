"""Where a server's CPU time goes: samples of its stacks while it is asked, counted."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks import booking_world
from benchmarks.booking_world import BOOKERS, SEATS, World
from benchmarks.books import copy_of
from benchmarks.load import cost_of
from benchmarks.queries import Query
from benchmarks.reads import token
from benchmarks.rush import BOOKED, HOT, Crowd, Part
from benchmarks.sampler import Place
from benchmarks.servers import ROOT, Server, cores, serving

CONNECTIONS: Final = 16
BELOW: Final = (
    *("/benchmarks/", "runpy", "/asyncio/", "threading.py", "uvicorn/server.py"),
    "uvicorn/_compat.py",
)
"""What is below every request, and says nothing of it."""

WARM_UP: Final = 200

Stacks = list[tuple[list[Place], int]]


async def profiled(url: str, server: str, query: Query, seconds: float, lines: int) -> str:
    """What a server does while it is asked one query for that much CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.json"
        core, _ = cores()
        with serving(server, url, core=core, samples=samples) as running:
            cost = await _asked(running, server, query, seconds)
        stacks: Stacks = orjson.loads(samples.read_bytes())
    return f"{server}, {query.name}: {cost:.3f} ms of CPU a request, sampled\n\n" + shown(
        stacks, cost, lines
    )


async def profiled_bookings(kind: str, server: str, part: Part, seconds: float, lines: int) -> str:
    """What a server does while it books seats for that much CPU time."""
    world = World()
    template = await asyncio.to_thread(booking_world.template, kind, world)
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.json"
        core, _ = cores()
        crowd = Crowd(world)
        async with copy_of(template, server) as url:
            with serving(server, url, core=core, samples=samples) as running:
                cost = await _booked(running, crowd, part, seconds)
        stacks: Stacks = orjson.loads(samples.read_bytes())
    told = (
        f"{server}, {part.shape}, {part.clients} clients: {cost:.3f} ms of CPU a booking, sampled"
    )
    return f"{told}\n\n{shown(stacks, cost, lines)}"


async def _booked(running: Server, crowd: Crowd, part: Part, seconds: float) -> float:
    """Book for that much CPU time; the milliseconds of a booking."""

    async def book(number: int) -> float:
        requests = crowd.requests(part, number, 0)
        return (await cost_of(running, requests, part.clients, proof=BOOKED)).cpu_milliseconds

    await book(WARM_UP)
    most = SEATS - 3 * WARM_UP if part.shape == HOT else BOOKERS // 2
    return await book(min(most, max(WARM_UP, round(1000 * seconds / await book(WARM_UP)))))


async def _asked(running: Server, name: str, query: Query, seconds: float) -> float:
    """Ask for that much CPU time; the milliseconds of a request."""
    requests = query.requests(name, token())
    await cost_of(running, islice(cycle(requests), WARM_UP), CONNECTIONS)
    warm = await cost_of(running, islice(cycle(requests), WARM_UP), CONNECTIONS)
    number = max(WARM_UP, round(1000 * seconds / warm.cpu_milliseconds))
    cost = await cost_of(running, islice(cycle(requests), number), CONNECTIONS)
    return cost.cpu_milliseconds


def shown(stacks: Stacks, milliseconds: float, lines: int) -> str:
    """The tables: by package, by function itself and with what it calls, and by line."""
    packages: Counter[str] = Counter()
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    at_line: Counter[str] = Counter()
    for stack, number in stacks:
        file, line, function, first = stack[0]
        packages[_package(file)] += number
        own[f"{function} ({_short(file)}:{first})"] += number
        at_line[f"{_short(file)}:{line} {function}"] += number
        whole.update(dict.fromkeys(set(_callers(stack)), number))
    total = sum(packages.values()) or 1
    tables = {
        "by package, itself": packages,
        "by function, itself": own,
        "by line, itself": at_line,
        "by function, with what it calls": whole,
    }
    return "\n".join(
        part
        for title, counted in tables.items()
        for part in (f"{title}:", *_rows(counted.most_common(lines), total, milliseconds), "")
    )


def _rows(counted: Iterable[tuple[str, int]], total: int, milliseconds: float) -> Iterable[str]:
    for name, number in counted:
        share = number / total
        yield f"{100 * share:6.1f} %  {1000 * milliseconds * share:8.1f} µs  {name}"


def _callers(stack: list[Place]) -> Iterable[str]:
    """The functions of a stack, without what is below every one of them."""
    for file, _, function, first in stack:
        if not any(part in file for part in BELOW):
            yield f"{function} ({_short(file)}:{first})"


def _short(file: str) -> str:
    """A file as it is known: from its package on."""
    for before in ("/site-packages/", f"{ROOT}/", "/lib/python3"):
        _, found, rest = file.partition(before)
        if found:
            return rest
    return file


def _package(file: str) -> str:
    short = _short(file)
    if "/lib/python3" in file and "/site-packages/" not in file:
        return "standard library"
    parts: list[Any] = short.split("/")
    return "/".join(parts[:2]) if parts[0] in {"schema", "gateway", "resolvers"} else str(parts[0])
