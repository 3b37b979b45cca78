"""A route for each query, as a good engineer writes it by hand: SQL, dicts, orjson. No GraphQL.

The lists rely on what the data promises: every event and every enrolment has a start. PostgreSQL is
asked `status = any(…)` since `status = …` makes it plan the join anew at every call, for 8 ms.
"""

import sqlite3
from base64 import urlsafe_b64decode
from binascii import a2b_base64, b2a_base64
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, cast
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.references.tokens import Tokens
from resolvers.storage import POSTGRESQL_SCHEME, SQLITE_SCHEME
from resolvers.storage.sqlite import connect

CONNECTIONS: Final = 10
"""As many as the gateway reads with."""

PLACES: Final = """
    JOIN candidate c ON c.organization_id = b.organization_id AND c.id = b.candidate_id
    LEFT JOIN event v ON v.organization_id = b.organization_id AND v.id = b.event_id
    LEFT JOIN room r ON r.organization_id = b.organization_id AND r.id = b.room_id
    LEFT JOIN centre p ON p.organization_id = b.organization_id AND p.id = b.centre_id
"""
ENROLMENTS: Final = f"""
    FROM booking b
    JOIN enrolment e ON e.organization_id = b.organization_id AND e.id = b.id
    {PLACES}
    WHERE b.organization_id = $1 AND b.kind = 'ENROLMENT'
"""
DETAIL: Final = f"""
    SELECT key(b.id), b.reference, b.status, e.attempt_number, e.delivery,
        instant(b.created_at), instant(b.start_at), instant(b.end_at), b.time_zone,
        key(c.id), c.first_names, c.last_name, c.reference, key(v.id), v.title,
        key(r.id), r.name, r.capacity, key(p.id), p.name, p.time_zone
    {ENROLMENTS} AND b.id = $2
"""
ROSTER: Final = f"""
    SELECT key(b.id), b.reference, b.status, e.attempt_number, instant(b.start_at),
        key(c.id), c.first_names, c.last_name, c.reference, v.title, r.name, p.name, p.time_zone
    {ENROLMENTS} AND b.status = $2 {{after}}
    ORDER BY b.start_at, b.id LIMIT 50
"""
STARTS: Final = "coalesce(v.start_at, '9999-12-31T23:59:59.999998Z')"
"""The start of an event in the words of its index."""

EVENTS: Final = f"""
    SELECT v.id, key(v.id), v.title FROM event v
    WHERE v.organization_id = $1 {{after}} ORDER BY {STARTS}, v.id LIMIT 20
"""  # noqa: S608 - compiled in, not given
OF_EVENT: Final = """
    SELECT b.organization_id, b.event_id, b.id, b.reference, b.status, b.candidate_id, b.start_at
    FROM booking b
    WHERE b.organization_id = $1 AND b.event_id = {event} AND b.kind = 'ENROLMENT'
        AND b.status <> 'DELETED'
    ORDER BY b.start_at, b.id LIMIT 20
"""
SEATS: Final = """
    SELECT key(b.event_id), key(b.id), b.reference, b.status,
        key(c.id), c.first_names, c.last_name, c.reference
    FROM {bookings} b
    JOIN candidate c ON c.organization_id = b.organization_id AND c.id = b.candidate_id
    ORDER BY b.event_id, b.start_at, b.id
"""
AFTER_BOOKING: Final = "AND (b.start_at, b.id) > ($3, $4)"
AFTER_EVENT: Final = f"AND {STARTS} >= $2 AND ({STARTS}, v.id) > ($2, $3)"

Row = Sequence[Any]


class Database(Protocol):
    """What the routes ask; rows of texts and numbers, an instant may be a datetime."""

    def open(self) -> AbstractAsyncContextManager[None]: ...
    async def detail(self, organization_id: UUID, key: UUID) -> Row | None: ...
    async def roster(self, organization_id: UUID, status: str, after: Any) -> Sequence[Row]: ...
    async def fan_out(
        self, organization_id: UUID, after: Any
    ) -> tuple[Sequence[Row], Sequence[Row]]: ...


def create(database_url: str, secret: str) -> Starlette:
    """The routes over the database at an address."""
    database: Database = (
        Postgres(database_url)
        if database_url.startswith(POSTGRESQL_SCHEME)
        else Sqlite(Path(database_url.removeprefix(SQLITE_SCHEME)))
    )
    routes = Routes(database, Tokens(secret))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.open():
            yield

    return Starlette(
        routes=[
            Route("/enrolments/{id}", routes.detail),
            Route("/enrolments", routes.roster),
            Route("/events", routes.fan_out),
        ],
        lifespan=lifespan,
    )


class Routes:
    """From a request to a response, whichever database it is."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def detail(self, request: Request) -> Response:
        organization_id = self._tokens.organization(request.headers.get("authorization"))
        try:
            kind, _, digits = a2b_base64(request.path_params["id"]).decode().partition(":")
            key = UUID(digits)
        except ValueError:
            raise HTTPException(400, "not an id") from None
        if kind != "Enrolment":
            raise HTTPException(400, "not the id of an enrolment")
        row = await self._database.detail(organization_id, key)
        return _json({"booking": None if row is None else _detail(row)})

    async def roster(self, request: Request) -> Response:
        organization_id = self._tokens.organization(request.headers.get("authorization"))
        asked = request.query_params
        rows = await self._database.roster(organization_id, asked["status"], _after(asked))
        return _json({"enrolments": {"nodes": [_seat(row) for row in rows]}})

    async def fan_out(self, request: Request) -> Response:
        organization_id = self._tokens.organization(request.headers.get("authorization"))
        events, seats = await self._database.fan_out(organization_id, _after(request.query_params))
        nodes: dict[str, list[Any]] = {event[1]: [] for event in events}
        for event, key, reference, status, candidate, first, last, of_candidate in seats:
            nodes[event].append(
                {
                    "id": _id("Enrolment", key),
                    "reference": reference,
                    "status": status,
                    "candidate": {
                        "id": _id("Candidate", candidate),
                        "fullName": f"{first} {last}",
                        "reference": of_candidate,
                    },
                }
            )
        return _json(
            {
                "events": {
                    "nodes": [
                        {
                            "id": _id("Event", key),
                            "title": title,
                            "enrolments": {"nodes": nodes[key]},
                        }
                        for _, key, title in events
                    ]
                }
            }
        )


def _json(data: Any) -> Response:
    return Response(
        orjson.dumps({"data": data}, option=orjson.OPT_UTC_Z), media_type="application/json"
    )


def _id(kind: str, key: str) -> str:
    return b2a_base64(f"{kind}:{key}".encode(), newline=False).decode()


def _after(asked: Any) -> tuple[datetime, UUID] | None:
    """The place in a cursor of the gateway's."""
    cursor = asked.get("after")
    if cursor is None:
        return None
    try:
        _, start, key = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(start), UUID(key)
    except ValueError:
        raise HTTPException(400, "not a cursor") from None


def _detail(row: Row) -> dict[str, Any]:
    (key, reference, status, attempt, delivery, created, start, end, zone, *others) = row
    candidate, first, last, of_candidate, event, title, *place = others
    room, of_room, capacity, centre, of_centre, zone_of_centre = place
    return {
        "id": _id("Enrolment", key),
        "reference": reference,
        "status": status,
        "attemptNumber": attempt,
        "deliveryMode": delivery,
        "createdAt": created,
        "times": {"start": start, "end": end, "timeZone": zone},
        "candidate": {
            "id": _id("Candidate", candidate),
            "fullName": f"{first} {last}",
            "reference": of_candidate,
        },
        "event": None if event is None else {"id": _id("Event", event), "title": title},
        "room": None
        if room is None
        else {"id": _id("Room", room), "name": of_room, "capacity": capacity},
        "centre": None
        if centre is None
        else {"id": _id("Centre", centre), "name": of_centre, "timeZone": zone_of_centre},
    }


def _seat(row: Row) -> dict[str, Any]:
    (key, reference, status, attempt, start, candidate, first, last, of_candidate, *place) = row
    title, room, centre, zone = place
    return {
        "id": _id("Enrolment", key),
        "reference": reference,
        "status": status,
        "attemptNumber": attempt,
        "times": {"start": start},
        "candidate": {
            "id": _id("Candidate", candidate),
            "fullName": f"{first} {last}",
            "reference": of_candidate,
        },
        "event": None if title is None else {"title": title},
        "room": None if room is None else {"name": room},
        "centre": None if centre is None else {"name": centre, "timeZone": zone},
    }


class Postgres:
    """asyncpg's own pool, without the reset that nothing here needs."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record]
        self._detail = _postgresql(DETAIL)
        roster = ROSTER.replace("b.status = $2", "b.status = ANY($2)")
        self._roster = _postgresql(roster.format(after=""))
        self._roster_after = _postgresql(roster.format(after=AFTER_BOOKING))
        self._events = _postgresql(EVENTS.format(after=""))
        self._events_after = _postgresql(EVENTS.format(after=AFTER_EVENT))
        of_event = OF_EVENT.format(event="asked.id")
        self._seats = _postgresql(
            SEATS.format(
                bookings=f"unnest($2::uuid[]) AS asked (id) CROSS JOIN LATERAL ({of_event})"
            )
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=CONNECTIONS,
            server_settings={"jit": "off", "timezone": "UTC"},
            reset=_nothing,
        )
        async with self._pool:
            yield

    async def detail(self, organization_id: UUID, key: UUID) -> Row | None:
        async with self._pool.acquire() as connection:
            row: Any = await connection.fetchrow(self._detail, organization_id, key)
            return cast(Row | None, row)

    async def roster(self, organization_id: UUID, status: str, after: Any) -> Sequence[Row]:
        statement = self._roster if after is None else self._roster_after
        async with self._pool.acquire() as connection:
            rows: Any = await connection.fetch(statement, organization_id, [status], *(after or ()))
            return cast(Sequence[Row], rows)

    async def fan_out(
        self, organization_id: UUID, after: Any
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        statement = self._events if after is None else self._events_after
        async with self._pool.acquire() as connection:
            events: Any = await connection.fetch(statement, organization_id, *(after or ()))
            keys = [event[0] for event in events]
            seats: Any = await connection.fetch(self._seats, organization_id, keys)
            return events, seats


async def _nothing(_: Any) -> None: ...


class Sqlite:
    """sqlite3 in the event loop; a statement costs so little that each event has its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection
        self._detail = _sqlite(DETAIL)
        self._roster = _sqlite(ROSTER.format(after=""))
        self._roster_after = _sqlite(ROSTER.format(after=AFTER_BOOKING))
        self._events = _sqlite(EVENTS.format(after=""))
        self._events_after = _sqlite(EVENTS.format(after=AFTER_EVENT))
        self._seats = _sqlite(SEATS.format(bookings=f"({OF_EVENT.format(event='$2')})"))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._connection = connect(self._path)
        yield
        self._connection.close()

    async def detail(self, organization_id: UUID, key: UUID) -> Row | None:
        found = self._connection.execute(self._detail, (organization_id.hex, key.hex))
        row: Row | None = found.fetchone()
        return row

    async def roster(self, organization_id: UUID, status: str, after: Any) -> Sequence[Row]:
        values = (organization_id.hex, status, *_place(after))
        statement = self._roster if after is None else self._roster_after
        return self._connection.execute(statement, values).fetchall()

    async def fan_out(
        self, organization_id: UUID, after: Any
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        organization, run = organization_id.hex, self._connection.execute
        statement = self._events if after is None else self._events_after
        events = run(statement, (organization, *_place(after))).fetchall()
        seats = [seat for event in events for seat in run(self._seats, (organization, event[0]))]
        return events, seats


def _place(after: tuple[datetime, UUID] | None) -> tuple[str, ...]:
    if after is None:
        return ()
    start, key = after
    return f"{start.replace(tzinfo=None).isoformat(timespec='microseconds')}Z", key.hex


def _postgresql(statement: str) -> str:
    return _with(statement, key="encode(uuid_send({}), 'hex')", instant="{}")


def _sqlite(statement: str) -> str:
    numbered = statement.replace("$", "?")
    return _with(numbered, key="{}", instant="replace({}, '.000000Z', 'Z')")


def _with(statement: str, **functions: str) -> str:
    """A statement with `key(…)` and `instant(…)` as its database has them: ready to be shown."""
    for name, written in functions.items():
        first, *others = statement.split(f"{name}(")
        statement = first
        for part in others:
            column, _, rest = part.partition(")")
            statement += written.format(column) + rest
    return statement
