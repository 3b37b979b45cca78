"""The fair reference on PostgreSQL: five round trips for a batch of any size.

BEGIN; one statement that locks and reads; one that counts, in a snapshot taken after the locks; one
that writes; COMMIT. A sixth takes 256 numbers for references, so it is rare.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

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

NUMBERS_AT_ONCE: Final = 256

LOCK: Final = """
    WITH events AS MATERIALIZED (
        SELECT * FROM event WHERE organization_id = $1 AND id = ANY ($2)
        ORDER BY id FOR NO KEY UPDATE
    ), rooms AS MATERIALIZED (
        SELECT id, centre_id, name, capacity FROM room
        WHERE organization_id = $1 AND id = ANY (ARRAY(SELECT room_id FROM events))
        ORDER BY id FOR NO KEY UPDATE
    ), candidates AS MATERIALIZED (
        SELECT id, first_names, last_name, reference, reference_generated FROM candidate
        WHERE organization_id = $1 AND id = ANY ($3) AND (SELECT count(*) FROM rooms) >= 0
        ORDER BY id FOR NO KEY UPDATE
    ), places AS MATERIALIZED (
        SELECT e.id, e.title, e.venue_id, e.room_id, e.test_id, e.on_demand, e.start_at, e.end_at,
            e.duration_minutes, e.capacity_maximum, e.allow_multiple_registrations,
            e.person_code_is_required, e.registration_start, e.registration_deadline,
            e.registration_locked, e.eligibility_configured,
            e.learner_registration_group_identifier, e.cancelled_at, r.centre_id,
            r.name AS room_name, r.capacity, p.name AS centre_name, p.time_zone,
            t.subject_id, t.max_attempts,
            coalesce(
                (SELECT array_agg(m.module_id) FROM event_module m
                    WHERE m.organization_id = $1 AND m.event_id = e.id),
                (SELECT array_agg(m.module_id) FROM test_module m
                    WHERE m.organization_id = $1 AND m.test_id = e.test_id),
                '{}'
            ) AS modules
        FROM events e
        LEFT JOIN rooms r ON r.id = e.room_id
        LEFT JOIN centre p ON p.organization_id = $1 AND p.id = r.centre_id
        LEFT JOIN test t ON t.organization_id = $1 AND t.id = e.test_id
    )
    SELECT o.allow_resit_after_pass, o.min_days_between_attempts, o.conflict_policy, c.*, places.*
    FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS asked (event_id, candidate_id, n)
    LEFT JOIN places ON places.id = asked.event_id
    LEFT JOIN candidates c ON c.id = asked.candidate_id
    JOIN organization o ON o.id = $1
    ORDER BY n
"""
COUNT: Final = """
    SELECT event_id, taken, NULL::uuid, NULL, NULL, NULL::uuid, NULL::uuid, NULL::timestamptz,
        NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL
    FROM event_seats WHERE organization_id = $1 AND event_id = ANY ($2)
    UNION ALL
    SELECT DISTINCT s.room_id, s.taken, NULL::uuid, 'room', NULL, NULL::uuid, NULL::uuid,
        s.start_at, s.busy_until_at, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL
    FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[])
        AS span (room_id, start_at, until)
    CROSS JOIN LATERAL (
        SELECT * FROM room_seats r WHERE r.organization_id = $1 AND r.room_id = span.room_id
            AND r.start_at < span.until AND r.busy_until_at > span.start_at AND r.taken > 0
        OFFSET 0
    ) s
    UNION ALL
    (SELECT b.candidate_id, 0, b.id, b.kind, b.status, b.test_id, b.event_id, b.start_at,
        b.busy_until_at, b.opens_at, b.session_started_at, b.created_at, e.result
    FROM booking b
    LEFT JOIN enrolment e ON e.organization_id = b.organization_id AND e.id = b.id
    WHERE b.organization_id = $1 AND b.candidate_id = ANY ($6)
    ORDER BY b.created_at, b.id)
    UNION ALL
    SELECT NULL, count(*), NULL, 'overdue', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM booking WHERE organization_id = $1 AND status = 'PENDING' AND lapses_at < $7
        AND (event_id = ANY ($2) OR room_id = ANY ($3) OR candidate_id = ANY ($6))
    HAVING count(*) > 0
"""
NUMBERS: Final = """
    UPDATE number_series SET next = next + $2 WHERE organization_id = $1 AND name = 'enrolment'
    RETURNING next
"""
ARRAYS: Final = {
    "id": "uuid",
    "reference": "text",
    "candidate_id": "uuid",
    "centre_id": "uuid",
    "room_id": "uuid",
    "event_id": "uuid",
    "test_id": "uuid",
    "subject_id": "uuid",
    "time_zone": "text",
    "local_start": "timestamp",
    "local_end": "timestamp",
    "start_at": "timestamptz",
    "end_at": "timestamptz",
    "busy_until_at": "timestamptz",
    "duration_minutes": "integer",
    "module_id": "uuid",
    "attempt_number": "integer",
    "previous_attempt_id": "uuid",
    "payment_id": "uuid",
    "payment_reference": "uuid",
    "change_id": "uuid",
    "changed_fields": "jsonb",
    "after": "jsonb",
}
"""The parameters of `WRITE` from $5 on: an array for each column."""

WRITE: Final = f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM unnest(
            {", ".join(f"${n}::{kind}[]" for n, kind in enumerate(ARRAYS.values(), 5))}
        ) WITH ORDINALITY AS given ({", ".join(ARRAYS)}, n)
    ), bookings AS (
        INSERT INTO booking (organization_id, id, kind, reference, status, candidate_id, centre_id,
            room_id, event_id, test_id, subject_id, time_zone, local_start, local_end, start_at,
            end_at, busy_until_at, duration_minutes, extra_time_minutes, extra_break_minutes,
            accommodation_count, cancelled_on_behalf, version, created_at, updated_at,
            created_by_name)
        SELECT $1, id, 'ENROLMENT', reference, 'CONFIRMED', candidate_id, centre_id,
            room_id, event_id, test_id, subject_id, time_zone, local_start, local_end, start_at,
            end_at, busy_until_at, duration_minutes, 0, 0, 0, false, 1, $2, $2, $3
        FROM given
    ), enrolments AS (
        INSERT INTO enrolment (organization_id, id, module_id, on_demand, delivery, attempt_number,
            previous_attempt_id, appeal_upheld)
        SELECT $1, id, module_id, false, 'IN_PERSON', attempt_number, previous_attempt_id, false
        FROM given
    ), payments AS (
        INSERT INTO payment (organization_id, id, booking_id, reference, responsibility, status)
        SELECT $1, payment_id, id, payment_reference, 'ORGANIZATION', 'NOT_REQUIRED' FROM given
    ), at_events AS (
        INSERT INTO event_seats (organization_id, event_id, taken)
        SELECT $1, event_id, count(*) FROM given GROUP BY event_id ORDER BY event_id
        ON CONFLICT (organization_id, event_id)
            DO UPDATE SET taken = event_seats.taken + excluded.taken
    ), in_rooms AS (
        INSERT INTO room_seats (organization_id, room_id, busy_until_at, start_at, taken)
        SELECT $1, room_id, busy_until_at, start_at, count(*) FROM given
        WHERE room_id IS NOT NULL GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
        ON CONFLICT (organization_id, room_id, busy_until_at, start_at)
            DO UPDATE SET taken = room_seats.taken + excluded.taken
    ), raised AS (
        UPDATE log_position SET position = position + $4 WHERE organization_id = $1
        RETURNING position, notifies
    ), changes AS (
        INSERT INTO change_log (organization_id, position, id, at, actor_name, changed_fields,
            after, version, event_id, room_id, booking_type, booking_id, kind, reference,
            candidate_id, created_at, status, centre_id, test_id, subject_id, start_at, updated_at,
            accommodation_count)
        SELECT $1, position - $4 + n, change_id, $2, $3, changed_fields, after, 1, event_id,
            room_id, 'CREATED', id, 'ENROLMENT', reference, candidate_id, $2, 'CONFIRMED',
            centre_id, test_id, subject_id, start_at, $2, 0
        FROM raised CROSS JOIN given
    )
    SELECT notifies FROM raised
"""  # noqa: S608 - compiled in, not given


class Postgres:
    """One connection, one transaction at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record]
        self._numbers: list[int] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        settings = {"jit": "off", "timezone": "UTC", "plan_cache_mode": "force_generic_plan"}
        self._connection = await asyncpg.connect(self._url, server_settings=settings)
        yield
        await self._connection.close()

    async def book(
        self, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]
    ) -> list[Draft | list[Refusal]]:
        """Book a seat for each pair of an event and a candidate. Raises: Unsupported."""
        await self._connection.execute("BEGIN")
        try:
            results = await self._booked(caller, pairs)
        except BaseException:
            await self._connection.execute("ROLLBACK")
            self._numbers = []
            raise
        await self._connection.execute("COMMIT")
        return results

    async def _booked(
        self, caller: Caller, pairs: Sequence[tuple[UUID, UUID]]
    ) -> list[Draft | list[Refusal]]:
        of, now = caller.organization_id, datetime.now(UTC)
        events, candidates = [event for event, _ in pairs], [candidate for _, candidate in pairs]
        rows = await self._connection.fetch(LOCK, of, events, candidates)
        asked = [(Event(*row[8:]), Candidate(*row[3:8])) for row in rows]
        preloaded = PreloadedBatch(Settings(*rows[0][:3]), now)
        await self._count(preloaded, of, asked, now)
        results = [preloaded.book(event, candidate) for event, candidate in asked]
        if drafts := [result for result in results if isinstance(result, Draft)]:
            await self._write(caller, drafts, now)
        return results

    async def _count(
        self,
        preloaded: PreloadedBatch,
        of: UUID,
        asked: Sequence[tuple[Event, Candidate]],
        now: datetime,
    ) -> None:
        """Read what the rules need to know beside the locked rows."""
        events = {event.id: event for event, _ in asked if event.id is not None}
        candidates = [candidate.id for _, candidate in asked if candidate.id is not None]
        sittings = [e for e in events.values() if e.room_id is not None and e.start_at is not None]
        counted = await self._connection.fetch(
            COUNT,
            of,
            list(events),
            [event.room_id for event in sittings],
            [event.start_at for event in sittings],
            [_until(event) for event in sittings],
            candidates,
            now,
        )
        in_rooms: dict[UUID, Counter[Span]] = {}
        for key, number, booking_id, kind, *others in counted:
            if booking_id is not None:
                preloaded.has(key, Earlier(booking_id, kind, *others))
            elif kind is None:
                preloaded.seats_taken(key, number)
            elif kind == "overdue":
                raise Unsupported("a booking that has lapsed")
            else:
                *_, start_at, until, _, _, _, _ = others
                in_rooms.setdefault(key, Counter())[start_at, until] = number
        for room_id, spans in in_rooms.items():
            preloaded.busy_in_room(room_id, spans)

    async def _write(self, caller: Caller, drafts: Sequence[Draft], now: datetime) -> None:
        for draft, number in zip(drafts, await self._take(caller, len(drafts)), strict=True):
            draft.number = number
        columns: Any = zip(*map(_row, drafts), strict=True)
        [[notifies]] = await self._connection.fetch(
            WRITE, caller.organization_id, now, caller.name, len(drafts), *map(list, columns)
        )
        if notifies:
            raise Unsupported("notification endpoints")

    async def _take(self, caller: Caller, count: int) -> list[int]:
        """The next numbers for references."""
        if len(self._numbers) < count:
            end = await self._connection.fetchval(NUMBERS, caller.organization_id, NUMBERS_AT_ONCE)
            self._numbers = list(range(end - NUMBERS_AT_ONCE, end))
        taken, self._numbers = self._numbers[:count], self._numbers[count:]
        return taken


def _until(event: Event) -> datetime:
    assert event.start_at is not None
    return max(event.end_at or event.start_at, event.start_at + SHORTEST)


def _row(draft: Draft) -> tuple[Any, ...]:
    """The values of a draft in the order of ARRAYS."""
    event, logged = draft.event, facts(draft)
    return (
        draft.id,
        draft.reference,
        draft.candidate.id,
        event.centre_id,
        event.room_id,
        event.id,
        event.test_id,
        event.subject_id,
        event.time_zone,
        draft.local_start,
        draft.local_end,
        event.start_at,
        event.end_at,
        draft.busy_until_at,
        event.duration_minutes,
        draft.module_id,
        draft.attempt_number,
        draft.previous_attempt_id,
        draft.payment_id,
        draft.payment_reference,
        draft.change_id,
        document(list(logged)),
        document(logged),
    )
