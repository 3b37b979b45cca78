"""The same questions to Strawberry as its documentation has it: ORM, loaders, its own view.

The parser and validation caches are on. The types hold what the queries ask for and no more, which
costs Strawberry nothing and makes its schema smaller than the gateway's.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
import strawberry
from aiodataloader import DataLoader
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Session, SQLModel, col, create_engine, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from benchmarks.references.tokens import Tokens
from resolvers.storage import POSTGRESQL_SCHEME
from resolvers.storage import tables as t
from resolvers.storage.nulls import nulls_last
from resolvers.storage.sqlite import PAGE_CACHE_KIB
from resolvers.vocabulary import BookingKind, BookingStatus, DeliveryMode

CONNECTIONS: Final = 10
DOCUMENTS: Final = 1_000
"""How many the caches keep; as many as the gateway's."""

Key = tuple[UUID, UUID]
"""An organization and a key in it."""

Run = Callable[[Any], Awaitable[Sequence[Any]]]
"""Runs a select in a session of its own: loaders run at the same time, which one does not allow."""

for model in (t.Booking, t.Candidate, t.Centre, t.Enrolment, t.Event, t.Room):
    registry(metadata=t.metadata).map_imperatively(model, t.table(model))

strawberry.enum(BookingStatus)
strawberry.enum(DeliveryMode)


def global_id(kind: str, key: UUID) -> strawberry.ID:
    return strawberry.ID(base64.b64encode(f"{kind}:{key.hex}".encode()).decode())


def key_of(given: str) -> UUID:
    return UUID(base64.b64decode(given).decode().partition(":")[2])


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """The place in a cursor of the gateway's."""
    _, start, key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return datetime.fromisoformat(start), UUID(key)


class Loaders:
    """The loaders of one request."""

    def __init__(self, run: Run, organization_id: UUID) -> None:
        self._run = run
        self._organization_id = organization_id
        self.candidate = self._by_id(t.Candidate)
        self.event = self._by_id(t.Event)
        self.room = self._by_id(t.Room)
        self.centre = self._by_id(t.Centre)
        self.enrolments: DataLoader[tuple[UUID, int], list[Any]] = DataLoader(self._of_events)

    def _by_id(self, model: Any) -> "DataLoader[UUID, Any]":
        async def load(keys: list[UUID]) -> list[Any]:
            rows = await self._run(
                select(model).where(
                    model.organization_id == self._organization_id, model.id.in_(keys)
                )
            )
            found = {row.id: row for row in rows}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    async def _of_events(self, asked: list[tuple[UUID, int]]) -> list[list[Any]]:
        first = max(most for _, most in asked)
        place = sa.func.row_number().over(
            partition_by=col(t.Booking.event_id),
            order_by=(col(t.Booking.start_at), col(t.Booking.id)),
        )
        chosen = (
            select(col(t.Booking.id).label("id"), place.label("place"))
            .where(
                t.Booking.organization_id == self._organization_id,
                col(t.Booking.event_id).in_([event for event, _ in asked]),
                t.Booking.kind == BookingKind.ENROLMENT,
                t.Booking.status != BookingStatus.DELETED,
            )
            .subquery()
        )
        rows = await self._run(
            enrolments(self._organization_id)
            .where(col(t.Booking.id) == chosen.c.id, chosen.c.place <= first)
            .order_by(col(t.Booking.start_at), col(t.Booking.id))
        )
        of_event: dict[UUID, list[Any]] = {event: [] for event, _ in asked}
        for booking, enrolment in rows:
            of_event[booking.event_id].append((booking, enrolment))
        return [of_event[event][:most] for event, most in asked]


@dataclass(slots=True)
class Context:
    organization_id: UUID
    run: Run
    loaders: Loaders


Info = strawberry.Info[Context, None]


@strawberry.type
class Times:
    start: datetime | None
    end: datetime | None
    time_zone: str


@strawberry.type
class Candidate:
    id: strawberry.ID
    reference: str
    first_names: str
    last_name: str

    @strawberry.field
    def full_name(self) -> str:
        return f"{self.first_names} {self.last_name}"

    @classmethod
    def of(cls, row: t.Candidate) -> "Candidate":
        return cls(
            id=global_id("Candidate", row.id),
            reference=row.reference,
            first_names=row.first_names,
            last_name=row.last_name,
        )


@strawberry.type
class Room:
    id: strawberry.ID
    name: str
    capacity: int


@strawberry.type
class Centre:
    id: strawberry.ID
    name: str
    time_zone: str


@strawberry.type
class EnrolmentConnection:
    nodes: list["Enrolment"]


@strawberry.type
class Event:
    id: strawberry.ID
    title: str
    key: strawberry.Private[UUID]

    @strawberry.field
    async def enrolments(self, info: Info, first: int = 20) -> EnrolmentConnection:
        rows = await info.context.loaders.enrolments.load((self.key, first))
        return EnrolmentConnection(nodes=[Enrolment.of(*row) for row in rows])

    @classmethod
    def of(cls, row: t.Event) -> "Event":
        return cls(id=global_id("Event", row.id), title=row.title, key=row.id)


@strawberry.type
class EventConnection:
    nodes: list[Event]


@strawberry.interface
class Booking:
    id: strawberry.ID
    reference: str
    status: BookingStatus
    created_at: datetime
    times: Times
    row: strawberry.Private[t.Booking]

    @strawberry.field
    async def candidate(self, info: Info) -> Candidate:
        return Candidate.of(await info.context.loaders.candidate.load(self.row.candidate_id))

    @strawberry.field
    async def event(self, info: Info) -> Event | None:
        if self.row.event_id is None:
            return None
        return Event.of(await info.context.loaders.event.load(self.row.event_id))

    @strawberry.field
    async def room(self, info: Info) -> Room | None:
        if self.row.room_id is None:
            return None
        room = await info.context.loaders.room.load(self.row.room_id)
        return Room(id=global_id("Room", room.id), name=room.name, capacity=room.capacity)

    @strawberry.field
    async def centre(self, info: Info) -> Centre | None:
        if self.row.centre_id is None:
            return None
        centre = await info.context.loaders.centre.load(self.row.centre_id)
        return Centre(
            id=global_id("Centre", centre.id), name=centre.name, time_zone=centre.time_zone
        )


@strawberry.type
class Enrolment(Booking):
    attempt_number: int
    delivery_mode: DeliveryMode

    @classmethod
    def of(cls, row: t.Booking, detail: t.Enrolment) -> "Enrolment":
        return cls(
            id=global_id("Enrolment", row.id),
            reference=row.reference,
            status=row.status,
            created_at=row.created_at,
            times=Times(start=row.start_at, end=row.end_at, time_zone=row.time_zone),
            row=row,
            attempt_number=detail.attempt_number,
            delivery_mode=detail.delivery,
        )


@strawberry.input
class BookingFilter:
    status: list[BookingStatus] | None = None


def enrolments(organization_id: UUID) -> Any:
    """Bookings, each with the rest of its enrolment."""
    same = sa.and_(
        col(t.Enrolment.organization_id) == col(t.Booking.organization_id),
        col(t.Enrolment.id) == col(t.Booking.id),
    )
    return (
        select(t.Booking, t.Enrolment)
        .join(t.Enrolment, same)
        .where(
            t.Booking.organization_id == organization_id, t.Booking.kind == BookingKind.ENROLMENT
        )
    )


def beyond(starts: Any, key: Any, cursor: str) -> sa.ColumnElement[bool]:
    """True for what comes after a cursor, by start."""
    start, after = place_of(cursor)
    at: Any = sa.literal(start, type_=SQLModel.metadata.tables["booking"].c.start_at.type)
    here: Any = sa.tuple_(starts, key)
    later: sa.ColumnElement[bool] = here > sa.tuple_(at, sa.literal(after, type_=sa.Uuid()))
    return sa.and_(starts >= at, later)


@strawberry.type
class Query:
    @strawberry.field
    async def booking(self, info: Info, id: strawberry.ID) -> Booking | None:
        context = info.context
        rows = await context.run(
            enrolments(context.organization_id).where(t.Booking.id == key_of(id))
        )
        return Enrolment.of(*rows[0]) if rows else None

    @strawberry.field
    async def enrolments(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        filter: BookingFilter | None = None,
    ) -> EnrolmentConnection:
        context = info.context
        statement = enrolments(context.organization_id)
        if filter is not None and filter.status is not None:
            statement = statement.where(col(t.Booking.status).in_(filter.status))
        order = col(t.Booking.start_at), col(t.Booking.id)
        if after is not None:
            statement = statement.where(beyond(*order, after))
        rows = await context.run(statement.order_by(*order).limit(first))
        return EnrolmentConnection(nodes=[Enrolment.of(*row) for row in rows])

    @strawberry.field
    async def events(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> EventConnection:
        context = info.context
        statement: Any = select(t.Event).where(t.Event.organization_id == context.organization_id)
        order = nulls_last(t.columns(t.Event).start_at), col(t.Event.id)
        if after is not None:
            statement = statement.where(beyond(*order, after))
        rows = await context.run(statement.order_by(*order).limit(first))
        return EventConnection(nodes=[Event.of(row) for row in rows])


class View(GraphQL[Context, None]):
    """Strawberry's own, with a context for each request."""

    def __init__(self, schema: strawberry.Schema, run: Run, tokens: Tokens) -> None:
        super().__init__(schema, graphql_ide=None)
        self._run, self._tokens = run, tokens

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        organization_id = self._tokens.organization(request.headers.get("authorization"))
        return Context(organization_id, self._run, Loaders(self._run, organization_id))


def create(database_url: str, secret: str) -> Starlette:
    """The server over the database at an address."""
    run, close = (
        on_postgresql(database_url)
        if database_url.startswith(POSTGRESQL_SCHEME)
        else on_sqlite(database_url)
    )
    schema = strawberry.Schema(
        Query,
        types=[Enrolment],
        extensions=[lambda: ParserCache(DOCUMENTS), lambda: ValidationCache(DOCUMENTS)],
        config=StrawberryConfig(scalar_map={datetime: INSTANT}),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await close()

    return Starlette(
        routes=[Route("/graphql", View(schema, run, Tokens(secret)))], lifespan=lifespan
    )


INSTANT: Final = strawberry.scalar(
    name="DateTime",
    serialize=lambda value: value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z",
    parse_value=datetime.fromisoformat,
)
"""As the gateway writes instants."""


def on_postgresql(url: str) -> tuple[Run, Callable[[], Awaitable[None]]]:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=CONNECTIONS,
        json_deserializer=lambda value: value,  # the tables' own type of column does that
        connect_args={"server_settings": {"jit": "off", "timezone": "UTC"}},
    )

    async def run(statement: Any) -> Sequence[Any]:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            rows: Sequence[Any] = (await session.exec(statement)).all()
            return rows

    return run, engine.dispose


def on_sqlite(url: str) -> tuple[Run, Callable[[], Awaitable[None]]]:
    """In the event loop, where it costs less than in threads."""
    engine = create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")

    async def run(statement: Any) -> Sequence[Any]:
        with Session(engine, expire_on_commit=False) as session:
            rows: Sequence[Any] = session.exec(statement).all()
            return rows

    async def close() -> None:
        engine.dispose()

    return run, close
