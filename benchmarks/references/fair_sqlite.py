"""The fair reference on SQLite: one transaction for a batch, synced to the disk at its commit.

The transaction runs in a thread, so that the event loop reads requests while the disk is synced. A
statement costs so little that each row is read by one of its own.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from benchmarks.references.booking_rules import (
    SHORTEST,
    Candidate,
    Draft,
    Earlier,
    Event,
    PreloadedBatch,
    Refusal,
    Settings,
    Unsupported,
    document,
    facts,
)
from benchmarks.references.tokens import Caller
from resolvers.bookings.seats import Span
from resolvers.storage.columns import instant_text
from resolvers.storage.sqlite import connect

NUMBERS_AT_ONCE: Final = 256

SETTINGS: Final = """
    SELECT allow_resit_after_pass, min_days_between_attempts, conflict_policy FROM organization
    WHERE id = ?
"""
EVENT: Final = """
    SELECT e.id, e.title, e.venue_id, e.room_id, e.test_id, e.on_demand, e.start_at, e.end_at,
        e.duration_minutes, e.capacity_maximum, e.allow_multiple_registrations,
        e.person_code_is_required, e.registration_start, e.registration_deadline,
        e.registration_locked, e.eligibility_configured,
        e.learner_registration_group_identifier, e.cancelled_at, r.centre_id, r.name, r.capacity,
        p.name, p.time_zone, t.subject_id, t.max_attempts,
        coalesce(
            (SELECT nullif(json_group_array(m.module_id), '[]') FROM event_module m
                WHERE m.organization_id = e.organization_id AND m.event_id = e.id),
            (SELECT json_group_array(m.module_id) FROM test_module m
                WHERE m.organization_id = e.organization_id AND m.test_id = e.test_id)
        )
    FROM event e
    LEFT JOIN room r ON r.organization_id = e.organization_id AND r.id = e.room_id
    LEFT JOIN centre p ON p.organization_id = e.organization_id AND p.id = r.centre_id
    LEFT JOIN test t ON t.organization_id = e.organization_id AND t.id = e.test_id
    WHERE e.organization_id = ? AND e.id = ?
"""
CANDIDATE: Final = """
    SELECT id, first_names, last_name, reference, reference_generated FROM candidate
    WHERE organization_id = ? AND id = ?
"""
AT_EVENT: Final = "SELECT taken FROM event_seats WHERE organization_id = ? AND event_id = ?"
IN_ROOM: Final = """
    SELECT start_at, busy_until_at, taken FROM room_seats
    WHERE organization_id = ? AND room_id = ? AND start_at < ? AND busy_until_at > ? AND taken > 0
"""
EARLIER: Final = """
    SELECT b.id, b.kind, b.status, b.test_id, b.event_id, b.start_at, b.busy_until_at, b.opens_at,
        b.session_started_at, b.created_at, e.result
    FROM booking b
    LEFT JOIN enrolment e ON e.organization_id = b.organization_id AND e.id = b.id
    WHERE b.organization_id = ? AND b.candidate_id = ?
    ORDER BY b.created_at, b.id
"""
OVERDUE: Final = """
    SELECT event_id, room_id, candidate_id FROM booking
    WHERE organization_id = ? AND status = 'PENDING' AND lapses_at < ?
"""
NUMBERS: Final = """
    UPDATE number_series SET next = next + ?2 WHERE organization_id = ?1 AND name = 'enrolment'
    RETURNING next
"""
RAISE: Final = """
    UPDATE log_position SET position = position + ?2 WHERE organization_id = ?1
    RETURNING position, notifies
"""
COMMON: Final = {
    "organization_id": ":of",
    "id": ":id",
    "kind": "'ENROLMENT'",
    "reference": ":reference",
    "status": "'CONFIRMED'",
    "candidate_id": ":candidate_id",
    "centre_id": ":centre_id",
    "room_id": ":room_id",
    "event_id": ":event_id",
    "test_id": ":test_id",
    "subject_id": ":subject_id",
    "start_at": ":start_at",
    "created_at": ":now",
    "updated_at": ":now",
    "accommodation_count": "0",
    "version": "1",
}
"""The columns that a booking and its entry in the log have in common."""


def _insert(table: str, columns: dict[str, str]) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - compiled in, not given
        f"VALUES ({', '.join(columns.values())})"
    )


INSERTS: Final = (
    _insert(
        "booking",
        {
            **COMMON,
            "time_zone": ":time_zone",
            "local_start": ":local_start",
            "local_end": ":local_end",
            "end_at": ":end_at",
            "busy_until_at": ":busy_until_at",
            "duration_minutes": ":duration_minutes",
            "extra_time_minutes": "0",
            "extra_break_minutes": "0",
            "cancelled_on_behalf": "0",
            "created_by_name": ":name",
        },
    ),
    _insert(
        "enrolment",
        {
            "organization_id": ":of",
            "id": ":id",
            "module_id": ":module_id",
            "on_demand": "0",
            "delivery": "'IN_PERSON'",
            "attempt_number": ":attempt_number",
            "previous_attempt_id": ":previous_attempt_id",
            "appeal_upheld": "0",
        },
    ),
    _insert(
        "payment",
        {
            "organization_id": ":of",
            "id": ":payment_id",
            "booking_id": ":id",
            "reference": ":payment_reference",
            "responsibility": "'ORGANIZATION'",
            "status": "'NOT_REQUIRED'",
        },
    ),
    _insert(
        "change_log",
        {
            **COMMON,
            "id": ":change_id",
            "booking_id": ":id",
            "position": ":position",
            "at": ":now",
            "actor_name": ":name",
            "changed_fields": ":changed_fields",
            "after": ":after",
            "booking_type": "'CREATED'",
        },
    ),
)


COUNT: Final = (
    """
    INSERT INTO event_seats (organization_id, event_id, taken) VALUES (:of, :event_id, 1)
    ON CONFLICT (organization_id, event_id) DO UPDATE SET taken = taken + 1
    """,
    """
    INSERT INTO room_seats (organization_id, room_id, busy_until_at, start_at, taken)
    VALUES (:of, :room_id, :busy_until_at, :start_at, 1)
    ON CONFLICT (organization_id, room_id, busy_until_at, start_at)
        DO UPDATE SET taken = taken + 1
    """,
)
"""What each booking adds to the counters of seats."""


class Sqlite:
    """One connection in a thread, one transaction at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "writer")
        self._connection: sqlite3.Connection
        self._numbers: list[int] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._connection = connect(self._path)  # synchronous = FULL
        yield
        self._thread.shutdown()
        self._connection.close()

    async def book(
        self, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]
    ) -> list[Draft | list[Refusal]]:
        """Book a seat for each pair of an event and a candidate. Raises: Unsupported."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transaction, caller, pairs)

    def _transaction(
        self, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]
    ) -> list[Draft | list[Refusal]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results = self._booked(caller, pairs)
        except BaseException:
            self._connection.execute("ROLLBACK")
            self._numbers = []
            raise
        self._connection.execute("COMMIT")
        return results

    def _booked(
        self, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]
    ) -> list[Draft | list[Refusal]]:
        of, now = caller.organization_id.hex, datetime.now(UTC)
        allow, days, policy = self._connection.execute(SETTINGS, (of,)).fetchone()
        preloaded = PreloadedBatch(Settings(bool(allow), days, policy), now)
        events = {key: self._event(of, key) for key in {event for event, _ in pairs}}
        candidates = {key: self._candidate(of, key) for key in {key for _, key in pairs}}
        for event in events.values():
            self._count(preloaded, of, event)
        for candidate in candidates.values():
            self._list_earlier(preloaded, of, candidate)
        self._require_nothing_overdue(of, events.values(), candidates.values(), now)
        results = [
            preloaded.book(events[event], candidates[candidate]) for event, candidate in pairs
        ]
        if drafts := [result for result in results if isinstance(result, Draft)]:
            self._write(caller, drafts, now)
        return results

    def _event(self, of: str, key: UUID) -> Event:
        row = self._connection.execute(EVENT, (of, key.hex)).fetchone()
        if row is None:
            return NO_EVENT
        event = Event(*row)
        return event._replace(
            **{name: _key(getattr(event, name)) for name in EVENT_KEYS},
            **{name: _instant(getattr(event, name)) for name in EVENT_INSTANTS},
            modules=[UUID(key) for key in orjson.loads(event.modules or "[]")],
        )

    def _candidate(self, of: str, key: UUID) -> Candidate:
        row = self._connection.execute(CANDIDATE, (of, key.hex)).fetchone()
        return NO_CANDIDATE if row is None else Candidate(key, *row[1:])

    def _count(self, preloaded: PreloadedBatch, of: str, event: Event) -> None:
        """Count the seats taken at an event, and in its room at that time."""
        if event.id is None:
            return
        counted = self._connection.execute(AT_EVENT, (of, event.id.hex)).fetchone()
        preloaded.seats_taken(event.id, 0 if counted is None else counted[0])
        if event.room_id is None or event.start_at is None:
            return
        until = max(event.end_at or event.start_at, event.start_at + SHORTEST)
        within = instant_text(until), instant_text(event.start_at)
        spans: Counter[Span] = Counter()
        for *times, number in self._connection.execute(IN_ROOM, (of, event.room_id.hex, *within)):
            start_at, busy_until_at = map(_instant, times)
            assert start_at
            assert busy_until_at
            spans[start_at, busy_until_at] = number
        preloaded.busy_in_room(event.room_id, spans)

    def _list_earlier(self, preloaded: PreloadedBatch, of: str, candidate: Candidate) -> None:
        if candidate.id is None:
            return
        for key, kind, status, test, event, *others in self._connection.execute(
            EARLIER, (of, candidate.id.hex)
        ):
            *times, result = others
            start_at, until, opens_at, session_started_at, created_at = map(_instant, times)
            assert start_at
            assert until
            assert created_at
            keys = _key(test), _key(event)
            spans = start_at, until, opens_at, session_started_at
            earlier = Earlier(UUID(key), kind, status, *keys, *spans, created_at, result)
            preloaded.has(candidate.id, earlier)

    def _require_nothing_overdue(
        self, of: str, events: Any, candidates: Any, now: datetime
    ) -> None:
        """Raises: Unsupported."""
        named = {one.id.hex for one in (*events, *candidates) if one.id is not None}
        named |= {event.room_id.hex for event in events if event.room_id is not None}
        for row in self._connection.execute(OVERDUE, (of, instant_text(now))):
            if named.intersection(row):
                raise Unsupported("a booking that has lapsed")

    def _write(self, caller: Caller, drafts: Sequence[Draft], now: datetime) -> None:
        of = caller.organization_id.hex
        for draft, number in zip(drafts, self._take(of, len(drafts)), strict=True):
            draft.number = number
        common = {"of": of, "now": instant_text(now), "name": caller.name}
        [(position, notifies)] = self._connection.execute(RAISE, (of, len(drafts))).fetchall()
        if notifies:
            raise Unsupported("notification endpoints")
        first = position - len(drafts) + 1
        rows = [_row(draft, first + n) | common for n, draft in enumerate(drafts)]
        for insert in (*INSERTS, *COUNT):
            self._connection.executemany(insert, rows)

    def _take(self, of: str, count: int) -> list[int]:
        """The next numbers for references."""
        if len(self._numbers) < count:
            [(end,)] = self._connection.execute(NUMBERS, (of, NUMBERS_AT_ONCE)).fetchall()
            self._numbers = list(range(end - NUMBERS_AT_ONCE, end))
        taken, self._numbers = self._numbers[:count], self._numbers[count:]
        return taken


EVENT_KEYS: Final = ("id", "venue_id", "room_id", "test_id", "group_id", "centre_id", "subject_id")
EVENT_INSTANTS: Final = (
    *("start_at", "end_at", "registration_start", "registration_deadline", "registration_locked"),
    "cancelled_at",
)
NO_EVENT: Final = Event(*[None] * len(Event._fields))  # type: ignore[arg-type]
NO_CANDIDATE: Final = Candidate(*[None] * len(Candidate._fields))  # type: ignore[arg-type]


def _key(value: Any) -> UUID | None:
    return None if value is None else UUID(value)


def _hex(key: UUID | None) -> str | None:
    return None if key is None else key.hex


def _instant(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _row(draft: Draft, position: int) -> dict[str, Any]:
    """The parameters of INSERTS."""
    event, logged = draft.event, facts(draft)
    assert event.start_at is not None
    return {
        "id": draft.id.hex,
        "reference": draft.reference,
        "candidate_id": _hex(draft.candidate.id),
        "centre_id": event.centre_id.hex,
        "room_id": _hex(event.room_id),
        "event_id": _hex(event.id),
        "test_id": _hex(event.test_id),
        "subject_id": _hex(event.subject_id),
        "time_zone": event.time_zone,
        "local_start": draft.local_start.isoformat(),
        "local_end": None if draft.local_end is None else draft.local_end.isoformat(),
        "start_at": instant_text(event.start_at),
        "end_at": None if event.end_at is None else instant_text(event.end_at),
        "busy_until_at": instant_text(draft.busy_until_at),
        "duration_minutes": event.duration_minutes,
        "module_id": _hex(draft.module_id),
        "attempt_number": draft.attempt_number,
        "previous_attempt_id": _hex(draft.previous_attempt_id),
        "payment_id": draft.payment_id.hex,
        "payment_reference": draft.payment_reference.hex,
        "change_id": draft.change_id.hex,
        "position": position,
        "changed_fields": document(list(logged)),
        "after": document(logged),
    }
