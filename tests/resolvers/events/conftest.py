"""Event rows, and short functions to run commands and reads."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.updating import update_events
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByKey
from resolvers.storage import Read
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    Booking,
    Candidate,
    Centre,
    ChangeLog,
    Event,
    ExternalId,
    Module,
    Room,
    Test,
    columns,
    table,
)
from resolvers.times import wall_time_of
from resolvers.vocabulary import BookingKind, BookingStatus, EventKind

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
"""A morning some weeks after the tests' clock; London is at UTC then."""

Maker = Callable[..., Awaitable[Any]]


@pytest.fixture
def numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def a_centre(insert: Any, numbers: Iterator[int]) -> Maker:
    async def made(name: str = "Northfield", **values: Any) -> Any:
        given = {"time_zone": "Europe/London", "search_text": name.casefold(), **values}
        return await insert(Centre, reference=f"C{next(numbers)}", name=name, **given)

    return made


@pytest.fixture
def a_room(insert: Any, numbers: Iterator[int]) -> Maker:
    async def made(centre: Any, capacity: int = 10, **values: Any) -> Any:
        given = {"name": f"Room {next(numbers)}", **values}
        return await insert(Room, centre_id=centre.id, capacity=capacity, **given)

    return made


@pytest.fixture
def a_test(insert: Any, numbers: Iterator[int]) -> Maker:
    async def made(duration_minutes: int = 60, **values: Any) -> Any:
        given = {"name": "Biology", "search_text": "", "default_language": "en", "languages": []}
        named = {"reference": f"T{next(numbers)}", **given, **values}
        return await insert(Test, duration_minutes=duration_minutes, **named)

    return made


@pytest.fixture
def a_module(insert: Any, numbers: Iterator[int]) -> Maker:
    async def made(name: str = "Cells") -> Any:
        return await insert(Module, reference=f"M{next(numbers)}", name=name)

    return made


@pytest.fixture
def a_candidate(insert: Any, numbers: Iterator[int]) -> Maker:
    async def made(last_name: str = "Byron", **values: Any) -> Any:
        given = {"first_names": "Ada", "search_text": "", **values}
        return await insert(Candidate, reference=f"P{next(numbers)}", last_name=last_name, **given)

    return made


def event_row(key: UUID, **values: Any) -> dict[str, Any]:
    """Return an event's columns: an exam in London with these values replaced."""
    start, zone = values.get("start_at"), values.get("time_zone", "Europe/London")
    end = values.get("end_at")
    lasts = None if start is None or end is None else end - start
    return {
        "identifier": key,
        "kind": EventKind.EXAM,
        "title": "Biology",
        "time_zone": zone,
        "local_start": None if start is None else wall_time_of(start, zone),
        "given_end_at": end,
        "duration_minutes": (lasts and lasts // timedelta(minutes=1)) or None,
        "last_change_time": START - timedelta(days=90),
        **values,
    }


@pytest.fixture
def an_event(insert: Any) -> Maker:
    """Insert an event row, at START by default."""

    async def made(**values: Any) -> Any:
        key = values.pop("id", None) or new_key()
        return await insert(Event, id=key, **event_row(key, **{"start_at": START, **values}))

    return made


@pytest.fixture
def a_booking(insert: Any, a_candidate: Maker, numbers: Iterator[int]) -> Maker:
    """Insert a confirmed booking of an event, by default in its room and at its time."""

    async def made(event: Any, candidate: Any = None, **values: Any) -> Any:
        candidate = candidate or await a_candidate()
        start = values.get("start_at", event.start_at)
        end = values.get("end_at", event.end_at)
        zone = values.get("time_zone", event.time_zone)
        given = {
            "room_id": event.room_id,
            "centre_id": event.venue_id,
            "test_id": event.test_id,
            "duration_minutes": event.duration_minutes,
            "time_zone": zone,
            "start_at": start,
            "end_at": end,
            "local_start": None if start is None else wall_time_of(start, zone),
            "local_end": None if end is None else wall_time_of(end, zone),
            "busy_until_at": None if start is None else end or start + timedelta(minutes=1),
            "status": BookingStatus.CONFIRMED,
            **values,
        }
        return await insert(
            Booking,
            kind=BookingKind.ENROLMENT,
            reference=f"ENR-{next(numbers)}",
            candidate_id=candidate.id,
            event_id=event.id,
            created_at=START - timedelta(days=90),
            updated_at=START - timedelta(days=90),
            created_by_name="admin",
            **given,
        )

    return made


@pytest.fixture
def rows(storage: Any) -> Maker:
    """Return the rows of a table with these values, by key."""

    async def found(model: Any, **values: Any) -> list[Any]:
        c = columns(model)
        read: Read[Any] = Read(
            ("test rows", model, tuple(values)),
            lambda _: (
                sa.select(table(model))
                .where(*(c[n] == sa.bindparam(f"v_{n}", type_=c[n].type) for n in values))
                .order_by(*table(model).primary_key)
            ),
            {f"v_{name}": value for name, value in values.items()},
        )
        return await storage.read(read)

    return found


@pytest.fixture
def row(rows: Maker) -> Maker:
    """Return the row of a table with this key."""

    async def found(model: Any, key: UUID) -> Any:
        [only] = await rows(model, id=key)
        return only

    return found


@pytest.fixture
def changes(rows: Maker) -> Maker:
    """Return the log, oldest first."""

    async def found() -> list[Any]:
        return await rows(ChangeLog)

    return found


@pytest.fixture
def link(storage: Any, organization_id: UUID) -> Maker:
    """Insert a row into a table without a key."""

    async def linked(model: Any, **values: Any) -> None:
        def run(work: Any, commands: Any) -> list[Outcome]:
            work.insert(model, [new_row(model, organization_id=organization_id, **values)])
            return [Outcome(organization_id)]

        await storage.write(run, [None])

    return linked


@pytest.fixture
def known_as(link: Maker) -> Maker:
    """Give an object an external key."""

    async def known(name: ByExternalId, object_type: str, thing: Any) -> None:
        await link(
            ExternalId,
            system=name.system,
            kind=name.kind,
            value=name.value,
            object_type=object_type,
            object_id=thing.id,
        )

    return known


@dataclass(frozen=True)
class Commands:
    """Runs one command at a time as one viewer."""

    storage: Any
    viewer: Any

    async def create(self, *, identifier: UUID | None = None, **values: Any) -> Any:
        command = CreateEvent(self.viewer, values, identifier)
        [result] = await self.storage.write(create_events, [command])
        return result

    async def update(self, event_id: UUID, changes: Any = None, **options: Any) -> Any:
        names = {"expected_version", "overrides", "origin"}
        given = {name: value for name, value in options.items() if name not in names}
        rest = {name: value for name, value in options.items() if name in names}
        command = UpdateEvent(self.viewer, ByKey(event_id), {**given, **(changes or {})}, **rest)
        [result] = await self.storage.write(update_events, [command])
        return result

    async def made(self, **values: Any) -> UUID:
        """Create an event that must succeed; return its key."""
        outcome = await self.create(**values)
        assert isinstance(outcome, Outcome), outcome
        return outcome.subject


@pytest.fixture
def commands(storage: Any, viewer: Any) -> Commands:
    return Commands(storage, viewer)


@pytest.fixture
def row_of() -> Callable[..., Any]:
    """Return an event that is not stored, with a key of zeros."""

    def made(**values: Any) -> Any:
        return new_row(Event, **event_row(UUID(int=0), **values))

    return made
