"""The fair route for bookings is fair: it answers and writes what the gateway does."""

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from benchmarks import book_growth, booking_world, books, books_report, databases, overload
from benchmarks.book_growth import Growth
from benchmarks.booking_requests import booking_request
from benchmarks.booking_world import World
from benchmarks.books import Effort, Rival, Unbooked
from benchmarks.database_cpu import database_meter
from benchmarks.drivers import Driver, driver_at
from benchmarks.load import answers, cost_of
from benchmarks.reads import token
from benchmarks.rush import BOOKED, HOT, SPREAD, Crowd
from benchmarks.servers import serving
from benchmarks.subscribers import UnexpectedMessage, subscribed
from resolvers.identity import global_id
from resolvers.storage.tables import (
    Booking,
    ChangeLog,
    Enrolment,
    Event,
    EventSeats,
    LogPosition,
    NumberSeries,
    Payment,
    RoomSeats,
    table,
)
from tests.conftest import DATABASES

pytestmark = pytest.mark.both_databases
ONE = pytest.mark.parametrize("database", DATABASES[-1:], scope="session")
"""PostgreSQL, if there is a server: these tests start servers, and one database is enough."""

WORLD = World(enrolments=1_200, events=40, bookers=1_000)
EVENTS: list[UUID] = [row.id for row in booking_world.rows_of(WORLD)[Event]]
SETTLED = (
    # event 1 is full after two; 2 and 3 take place at one time; 4 is closed; 5 needs a code;
    # the room of 6 has one seat; the test of 35 cannot be resat
    "UPDATE event SET capacity_maximum = 2 + (SELECT count(*) FROM booking b "
    "WHERE b.event_id = event.id AND b.status = 'CONFIRMED') WHERE number = 1",
    "UPDATE event SET (start_at, local_start, end_at, room_id, venue_id) = (SELECT start_at, "
    "local_start, end_at, room_id, venue_id FROM event WHERE number = 2) WHERE number = 3",
    "UPDATE event SET registration_deadline = last_change_time WHERE number = 4",
    "UPDATE event SET person_code_is_required = true WHERE number = 5",
    "UPDATE candidate SET reference_generated = true WHERE reference = 'C30'",
    "UPDATE room SET capacity = 1 WHERE id = (SELECT room_id FROM event WHERE number = 6)",
    "UPDATE test SET max_attempts = 1 WHERE id = (SELECT test_id FROM event WHERE number = 35)",
)


@pytest.fixture(scope="module")
def template(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a small world."""
    url = f"sqlite:///{tmp_path_factory.mktemp('world') / 'world.db'}"
    if database == "postgresql":
        url = databases.address("postgresql", f"{booking_world.PREFIX}test_{os.getpid()}")
    booking_world.make(url, WORLD)
    yield url
    databases.drop(url)


@pytest.fixture
def urls(template: str) -> Iterator[dict[str, str]]:
    """A copy of the world for each server, with events that refuse."""
    copies = {name: f"{template}_{name}" for name in ("gateway", "fair")}
    for url in copies.values():
        databases.copy(template, url)
        databases.fill(url, {}, SETTLED)
    yield copies
    for url in copies.values():
        databases.drop(url)


async def test_responses_and_rows_are_the_same(urls: dict[str, str]) -> None:
    """For bookings and for refusals, ids and instants aside."""
    candidate = count(1)
    asked = [
        *((next(candidate), event) for event in range(10, 30)),
        *((next(candidate), 1) for _ in range(4)),  # full
        *[(25, 12), (25, 12)],  # a duplicate
        *[(26, 2), (26, 3)],  # at one time
        *[(27, 4), (30, 5), (31, 6), (32, 6)],  # closed, a code, the last seat in a room
        *((n, 35) for n in range(40, 80)),  # one of them has sat the test
        *[(9_999, 8), (33, 9_999), (9_999, 9_999)],  # not found
    ]
    requests = [_request(*pair) for pair in asked]

    bodies, rows = {}, {}
    for name, url in urls.items():
        with serving(name, url) as server:
            bodies[name] = await answers(server, requests)
        rows[name], labels = await _written(url)
        bodies[name] = [_labelled(orjson.loads(body), labels) for body in bodies[name]]

    assert bodies["fair"] == bodies["gateway"]
    assert rows["fair"] == rows["gateway"]
    assert _codes(bodies["fair"]) >= {
        "EVENT_FULL",
        "ROOM_FULL",
        "DUPLICATE_BOOKING",
        "CANDIDATE_TIME_CONFLICT",
        "REGISTRATION_CLOSED",
        "PERSON_CODE_REQUIRED",
        "ATTEMPTS_EXHAUSTED",
        "EVENT_NOT_FOUND",
        "NOT_FOUND",
    }
    assert len(rows["fair"]["booking"]) > 60


@ONE
async def test_batches_write_the_same_rows(urls: dict[str, str]) -> None:
    """Requests of 16 clients are written together; of each candidate, the rows are the same."""
    requests = [_request(n, 10 + n % 30) for n in range(100, 300)]

    rows = {}
    for name, url in urls.items():
        with serving(name, url) as server:
            await cost_of(server, requests, 16, proof=BOOKED)
        written, _ = await _written(url)
        rows[name] = {
            model: sorted(_without_order(each) for each in of_table)
            for model, of_table in written.items()
        }

    assert rows["fair"] == rows["gateway"]
    assert len(rows["fair"]["booking"]) == len(requests)


@ONE
async def test_every_part_is_measured(template: str) -> None:
    """The gateway and both references book, with subscribers and a reader."""
    effort = Effort(rounds=1, clients=(4,), subscribers=(0, 3), warm_up=4)

    measured = await books.measure_on(template, effort, WORLD)

    told = books_report.markdown(measured)
    assert {(one.server, one.part.shape) for one in measured} == {
        (name, shape) for name in effort.servers for shape in (SPREAD, HOT)
    }
    assert len(measured) == 2 * 2 * len(effort.servers) + 2
    assert all(len(one.seconds_of) == one.part.bookings for one in measured)
    assert all(bool(one.read_seconds_of) == one.part.reads for one in measured)
    assert "not measured" not in told


@ONE
async def test_a_change_that_reaches_subscribers_elsewhere_stops_the_run(
    urls: dict[str, str],
) -> None:
    """And so does a booking that has no entry in the log."""
    crowd = Crowd(WORLD)
    quiet = crowd.events.quiet
    with serving("gateway", urls["gateway"]) as server:
        rival = Rival("gateway", urls["gateway"], server, crowd)
        async with subscribed(server, quiet, 2) as subscribers:
            await answers(server, [crowd.request(quiet)])
            await subscribers.require_next()
            await answers(server, [crowd.request(quiet), crowd.request(quiet)])

            with pytest.raises(UnexpectedMessage, match="not the newest change"):
                await subscribers.require_next()

        await books.require_written(rival, WORLD)
        crowd.request(quiet)  # is never sent

        with pytest.raises(Unbooked, match="4 bookings"):
            await books.require_written(rival, WORLD)


async def test_the_database_has_the_cpu_time_of_its_own_processes(template: str) -> None:
    """Work in one database is not counted as that of another; SQLite has no process."""
    kind = databases.kind_of(template)
    async with database_meter(kind) as meter, driver_at(template) as driver:
        before = await meter.read(template)
        await driver.fetch("SELECT count(*) FROM change_log WHERE organization_id = $1", [])
        own = (await meter.read(template)).since(before)
        other = await meter.read(databases.address(kind, "no_such_database"))

    assert (own.serving > 0) == (kind == "postgresql")
    assert other.serving == 0


async def test_growth_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step has a cost, in both worlds and at each hot event."""
    monkeypatch.setattr(databases, "FOLDER", tmp_path)
    small: Any = {"sizes": (800, 900), "filled": (0, 50), "bookers": 700, "events": 30}
    growth = Growth(rounds=1, clients=(4,), warm_up=4, **small)

    grown = await book_growth.measure("sqlite", growth)

    told = book_growth.markdown(grown)
    assert len(grown) == len(book_growth.SERVERS) * (2 + 2)
    assert all(one.booked.cost.cpu_seconds > 0 for one in grown)
    assert told.count("- met:") + told.count("- **missed**:") == 2


def _request(candidate: int, event: int) -> bytes:
    """A booking of the candidate and the event with these numbers, which need not exist."""
    key = EVENTS[event - 1] if event <= len(EVENTS) else UUID(int=event)
    return booking_request(WORLD.candidate(candidate), key, TOKEN)


TOKEN = token()


def _codes(bodies: Sequence[Any]) -> set[str]:
    return {
        refusal["code"] for body in bodies for refusal in body["data"]["bookEnrolment"]["refusals"]
    }


async def _written(url: str) -> tuple[dict[str, list[Any]], dict[Any, str]]:
    """The rows written since the world was made, by table; and labels for keys and instants."""
    async with driver_at(url) as driver:
        changes = await _rows(driver, ChangeLog, f"position > {WORLD.enrolments} ORDER BY position")
        keys = ", ".join(f"'{change['booking_id']}'" for change in changes)
        bookings = await _rows(driver, Booking, f"id IN ({keys})")
        enrolments = await _rows(driver, Enrolment, f"id IN ({keys})")
        payments = await _rows(driver, Payment, f"booking_id IN ({keys})")
        others = {
            model.__name__: sorted(await _rows(driver, model, "true"), key=str)
            for model in (LogPosition, NumberSeries, EventSeats, RoomSeats)
        }
    order = [change["booking_id"] for change in changes]
    for rows, name in ((bookings, "id"), (enrolments, "id"), (payments, "booking_id")):
        rows.sort(key=lambda row, name=name: order.index(row[name]))  # type: ignore[misc]
    labels: dict[Any, str] = {}
    for n, (change, payment) in enumerate(zip(changes, payments, strict=True)):
        for label, key in {
            "booking": change["booking_id"],
            "change": change["id"],
            "payment": payment["id"],
            "reference": payment["reference"],
            "now": change["at"],
        }.items():
            labels[key] = f"{label} {n}" if label != "now" else label
        labels[str(UUID(str(payment["reference"])))] = f"reference {n}"
        labels[global_id("Enrolment", UUID(str(change["booking_id"])))] = f"booking {n}"
    written = {
        "change_log": changes,
        "booking": bookings,
        "enrolment": enrolments,
        "payment": payments,
        **others,
    }
    return {name: _labelled(rows, labels) for name, rows in written.items()}, labels


async def _rows(driver: Driver, model: Any, where: str) -> list[dict[str, Any]]:
    names = [column.name for column in table(model).columns]
    found = await driver.fetch(
        f"SELECT {', '.join(names)} FROM {table(model).name} "
        f"WHERE organization_id = $1 AND {where}",
        [],
    )
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return [
        {
            name: orjson.loads(value) if name in {"after", "changed_fields"} else value
            for name, value in row.items()
        }
        for row in rows
    ]


def _labelled(value: Any, labels: dict[Any, str]) -> Any:
    """A value with a label in place of each key or instant that a server made."""
    match value:
        case dict():
            return {name: _labelled(part, labels) for name, part in value.items()}
        case list():
            return [_labelled(part, labels) for part in value]
    return labels.get(value, value)


def _without_order(row: dict[str, Any]) -> str:
    """A row without what depends on the order of the batch."""
    made = {"id", "booking_id", "position", "reference", "payment", "previousAttempt"}
    kept = {name: value for name, value in row.items() if name not in made}
    if isinstance(kept.get("after"), dict):
        kept["after"] = {n: v for n, v in kept["after"].items() if n not in made}
    return str(sorted((name, str(value)) for name, value in kept.items()))


@ONE
async def test_overload_is_measured(template: str) -> None:
    """Every request is answered, and the report names each bar."""
    storm = overload.Storm(
        times=2, seconds=0.3, connections=8, bookings=16, steady_seconds=0.2, calm_seconds=0.1
    )

    measured = await overload.measure_on(template, storm, WORLD)

    assert not measured.others
    assert len(measured.accepted) + len(measured.refused) == measured.asked > 0
    assert overload.markdown([measured]).count("at most") == 4
