"""The world of the booking benchmark: candidates who book, and enrolments that exist already.

Made in SQL, because a million enrolments are: organization, places, tests and events come from
data.py; each other row is a copy of a pattern with keys and references of its own. A template is
kept between runs; each run books in copies of it.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import SQLModel

from benchmarks import data, databases
from benchmarks.data import MADE_AT, Rows, Size
from resolvers.storage.tables import (
    Booking,
    Candidate,
    ChangeLog,
    Enrolment,
    Event,
    LogPosition,
    NumberSeries,
    Payment,
    table,
)

PREFIX: Final = f"{databases.PREFIX}bookings_"
SEATS: Final = 10_000
"""At each event and in each room."""

BOOKERS: Final = 60_000
"""How many candidates can book; each has one completed enrolment, and no other."""

HOT_EVENTS: Final = 9
APART: Final = HOT_EVENTS + 1
"""How many events nothing is spread over: the hot ones and the quiet one."""

EACH_HAS: Final = 20
"""How many enrolments each of the other candidates has."""

KEYS_FROM: Final = int(MADE_AT.timestamp() * 1000)
KEYS: Final = {"candidate": 0xA, "booking": 0xB, "payment": 0xC, "reference": 0xD, "change": 0xE}
"""The digit that tells the keys of each kind of row apart."""


@dataclass(frozen=True, slots=True)
class World:
    """How much there is before anything is booked.

    `enrolments` are spread over `events`. `filled` says how many more there are at each of the
    first hot events.
    """

    enrolments: int = 100_000
    events: int = 2_000
    bookers: int = BOOKERS
    filled: tuple[int, ...] = ()

    def candidate(self, n: int) -> UUID:
        """The key of the n-th candidate who books, from 1."""
        return _key_of("candidate", n)

    def booking(self, n: int) -> UUID:
        """The key of the n-th booking, from 1."""
        return _key_of("booking", n)

    @property
    def all_enrolments(self) -> int:
        return self.enrolments + sum(self.filled)


@dataclass(frozen=True, slots=True)
class Events:
    """The keys of a world's events: hot ones, a quiet one, and those that bookings spread over."""

    hot: list[UUID]
    quiet: UUID
    spread: list[UUID]


def _key_of(kind: str, n: int) -> UUID:
    return UUID(f"{KEYS_FROM + n:012x}700{KEYS[kind]:x}8000{n:012x}")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database writes what the statements need."""

    key: str
    numbers: str
    later: str


DIALECTS: Final = {
    "postgresql": Dialect(
        key="(lpad(to_hex({base} + {n}), 12, '0') || '700{digit:x}8000' "
        "|| lpad(to_hex({n}), 12, '0'))::uuid",
        numbers="generate_series({first}, {last}) AS numbers (n)",
        later="{column} + {n} * interval '1 second'",
    ),
    "sqlite": Dialect(
        key="printf('%012x700{digit:x}8000%012x', {base} + {n}, {n})",
        numbers="(WITH RECURSIVE numbers (n) AS (SELECT {first} UNION ALL "
        "SELECT n + 1 FROM numbers WHERE n < {last}) SELECT n FROM numbers) AS numbers",
        later="strftime('%Y-%m-%dT%H:%M:%f000Z', {column}, '+' || {n} || ' seconds')",
    ),
}


class Statements:
    """What fills a world on one kind of database."""

    def __init__(self, kind: str, world: World) -> None:
        self._dialect = DIALECTS[kind]
        self._world = world
        self._holders = -(-(world.all_enrolments - world.bookers) // EACH_HAS)

    def all(self) -> Iterator[str]:
        """In the order in which rows refer to each other; the patterns are removed at the end."""
        yield self._candidates()
        for model, changes in self._of_enrolments().items():
            yield self._enrolments(model, changes)
        for model in (ChangeLog, Payment, Enrolment, Booking, Candidate):
            yield f"DELETE FROM {table(model).name} AS p WHERE {PATTERN[model]}"  # noqa: S608

    def _key(self, kind: str, n: str = "n") -> str:
        return self._dialect.key.format(base=KEYS_FROM, n=n, digit=KEYS[kind])

    def _numbers(self, last: int) -> str:
        return self._dialect.numbers.format(first=1, last=last)

    def _candidates(self) -> str:
        own = {
            "id": self._key("candidate"),
            "reference": "'C' || n",
            "reference_folded": "'c' || n",
            "search_text": "p.search_text || ' c' || n",
        }
        return _copied(
            Candidate,
            own,
            f"{self._numbers(self._world.bookers + self._holders)} CROSS JOIN candidate p",
        )

    def _of_enrolments(self) -> dict[type[SQLModel], dict[str, str]]:
        """The columns in which each table's rows differ from their pattern."""
        bookers, booking = self._world.bookers, self._key("booking")
        is_past = f"n <= {bookers}"
        holder = f"{bookers} + 1 + (n - {bookers} - 1) % {self._holders}"
        candidate = f"CASE WHEN {is_past} THEN n ELSE {holder} END"
        created_at = self._dialect.later.format(column="p.created_at", n="n")
        shared = {
            "status": f"CASE WHEN {is_past} THEN 'COMPLETED' ELSE 'CONFIRMED' END",
            "reference": "'ENR-' || n",
            "candidate_id": self._key("candidate", f"({candidate})"),
            "event_id": "e.id",
            "room_id": "e.room_id",
            "centre_id": "e.venue_id",
            "test_id": "e.test_id",
            "subject_id": "t.subject_id",
            "start_at": "e.start_at",
            "created_at": created_at,
            "updated_at": created_at,
        }
        return {
            Booking: {
                **shared,
                "id": booking,
                "time_zone": "e.time_zone",
                "local_start": "e.local_start",
                "local_end": "e.local_start",
                "end_at": "e.end_at",
                "busy_until_at": "e.end_at",
                "duration_minutes": "e.duration_minutes",
            },
            Enrolment: {"id": booking, "result": f"CASE WHEN {is_past} THEN 'PASS' END"},
            Payment: {
                "id": self._key("payment"),
                "booking_id": booking,
                "reference": self._key("reference"),
            },
            ChangeLog: {
                **shared,
                "id": self._key("change"),
                "booking_id": booking,
                "position": "n",
                "at": created_at,
            },
        }

    def _number_of_event(self) -> str:
        """The number of the event of the n-th enrolment."""
        last = self._world.enrolments
        cases = [f"WHEN n <= {last} THEN {APART} + 1 + n * 7 % {self._world.events}"]
        for hot, seats in enumerate(self._world.filled, 1):
            last += seats
            cases.append(f"WHEN n <= {last} THEN {hot}")
        return f"CASE {' '.join(cases)} END"

    def _enrolments(self, model: type[SQLModel], changes: dict[str, str]) -> str:
        event = self._number_of_event()
        source = (
            f"{self._numbers(self._world.all_enrolments)} JOIN event e ON e.number = {event} "
            f"JOIN test t ON t.organization_id = e.organization_id AND t.id = e.test_id "
            f"CROSS JOIN {table(model).name} p"
        )
        return _copied(model, changes, source)


_OF_BOOKING: Final = "(SELECT id FROM booking WHERE reference = 'PATTERN')"
PATTERN: Final[dict[type[SQLModel], str]] = {
    Candidate: "p.reference = 'P000001'",
    Booking: "p.reference = 'PATTERN'",
    ChangeLog: "p.reference = 'PATTERN'",
    Enrolment: f"p.id = {_OF_BOOKING}",
    Payment: f"p.booking_id = {_OF_BOOKING}",
}
"""Which row of a table the others are copies of."""


def _copied(model: type[SQLModel], changes: dict[str, str], source: str) -> str:
    names = [column.name for column in table(model).columns]
    values = ", ".join(changes.get(name, f"p.{name}") for name in names)
    return (
        f"INSERT INTO {table(model).name} ({', '.join(names)}) "  # noqa: S608 - our own names
        f"SELECT {values} FROM {source} WHERE {PATTERN[model]}"
    )


def template(kind: str, world: World, *, rebuild: bool = False) -> str:
    """The address of a world that nothing has been booked in; made unless it is there."""
    url = databases.address(kind, f"{PREFIX}{_fingerprint(world)}")
    if rebuild or not databases.is_there(url):
        make(url, world)
    return url


def _fingerprint(world: World) -> str:
    known = hashlib.sha256(repr(world).encode() + Path(__file__).read_bytes())
    known.update(databases.fingerprint(Size()).encode())
    return known.hexdigest()[:12]


def rows_of(world: World) -> Rows:
    """The rows that are not made in SQL, with a pattern of each table that is."""
    size = Size(candidates=1, events=APART + world.events, enrolments=1, seats=SEATS)
    rows = data.rows_of(size)
    patterns = {
        Booking: {"reference": "PATTERN", "status": "CONFIRMED", **NOT_CANCELLED},
        ChangeLog: {"reference": "PATTERN", "position": world.all_enrolments + 1},
        LogPosition: {"position": world.all_enrolments},
        NumberSeries: {"next": world.all_enrolments + 1},
    }
    for model, values in patterns.items():
        rows[model] = [row._replace(**values) for row in rows[model]]
    return rows


def events_of(world: World) -> Events:
    """The events of a world."""
    keys = [row.id for row in rows_of(world)[Event]]
    return Events(keys[:HOT_EVENTS], keys[HOT_EVENTS], keys[APART:])


NOT_CANCELLED: Final = {
    "cancel_reason": None,
    "cancelled_at": None,
    "cancelled_by_name": None,
    "lapses_at": None,
    "created_at": MADE_AT - timedelta(days=30),
}


def make(url: str, world: World) -> None:
    """Make the database anew. A database that is only half made never has the name."""
    began = time.monotonic()
    sys.stderr.write(f"making {url} with {world.all_enrolments:,} enrolments … ")
    sys.stderr.flush()
    unfinished = f"{url}_unfinished"
    databases.build_empty(unfinished)
    kind = databases.kind_of(url)
    statements = [*Statements(kind, world).all()]
    databases.fill(unfinished, rows_of(world), statements)
    databases.drop(url)
    databases.rename(unfinished, url)
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
