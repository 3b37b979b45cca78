"""How much memory a gateway holds while the variety of an hour's documents goes by in minutes.

Each step sends documents that no step before it has sent: filters of another length and order with
other values, filters of many terms, and bodies that never become complete. After them, the three
documents that are always in use.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from typing import Final

import orjson

from benchmarks.queries import Query, post
from benchmarks.reads import token
from benchmarks.servers import Server, cores, serving

MIB: Final = 1024 * 1024
STEPS: Final = 12
CACHE_MIB: Final = 32
"""The limit of the server's caches, so that the first two steps fill them, not the first six."""

SHAPES: Final = 250
"""How many different filters of up to eight terms a step sends."""

LARGE: Final = 25
"""How many different filters of sixty terms a step sends, each twice."""

BODIES: Final = 60
BODY_BYTES: Final = 7 * MIB
USED: Final = 100
"""How often a step asks each document that is in use."""

CONDITIONS: Final = (
    '{{title: {{contains: "{n}"}}}}',
    '{{title: {{startsWith: "{n}"}}}}',
    '{{summary: {{eq: "{n}"}}}}',
    "{{number: {{gte: {n}}}}}",
    "{{number: {{lte: {n}}}}}",
    "{{capacityMaximum: {{isNull: true}}}}",
)


@dataclass(frozen=True, slots=True)
class Step:
    """What the server's process held after a step, and at most during it."""

    kind: str
    number: int
    resident_bytes: int
    peak_bytes: int


async def measure(kind: str, url: str, asked: Sequence[Query], steps: int = STEPS) -> list[Step]:
    """The memory before the first step and after each step."""
    core, _ = cores()
    with serving("gateway", url, core=core, cache_mib=CACHE_MIB) as server:
        await _ask(server, _in_use(asked))
        held = [_held(kind, server, 0)]
        new = _new_documents(random.Random(1))  # noqa: S311 - the same documents at every run
        for number in range(1, steps + 1):
            set_peak_back(server)
            await _ask(server, islice(new, SHAPES + 2 * LARGE))
            await _unfinished_bodies(server)
            await _ask(server, _in_use(asked))
            held.append(_held(kind, server, number))
        return held


def _in_use(asked: Sequence[Query]) -> Iterator[bytes]:
    for query in asked:
        yield from islice(cycle(query.requests("gateway", token())), USED)


def _new_documents(chance: random.Random) -> Iterator[bytes]:
    """Requests whose documents no other has; every sixth is large, and sent twice."""
    for n in count():
        large = n % (SHAPES // LARGE + 1) == 0
        terms = 60 if large else chance.randrange(1, 9)
        parts = [chance.choice(CONDITIONS).format(n=chance.randrange(10**6)) for _ in range(terms)]
        selection = "id title status" if n % 2 else "id title centre { name }"
        document = (
            f"query Q{n} {{ events(first: {1 + n % 20}, filter: {{or: [{', '.join(parts)}]}})"
            f" {{ nodes {{ {selection} }} }} }}"
        )
        request = post({"query": document}, token())
        yield request
        if large:
            yield request


async def _ask(server: Server, requests: Iterator[bytes]) -> None:
    """Send requests over one connection, each after the response to the one before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for request in requests:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r")[0])
        body = await reader.readexactly(length)
        assert orjson.loads(body).keys() == {"data"}, body[:2000]
    writer.close()


async def _unfinished_bodies(server: Server) -> None:
    """Send bodies that never become complete, hold them together, then go away."""
    held = []
    head = post({}, token()).split(b"Content-Length")[0] + b"Content-Length: %d\r\n\r\n"
    for _ in range(BODIES):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        held.append(writer)
        writer.write(head % (BODY_BYTES + 1) + b" " * BODY_BYTES)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.drain()
    for writer in held:
        writer.transport.abort()


def _held(kind: str, server: Server, number: int) -> Step:
    return Step(kind, number, memory_of(server, "VmRSS"), memory_of(server, "VmHWM"))


def set_peak_back(server: Server) -> None:
    """Let the high-water mark of the server's resident memory begin anew."""
    Path(f"/proc/{server.process_id}/clear_refs").write_text("5")


def memory_of(server: Server, name: str) -> int:
    """A line of the process's status, in bytes."""
    status = Path(f"/proc/{server.process_id}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024


def markdown(steps: Sequence[Step]) -> str:
    """A table of every step."""
    lines = ["| database | step | memory, MiB | at most during it, MiB |", "|---|--:|--:|--:|"]
    lines += [
        f"| {one.kind} | {one.number} | {one.resident_bytes / MIB:.0f}"
        f" | {one.peak_bytes / MIB:.0f} |"
        for one in steps
    ]
    return "\n".join(lines) + "\n"
