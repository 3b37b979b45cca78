"""Runs one fault under load, and measures what it does to clients."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.checking import Findings, check
from tests.faults.clusters import Cluster
from tests.faults.gateways import LIVE, Gateway
from tests.faults.load import CLIENTS, Load, Operation, Organization
from tests.faults.prober import Prober, probing
from tests.faults.seeding import NEIGHBOUR, VICTIM, seeded
from tests.resolvers.storage.proxy import Proxy

WARM_UP_SECONDS: Final = 4
"""The waits of this time are those without a fault."""

RECOVERING_SECONDS: Final = 40
"""How long to wait for the first booking after a fault."""

AFTERWARDS_SECONDS: Final = 3
"""How long the load goes on after that booking."""


@dataclass(frozen=True)
class Scene:
    """Where a fault happens."""

    folder: Path
    database_url: str  # without a proxy
    cluster: Cluster | None
    proxy: Proxy | None
    gateways: Sequence[Gateway]
    organizations: Sequence[Organization]
    load: Load
    notes: list[str] = field(default_factory=list)

    @property
    def victim(self) -> Organization:
        return self.organizations[0]

    @property
    def neighbour(self) -> Organization:
        return self.organizations[-1]

    async def require_served(self) -> None:
        """Wait until every organization has written something that was begun from now on."""
        since = time.monotonic()
        for one in self.organizations:
            served = await self.load.written(one.name, since=since, within=RECOVERING_SECONDS)
            assert served, f"{one.name} is not served"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens, for how long, and whom it must not stop.

    `inject` begins the fault, and ends it at its exit. The neighbour's bar counts unless the fault
    hits the whole database or the gateway itself; so does the bar of /health unless the gateway is
    not there to answer.
    """

    name: str
    database: str
    inject: Callable[[Scene], AbstractAsyncContextManager[None]]
    seconds: float = 6
    spares_others: bool = True
    spares_health: bool = True
    through_proxy: bool = False
    gateways: int = 1
    disk: str | None = None  # what is on a small disk of its own: "file", "data" or "wal"
    events: int = 0  # that the victim has besides those of the load
    clients: int = CLIENTS  # of each organization
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one fault did."""

    fault: Fault
    answers: Counter[str]  # of the victim's and the neighbour's attempts
    unknown: int
    waits_before: Sequence[float]  # seconds of each of the neighbour's writes, sorted
    waits: Sequence[float]  # likewise, during the fault and until the recovery
    health: Sequence[float]  # seconds, sorted
    recovery: float | None  # seconds; None if there was none
    findings: Findings
    log_lines: int
    tracebacks: int
    late: float  # seconds by which the load itself was late
    notes: Sequence[str]


async def measure(
    fault: Fault, *, folder: Path, database_url: str, cluster: Cluster | None = None
) -> Measured:
    """Run a fault on a migrated database."""
    async with AsyncExitStack() as opened:
        proxy, url = None, database_url
        if fault.through_proxy:
            proxy = await opened.enter_async_context(Proxy(database_url, forwards_ends=True))
            url = proxy.url
        gateways = [
            Gateway(url, folder / f"gateway-{number}.log", **fault.settings)
            for number in range(fault.gateways)
        ]
        hosts = [gateway.host for gateway in gateways]
        organizations = await seeded(database_url, hosts, events=fault.events)
        load = Load(organizations, clients=fault.clients)
        scene = Scene(folder, database_url, cluster, proxy, gateways, organizations, load)
        for gateway in gateways:
            opened.push_async_callback(gateway.kill)
            await gateway.start()
        with probing(gateways[-1].host, LIVE) as prober:
            async with load.running(), measuring_lateness() as lateness:
                began, ended = await _injected(fault, scene)
        findings = await _checked(fault, scene, recovered=_recovery(load, ended) is not None)
    return _measured(fault, scene, prober, began, ended, findings, max(lateness, default=0))


async def _injected(fault: Fault, scene: Scene) -> tuple[float, float]:
    """When a fault began and ended; the load goes on until it has recovered."""
    for name in (VICTIM, NEIGHBOUR):
        assert await scene.load.written(name, since=0, within=RECOVERING_SECONDS), "no load"
    await asyncio.sleep(WARM_UP_SECONDS)
    began = time.monotonic()
    async with fault.inject(scene):
        await asyncio.sleep(fault.seconds)
    ended = time.monotonic()
    for name in (VICTIM, NEIGHBOUR):
        await scene.load.written(name, since=ended, within=RECOVERING_SECONDS)
    await asyncio.sleep(AFTERWARDS_SECONDS)
    return began, ended


async def _checked(fault: Fault, scene: Scene, *, recovered: bool) -> Findings:
    """What the database holds, and whether every gateway stops; one that hangs is replaced."""
    if not recovered:
        for gateway in scene.gateways:
            await gateway.kill()
            await gateway.start()
    findings = await check(scene.database_url, scene.organizations, scene.load.known)
    unanswered = sum(not one.finished for one in scene.load.operations)
    if unanswered:
        findings.broken.append(f"{unanswered} operations were never answered")
    for gateway in scene.gateways:
        if not await gateway.stop():
            findings.broken.append("a gateway did not stop when it was asked to")
    return findings


def _measured(
    fault: Fault,
    scene: Scene,
    prober: Prober,
    began: float,
    ended: float,
    findings: Findings,
    late: float,
) -> Measured:
    recovery = _recovery(scene.load, ended)
    until = ended + (RECOVERING_SECONDS if recovery is None else recovery)
    hit = [one for one in scene.load.operations if one.began < until and one.ended > began]
    attempts = [attempt for one in hit for attempt in one.attempts]
    logged = "".join(gateway.logged() for gateway in scene.gateways)
    return Measured(
        fault=fault,
        answers=Counter(
            f"{one.organization}: {attempt.answer}" for one in hit for attempt in one.attempts
        ),
        unknown=sum(attempt.unknown for attempt in attempts),
        waits_before=_waits(one for one in scene.load.operations if one.ended <= began),
        waits=_waits(hit),
        health=sorted(
            sample.seconds
            for sample in prober.samples
            if sample.began < until and sample.began + sample.seconds > began
        ),
        recovery=recovery,
        findings=findings,
        log_lines=len(logged.splitlines()),
        tracebacks=logged.count("Traceback (most recent call last)"),
        late=late,
        notes=scene.notes,
    )


def _waits(operations: Iterable[Operation]) -> list[float]:
    """How long each write of the neighbour took, sorted."""
    return sorted(
        one.ended - one.began for one in operations if one.organization == NEIGHBOUR and one.writes
    )


def _recovery(load: Load, ended: float) -> float | None:
    """Seconds from the end of a fault until every organization is served, and no request fails."""
    first = [_first_success(load.operations, name, ended) for name in (VICTIM, NEIGHBOUR)]
    if None in first:
        return None
    failed = [
        attempt.ended
        for one in load.operations
        for attempt in one.attempts
        if not attempt.answered and attempt.ended > ended
    ]
    return max(filter(None, [*first, *failed])) - ended


def _first_success(operations: Sequence[Operation], name: str, since: float) -> float | None:
    """When the first write that was begun afterwards succeeded."""
    times = [
        attempt.ended
        for one in operations
        for attempt in one.attempts
        if one.organization == name and one.writes and attempt.answered and attempt.began >= since
    ]
    return min(times, default=None)


@asynccontextmanager
async def measuring_lateness() -> AsyncIterator[list[float]]:
    """By how much this process's own event loop is late: its waits are measured too long."""
    late: list[float] = []

    async def run() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            late.append(time.monotonic() - began - 0.05)

    task = asyncio.create_task(run())
    try:
        yield late
    finally:
        task.cancel()
