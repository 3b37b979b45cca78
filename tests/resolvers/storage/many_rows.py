"""100,000 bookings and what belongs to them, made by SQL from a few that commands have made.

Each table's rows are copies of one of its rows. A copy differs in what must be unique, and in what
spreads the copies over candidates, events, rooms and time.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from resolvers.storage import SQLITE_SCHEME
from resolvers.storage.sqlite import add_functions
from resolvers.storage.tables import metadata

CANDIDATES: Final = 20_000
EVENTS: Final = 2_000
ROOMS: Final = 250
CENTRES: Final = 40
DAYS: Final = 400
"""For how many days there are events, a quarter of them before `at`."""

ENROLMENTS: Final = 85_000
OTHERS: Final = 5_000
"""How many bookings there are of each other kind."""

CANDIDATE, EVENT, ROOM, CENTRE, BOOKING, DETAIL, CHANGE = range(1, 8)
"""The first digits of the keys of each kind of copy."""

STATUSES: Final = (
    *("PENDING", "CANCELLED", "EXPIRED", "COMPLETED", "COMPLETED", "COMPLETED"),
    *("CONFIRMED",) * 14,
)
"""The statuses of an event's enrolments, in turn."""

TURN: Final = f"n / {EVENTS} % {len(STATUSES)}"


@dataclass(frozen=True, slots=True)
class Seeds:
    """The keys of the rows that are copied; `bookings` by the table of the booking's kind."""

    organization: UUID
    candidate: UUID
    centre: UUID
    room: UUID
    event: UUID
    bookings: Mapping[str, UUID]


def key(kind: int, number: int) -> UUID:
    """The key of a copy."""
    return UUID(f"{kind:08x}{number:024x}")


async def multiply(url: str, seeds: Seeds, at: datetime) -> None:
    """Make the copies; `at` is the present. Statistics stay what they were."""
    sql = _Sqlite(at) if url.startswith(SQLITE_SCHEME) else _Postgresql(at)
    await sql.run(url, [sql.organized(one, seeds) for one in _statements(sql, seeds)])


class _Sql:
    """What the two databases write differently."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def literal(self, key: UUID) -> str:
        return f"'{key.hex}'"

    def organized(self, statement: str, seeds: Seeds) -> str:
        return statement.replace(":organization", self.literal(seeds.organization))

    def copies(self, table: str, seed: str, count: int, values: Mapping[str, str]) -> str:
        """Insert so many copies of the row that `seed` chooses."""
        names = [column.name for column in metadata.tables[table].columns]
        assert set(values) <= set(names), (table, set(values) - set(names))
        chosen = ", ".join(values.get(name, f"s.{name}") for name in names)
        seeds = f"SELECT * FROM {table} WHERE organization_id = :organization AND {seed} LIMIT 9"
        return (
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} "
            f"FROM ({seeds}) AS s CROSS JOIN {self.numbers(count)}"
        )

    def numbers(self, count: int) -> str: ...
    def key(self, kind: int, number: str) -> str: ...
    def instant(self, minutes: str) -> str: ...
    def wall_time(self, minutes: str) -> str: ...
    def day(self, number: str) -> str: ...
    def text(self, prefix: str, number: str) -> str: ...
    async def run(self, url: str, statements: list[str]) -> None: ...


class _Sqlite(_Sql):
    def numbers(self, count: int) -> str:
        rows = f"SELECT 0 UNION ALL SELECT n + 1 FROM c LIMIT {count}"
        return f"(WITH RECURSIVE c(n) AS ({rows}) SELECT n FROM c) AS c"

    def key(self, kind: int, number: str) -> str:
        return f"printf('%08x%024x', {kind}, {number})"

    def instant(self, minutes: str) -> str:
        return f"{self.wall_time(minutes)} || '.000000Z'"

    def wall_time(self, minutes: str) -> str:
        start = f"{self.at:%Y-%m-%d %H:%M:%S}"
        return f"strftime('%Y-%m-%dT%H:%M:%S', '{start}', ({minutes}) || ' minutes')"

    def day(self, number: str) -> str:
        return f"date('1975-01-01', ({number}) || ' days')"

    def text(self, prefix: str, number: str) -> str:
        return f"'{prefix}' || ({number})"

    async def run(self, url: str, statements: list[str]) -> None:
        with closing(sqlite3.connect(url.removeprefix(SQLITE_SCHEME))) as connection:
            add_functions(connection)
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -500000")  # all of it
            indexes = connection.execute(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
            ).fetchall()
            for statement in _without_indexes(statements, indexes):
                connection.execute(statement)
            connection.commit()


class _Postgresql(_Sql):
    def numbers(self, count: int) -> str:
        return f"generate_series(0, {count - 1}) AS c(n)"

    def key(self, kind: int, number: str) -> str:
        return f"('{kind:08x}' || lpad(to_hex({number}), 24, '0'))::uuid"

    def instant(self, minutes: str) -> str:
        return f"timestamptz '{self.at.isoformat()}' + ({minutes}) * interval '1 minute'"

    def wall_time(self, minutes: str) -> str:
        start = self.at.replace(tzinfo=None)
        return f"timestamp '{start.isoformat()}' + ({minutes}) * interval '1 minute'"

    def day(self, number: str) -> str:
        return f"date '1975-01-01' + ({number})"

    def text(self, prefix: str, number: str) -> str:
        return f"'{prefix}' || ({number})::text"

    async def run(self, url: str, statements: list[str]) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("SET session_replication_role = replica")  # no foreign keys
            indexes = await connection.fetch(
                "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
                " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
            )
            await connection.execute("; ".join(_without_indexes(statements, indexes)))
        finally:
            await connection.close()


def _without_indexes(statements: list[str], indexes: Iterable[Sequence[str]]) -> list[str]:
    """The statements, and before and after them what makes them cheap: no index is kept up."""
    found = list(indexes)
    dropped = [f"DROP INDEX {name}" for name, _ in found]
    return [*dropped, *statements, *(definition for _, definition in found)]


def _statements(sql: _Sql, seeds: Seeds) -> Iterator[str]:
    yield from _places(sql, seeds)
    yield from _candidates(sql, seeds)
    yield _events(sql, seeds)
    begins = 0
    for table, seed in seeds.bookings.items():
        count = ENROLMENTS if table == "enrolment" else OTHERS
        yield from _bookings(sql, table, seed, begins, count)
        begins += count
    yield _counters("event_seats", "event_id")
    yield _counters("room_seats", "room_id", "busy_until_at", "start_at")
    yield f"UPDATE log_position SET position = {2 * begins} WHERE organization_id = :organization"
    yield f"UPDATE number_series SET next = {2 * begins} WHERE organization_id = :organization"


def _places(sql: _Sql, seeds: Seeds) -> Iterator[str]:
    text = sql.text
    yield sql.copies(
        "centre",
        f"id = {sql.literal(seeds.centre)}",
        CENTRES,
        {
            "id": sql.key(CENTRE, "n"),
            "reference": text("CENTRE", "n"),
            "reference_folded": text("centre", "n"),
            "sort_key": text("centre", "n"),
        },
    )
    yield sql.copies(
        "room",
        f"id = {sql.literal(seeds.room)}",
        ROOMS,
        {
            "id": sql.key(ROOM, "n"),
            "centre_id": sql.key(CENTRE, f"n % {CENTRES}"),
            "name": text("Hall ", "n"),
            "name_folded": text("hall ", "n"),
            "sort_key": text("hall ", "n"),
        },
    )


def _candidates(sql: _Sql, seeds: Seeds) -> Iterator[str]:
    text = sql.text
    yield sql.copies(
        "candidate",
        f"id = {sql.literal(seeds.candidate)}",
        CANDIDATES,
        {
            "id": sql.key(CANDIDATE, "n"),
            "reference": text("P", "n"),
            "reference_folded": text("p", "n"),
            "first_names": text("Ada ", "n % 50"),
            "name_folded": f"{text('ada ', 'n % 50')} || ' lovelace'",
            "search_text": f"{text('ada ', 'n % 50')} || {text(' lovelace p', 'n')}",
            "sort_key": text("lovelace ada ", "n"),
            "email": f"{text('c', 'n')} || '@example.org'",
            "email_folded": f"{text('c', 'n')} || '@example.org'",
            "passport_number": text("N", "n"),
            "date_of_birth": sql.day("n % 10000"),
        },
    )
    for table, column in (("candidate_centre", "centre_id"), ("candidate_subject", "subject_id")):
        spread = {"centre_id": sql.key(CENTRE, f"n % {CENTRES}")} if column == "centre_id" else {}
        yield sql.copies(
            table,
            f"candidate_id = {sql.literal(seeds.candidate)}",
            CANDIDATES,
            {"candidate_id": sql.key(CANDIDATE, "n"), **spread},
        )


def _starts(number: str) -> str:
    """When an event starts, in minutes from the present; those of a day at different hours."""
    day = f"({number} % {DAYS} - {DAYS // 4})"
    return f"{day} * 1440 + {number} % 8 * 60"


def _events(sql: _Sql, seeds: Seeds) -> str:
    starts = _starts("n")
    return sql.copies(
        "event",
        f"id = {sql.literal(seeds.event)}",
        EVENTS,
        {
            "id": sql.key(EVENT, "n"),
            "identifier": sql.key(EVENT, "n"),
            "number": "n + 1000",
            "title": sql.text("Sitting ", "n"),
            "sort_key": sql.text("sitting ", "n"),
            "room_id": sql.key(ROOM, f"n % {ROOMS}"),
            "venue_id": sql.key(CENTRE, f"n % {CENTRES}"),
            "start_at": sql.instant(starts),
            "end_at": sql.instant(f"{starts} + 60"),
            "local_start": sql.wall_time(starts),
        },
    )


def _bookings(sql: _Sql, table: str, seed: UUID, begins: int, count: int) -> Iterator[str]:
    """Copies of a booking of one kind, and of its change; the kind's own row, and its payment."""
    number = f"(n + {begins})"
    event = f"({number} % {EVENTS})"
    starts = _starts(event)
    booking = sql.key(BOOKING, number)
    spread = {
        "candidate_id": sql.key(CANDIDATE, f"({number} * 7 % {CANDIDATES})"),
        "centre_id": sql.key(CENTRE, f"({event} % {CENTRES})"),
        "created_at": sql.instant(f"{number} - 200000"),
        "updated_at": sql.instant(f"{number} - 200000"),
        "reference": sql.text(f"{table[:4].upper()}-", f"{number} + 1000"),
    }
    own = {}
    if table in {"enrolment", "registration"}:
        spread |= {
            "event_id": sql.key(EVENT, event),
            "room_id": sql.key(ROOM, f"({event} % {ROOMS})"),
            "start_at": sql.instant(starts),
        }
        own = {
            "end_at": sql.instant(f"{starts} + 60"),
            "busy_until_at": sql.instant(f"{starts} + 60"),
        }
    if table == "enrolment":
        own |= {
            "status": _case(dict(enumerate(map("'{}'".format, STATUSES)))),
            "lapses_at": _case({0: sql.instant("n + 100")}),
            "cancel_reason": _case({1: "'WITHDRAWN'"}),
            "cancelled_at": _case({1: sql.instant("-10")}),
        }
    chosen = f"id = {sql.literal(seed)}"
    yield sql.copies("booking", chosen, count, {"id": booking, **spread, **own})
    yield sql.copies(table, chosen, count, {"id": booking, **_details(sql, table, number)})
    if table == "enrolment":
        detail = sql.key(DETAIL, number)
        values = {"id": detail, "booking_id": booking, "reference": detail}
        yield sql.copies("payment", f"booking_{chosen}", count, values)
    for detail in ("accommodation", "agent_booking_item", "agent_booking_revision"):
        own_key = {"id": sql.key(DETAIL, number)} if detail == "accommodation" else {}
        yield sql.copies(detail, f"booking_{chosen}", count, {"booking_id": booking, **own_key})
    yield sql.copies(
        "change_log",
        f"booking_{chosen} AND booking_type = 'CREATED'",
        count,
        {
            "id": sql.key(CHANGE, number),
            "booking_id": booking,
            "position": f"{number} + 1000",
            "changed_fields": "'[]'",
            "after": "'{}'",
            **spread,
        },
    )


def _counters(table: str, *key: str) -> str:
    """Fill a table of counters of seats anew."""
    names = ", ".join(("organization_id", *key))
    return (
        f"INSERT INTO {table} ({names}, taken) SELECT {names}, count(*) FROM booking "
        f"WHERE status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS') AND {key[0]} IS NOT NULL "
        f"GROUP BY {names} ON CONFLICT ({names}) DO UPDATE SET taken = excluded.taken"
    )


def _case(values: Mapping[int, str]) -> str:
    """A value for each turn of the statuses; null for the others."""
    return f"CASE {TURN} {' '.join(f'WHEN {n} THEN {v}' for n, v in values.items())} END"


def _details(sql: _Sql, table: str, number: str) -> dict[str, Any]:
    """What must be unique in the row of a kind."""
    match table:
        case "test_schedule":
            return {"keycode": sql.text("K", number)}
        case "registration":
            return {"identifier": sql.key(DETAIL, number)}
        case "agent_booking":
            return {"agent_booking_id": sql.text("X", number)}
    return {}
