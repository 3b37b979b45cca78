"""What a file of 100,000 events costs: time, memory, and the patience of everybody else.

The peak is the kernel's own high-water mark of the server's resident memory, set back before each
file and compared with what the server held after a small file of the same format. Meanwhile
somebody else asks a short question again and again.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import orjson

from benchmarks.data import Size
from benchmarks.memory import memory_of, set_peak_back
from benchmarks.reads import token
from benchmarks.servers import Server, cores, serving

SIZE: Final = Size(candidates=100, enrolments=0, events=100_000)
FORMATS: Final = ("CSV", "JSON", "XLSX", "ICS")
PATIENCE_SECONDS: Final = 600
PAUSE_SECONDS: Final = 0.01
MIB: Final = 1024 * 1024
EXPORT: Final = """
    query ($format: ExportFormat!, $filter: EventFilter) {
        exportEvents(format: $format, filter: $filter) { url }
    }
"""
FEW: Final = {"number": {"lte": 200}}
OTHER: Final = "{ viewer { role organization { name } } }"


@dataclass(frozen=True, slots=True)
class Exported:
    """One file: its size, what it took in time and memory, and how others fared."""

    kind: str
    format: str
    file_bytes: int
    seconds: float
    cpu_seconds: float
    held_bytes: int
    grown_bytes: int
    others: int
    others_median_ms: float
    others_p99_ms: float
    others_worst_ms: float


async def measure(kind: str, url: str) -> list[Exported]:
    """Every format from one server, one after the other."""
    core, _ = cores()
    with serving("gateway", url, core=core) as server:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"authorization": f"Bearer {token()}"},
            timeout=PATIENCE_SECONDS,
        ) as client:
            return [await _measured(kind, server, client, format) for format in FORMATS]


async def _measured(kind: str, server: Server, client: httpx.AsyncClient, format: str) -> Exported:
    await _fetched(client, format, FEW)
    set_peak_back(server)
    held = memory_of(server, "VmRSS")
    async with asyncio.TaskGroup() as tasks:
        waits = [await _asked(client)]
        others = tasks.create_task(_ask(client, waits))
        cpu, began = server.cpu_seconds(), time.monotonic()
        file_bytes = await _fetched(client, format, None)
        seconds, cpu_seconds = time.monotonic() - began, server.cpu_seconds() - cpu
        others.cancel()
    in_ms = sorted(wait * 1000 for wait in waits)
    return Exported(
        kind=kind,
        format=format,
        file_bytes=file_bytes,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        held_bytes=held,
        grown_bytes=memory_of(server, "VmHWM") - held,
        others=len(in_ms),
        others_median_ms=median(in_ms),
        others_p99_ms=in_ms[len(in_ms) * 99 // 100],
        others_worst_ms=in_ms[-1],
    )


async def _fetched(client: httpx.AsyncClient, format: str, filter: Any) -> int:
    """How many bytes the file has; none of them is kept."""
    asked = {"query": EXPORT, "variables": {"format": format, "filter": filter}}
    answered = (await client.post("/graphql", json=asked)).json()
    size = 0
    async with client.stream("GET", answered["data"]["exportEvents"]["url"]) as response:
        assert response.status_code == 200, response
        async for piece in response.aiter_raw():
            size += len(piece)
    return size


async def _ask(client: httpx.AsyncClient, waits: list[float]) -> None:
    while True:
        waits.append(await _asked(client))
        await asyncio.sleep(PAUSE_SECONDS)


async def _asked(client: httpx.AsyncClient) -> float:
    """How many seconds the answer took."""
    began = time.monotonic()
    (await client.post("/graphql", json={"query": OTHER})).raise_for_status()
    return time.monotonic() - began


def markdown(measured: Sequence[Exported]) -> str:
    """A table of everything."""
    lines = [
        "| database | format | file, MiB | seconds | CPU, s | memory before, MiB "
        "| and at most more, MiB | others: median, ms | 99 %, ms | worst, ms |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one.kind} | {one.format} | {one.file_bytes / MIB:.1f} | {one.seconds:.1f} "
        f"| {one.cpu_seconds:.1f} | {one.held_bytes / MIB:.0f} | {one.grown_bytes / MIB:.1f} "
        f"| {one.others_median_ms:.1f} | {one.others_p99_ms:.1f} | {one.others_worst_ms:.1f} |"
        for one in measured
    ]
    return "\n".join(lines) + "\n"


def write_json(file: Path, measured: Sequence[Exported]) -> None:
    file.write_bytes(orjson.dumps([asdict(one) for one in measured], option=orjson.OPT_INDENT_2))
