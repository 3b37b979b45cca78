"""How many bookings a second: over HTTP, through the storage, and what the driver itself can do.

64 clients book one seat for each of the candidates, over 500 events; each of the ways has a
database of its own, which is removed afterwards.
"""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
import orjson

import resolvers.every_kind  # noqa: F401 - makes the kinds of booking known
from benchmarks import data, databases
from benchmarks.data import Rows, Size
from benchmarks.load import Cost, cost_of
from benchmarks.queries import post
from benchmarks.reads import token
from benchmarks.servers import cores, serving
from resolvers.enrolments.booking import book
from resolvers.enrolments.commands import BookEnrolment
from resolvers.identity import global_id
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.storage import SQLITE_SCHEME, storage_at
from resolvers.storage.batches import BATCH_REQUESTS
from resolvers.storage.read import DIALECTS
from resolvers.storage.sqlite import connect
from resolvers.storage.tables import Booking, Candidate, ChangeLog, Enrolment, Event, Payment, table
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role

CLIENTS: Final = 64
EVENTS: Final = 500
BOOK: Final = """mutation Book($input: BookEnrolmentInput!) {
  bookEnrolment(input: $input) { enrolment { id reference status } refusals: errors { code } }
}"""

Pair = tuple[Any, Any]
"""The keys of a candidate and an event."""


class Unbooked(Exception):
    """Not every candidate has a seat: what was timed is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What bookings took in one of the ways."""

    database: str
    way: str
    cost: Cost


async def measure(kind: str, bookings: int) -> list[Booked]:
    """Every way on one kind of database. Raises: Unbooked, Unanswered."""
    measured = []
    for way, run in WAYS.items():
        size = Size(candidates=bookings, events=EVENTS, enrolments=0)
        url = databases.address(kind, f"{databases.PREFIX}books_{os.getpid()}")
        await asyncio.to_thread(databases.build, url, size)
        try:
            measured.append(Booked(kind, way, await run(url, size)))
            await _require_booked(url, bookings)
        finally:
            await asyncio.to_thread(databases.drop, url)
    return measured


async def _over_http(url: str, size: Size) -> Cost:
    before, (core, own) = os.sched_getaffinity(0), cores()
    if own is not None:
        os.sched_setaffinity(0, {own})
    mine = token()
    requests = [post({"query": BOOK, "variables": _input(*pair)}, mine) for pair in _pairs(size)]
    try:
        with serving("gateway", url, core=core) as server:
            return await cost_of(server, requests, CLIENTS)
    finally:
        os.sched_setaffinity(0, before)


def _input(candidate: Any, event: Any) -> dict[str, Any]:
    named = {"candidate": ("Candidate", candidate), "event": ("Event", event)}
    return {"input": {name: {"id": global_id(*key)} for name, key in named.items()}}


async def _through_storage(url: str, size: Size) -> Cost:
    viewer = Viewer(
        organization_id=data.organization_id(),
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )
    waiting = iter(_pairs(size))
    storage = storage_at(url)
    await storage.open()

    async def client() -> None:
        for candidate, event in waiting:
            command = BookEnrolment(viewer=viewer, candidate=ByKey(candidate), event=ByKey(event))
            [outcome] = await storage.write(book, [command])
            if not isinstance(outcome, Outcome):
                raise Unbooked(str(outcome))

    with _Stopwatch(size.candidates) as watch:
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await storage.close()
    return watch.cost


async def _on_the_driver(url: str, size: Size) -> Cost:
    """The rows that bookings make, 64 in a transaction, with the locks and reads that they need."""
    kind = databases.kind_of(url)
    rows = data.rows_of(replace(size, enrolments=size.candidates))
    batches = list(_batches(rows, kind))
    driver: Driver = _Asyncpg(url) if kind == "postgresql" else _Sqlite3(url)
    async with driver.opened():
        with _Stopwatch(size.candidates) as watch:
            for batch in batches:
                await _book(driver, batch)
    return watch.cost


WAYS: Final = {
    "bookEnrolment over HTTP": _over_http,
    "storage.write": _through_storage,
    "bare driver": _on_the_driver,
}


def _pairs(size: Size) -> list[Pair]:
    """Who books where."""
    chance = random.Random(data.SEED)  # noqa: S311 - the same draws at every run
    rows = data.rows_of(size)
    return [(row.id, chance.choice(rows[Event]).id) for row in rows[Candidate]]


class _Stopwatch:
    """Takes the time of this process."""

    cost: Cost

    def __init__(self, bookings: int) -> None:
        self._bookings = bookings

    def __enter__(self) -> "_Stopwatch":
        self._cpu, self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._began
        self.cost = Cost(self._bookings, time.process_time() - self._cpu, seconds)


# ---------------------------------------------------------------- the bare driver


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction reads and writes, as the driver takes it."""

    events: list[Any]
    rooms: list[Any]
    candidates: list[Any]
    inserts: list[tuple[str, list[tuple[Any, ...]]]]
    changes: tuple[str, list[tuple[Any, ...]]]


class Driver(Protocol):
    """A connection. Statements have `one_of(column)` for a list of keys; $1 is the organization."""

    def opened(self) -> Any: ...
    async def run(self, statement: str, *values: Any) -> Any: ...
    async def insert(self, into: str, rows: Sequence[Any]) -> None: ...


LOCK: Final = "SELECT * FROM {} WHERE organization_id = $1 AND one_of(id) ORDER BY id for_update"
LOCKED: Final = ("event", "room", "candidate")
AT_EVENTS: Final = """
    SELECT event_id, count(*) FROM booking
    WHERE organization_id = $1 AND one_of(event_id)
        AND status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS')
    GROUP BY event_id
"""
IN_ROOMS: Final = """
    SELECT room_id, start_at, busy_until_at, count(*) FROM booking
    WHERE organization_id = $1 AND one_of(room_id)
        AND status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS')
    GROUP BY room_id, start_at, busy_until_at
"""
DIARIES: Final = "SELECT * FROM booking WHERE organization_id = $1 AND one_of(candidate_id)"
POSITION: Final = """
    UPDATE log_position SET position = position + $2 WHERE organization_id = $1 RETURNING position
"""


async def _book(driver: Driver, batch: Batch) -> None:
    await driver.run("BEGIN")
    for name, keys in zip(LOCKED, (batch.events, batch.rooms, batch.candidates), strict=True):
        await driver.run(LOCK.format(name), keys)
    await driver.run(AT_EVENTS, batch.events)
    await driver.run(IN_ROOMS, batch.rooms)
    await driver.run(DIARIES, batch.candidates)
    for into, rows in batch.inserts:
        await driver.insert(into, rows)
    await driver.run(POSITION, len(batch.changes[1]))
    await driver.insert(*batch.changes)
    await driver.run("COMMIT")


def _batches(rows: Rows, kind: str) -> Iterator[Batch]:
    dialect = DIALECTS[kind]
    kept = {
        model: list(databases.as_kept(model, rows[model], dialect))
        for model in (Booking, Enrolment, Payment, ChangeLog)
    }

    def keys(column: str, first: int) -> list[Any]:
        place = list(table(Booking).columns.keys()).index(column)
        return sorted({row[place] for row in kept[Booking][first : first + BATCH_REQUESTS]})

    def part(model: Any, first: int) -> tuple[str, list[tuple[Any, ...]]]:
        names = [column.name for column in table(model).columns]
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        into = f"INSERT INTO {table(model).name} ({', '.join(names)}) VALUES ({places})"  # noqa: S608
        return into, kept[model][first : first + BATCH_REQUESTS]

    for first in range(0, len(kept[Booking]), BATCH_REQUESTS):
        yield Batch(
            keys("event_id", first),
            keys("room_id", first),
            keys("candidate_id", first),
            [part(model, first) for model in (Booking, Enrolment, Payment)],
            part(ChangeLog, first),
        )


class _Asyncpg:
    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record]
        self._organization_id = data.organization_id()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._connection = await asyncpg.connect(self._url)
        yield
        await self._connection.close()

    async def run(self, statement: str, *values: Any) -> Any:
        if not values:
            return await self._connection.execute(statement)
        written = _written(statement, "{} = ANY ($2)").replace("for_update", "FOR NO KEY UPDATE")
        return await self._connection.fetch(written, self._organization_id, *values)

    async def insert(self, into: str, rows: Sequence[Any]) -> None:
        await self._connection.executemany(into, rows)


class _Sqlite3:
    def __init__(self, url: str) -> None:
        self._path = Path(url.removeprefix(SQLITE_SCHEME))
        self._connection: sqlite3.Connection
        self._organization_id = data.organization_id().hex

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._connection = connect(self._path)
        yield
        self._connection.close()

    async def run(self, statement: str, *values: Any) -> Any:
        if not values:
            return self._connection.execute(statement.replace("BEGIN", "BEGIN IMMEDIATE"))
        given = [orjson.dumps(v).decode() if isinstance(v, list) else v for v in values]
        listed = _written(statement, "{} IN (SELECT value FROM json_each(?2))")
        written = listed.replace("$", "?").replace("for_update", "")
        return self._connection.execute(written, (self._organization_id, *given)).fetchall()

    async def insert(self, into: str, rows: Sequence[Any]) -> None:
        self._connection.executemany(into.replace("$", "?"), rows)


def _written(statement: str, one_of: str) -> str:
    before, found, rest = statement.partition("one_of(")
    if not found:
        return statement
    column, _, after = rest.partition(")")
    return before + one_of.format(column) + after


# ---------------------------------------------------------------- the outcome


async def _require_booked(url: str, bookings: int) -> None:
    """Raises: Unbooked."""
    driver: Driver = _Asyncpg(url) if databases.kind_of(url) == "postgresql" else _Sqlite3(url)
    async with driver.opened():
        [[made]] = await driver.run(
            "SELECT count(*) FROM change_log WHERE organization_id = $1 AND version = $2", 1
        )
    if made != bookings:
        raise Unbooked(f"{made} of {bookings}")


def markdown(measured: Sequence[Sequence[Booked]]) -> str:
    """A table of all ways."""
    lines = [
        f"Bookings by {CLIENTS} clients over {EVENTS} events; CPU of the process that books",
        "",
        "| database | way | bookings/s | CPU, ms a booking |",
        "|---|---|--:|--:|",
    ]
    for one in (one for ones in measured for one in ones):
        lines.append(
            f"| {one.database} | {one.way} | {one.cost.per_second:,.0f} "
            f"| {one.cost.cpu_milliseconds:.3f} |"
        )
    return "\n".join(lines) + "\n"


def write_json(file: Path, measured: Sequence[Sequence[Booked]]) -> None:
    every = [asdict(one) for ones in measured for one in ones]
    file.write_bytes(orjson.dumps(every, option=orjson.OPT_INDENT_2))
