"""The rows: a deterministic world of candidates, events and enrolments, the same on each database.

Every event and every enrolment has a start, and none ever lapses, so that what a query answers
depends neither on the day nor on the gateway's background work.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import SQLModel

from resolvers.enrolments.facts import enrolment_facts
from resolvers.registrations.facts import registration_facts
from resolvers.searching import search_text
from resolvers.storage.rows import new_row
from resolvers.storage.tables import (
    Booking,
    Candidate,
    Centre,
    ChangeLog,
    Enrolment,
    Event,
    LogPosition,
    Module,
    NumberSeries,
    Organization,
    Payment,
    Registration,
    Room,
    Subject,
    Test,
    TestModule,
)
from resolvers.vocabulary import (
    BookingKind,
    BookingStatus,
    CancellationReason,
    ChangeType,
    DeliveryMode,
    EnrolmentResult,
    EventKind,
    PaymentMethod,
    PaymentResponsibility,
    PaymentStatus,
)

SEED: Final = "booking gateway"
MADE_AT: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
FIRST_DAY: Final = datetime(2031, 1, 6)  # noqa: DTZ001 - a wall time, and long enough from now
DAYS: Final = 700
NEVER: Final = datetime(2099, 1, 1, tzinfo=UTC)
"""When what is not paid lapses: after every benchmark."""

ZONES: Final = ("Europe/London", "Europe/Berlin", "Asia/Tokyo", "America/New_York", "Asia/Kolkata")
FIRST_NAMES: Final = (
    *("Ada", "Zoë", "Łukasz", "Anne Marie", "Óscar", "Mei", "Noor", "Søren", "Priya", "John"),
    *("Thanh", "Ελένη", "Иван", "Amélie", "Kwame", "Yuki", "Fatima", "Björn", "Inês", "Sam"),
)
LAST_NAMES: Final = (
    *("Lovelace", "O'Brien", "Müller", "García", "Nguyễn", "Smith", "Kowalski", "Tanaka"),
    *("Okafor", "Papadopoulou", "Иванов", "Silva", "Andersson", "Patel", "Dubois", "Haddad"),
)
SUBJECTS: Final = (
    "Anatomy",
    "Algebra",
    "Botany",
    "Chemistry",
    "Law",
    "Music",
    "Physics",
    "Zoology",
)
EXAM_TYPES: Final = ("Class", "Final", "Mock", "Resit", "Practical")
PUBLICATION: Final = ("Published", "Published", "Withheld", None)
CLASSES: Final = 2_000
"""How many class codes the events have; in turn, as they have the types and the publication."""

STATUSES: Final = {
    BookingStatus.CONFIRMED: 60,
    BookingStatus.COMPLETED: 20,
    BookingStatus.CANCELLED: 10,
    BookingStatus.PENDING: 5,
    BookingStatus.NO_SHOW: 2,
    BookingStatus.EXPIRED: 3,
}
"""How many enrolments in a hundred stand where."""

CALLED_OFF: Final = {
    BookingStatus.CANCELLED: CancellationReason.WITHDRAWN,
    BookingStatus.NO_SHOW: CancellationReason.ABSENT,
    BookingStatus.EXPIRED: CancellationReason.PAYMENT_NOT_RECEIVED,
}
PAID: Final = (
    {"responsibility": PaymentResponsibility.ORGANIZATION, "status": PaymentStatus.NOT_REQUIRED},
    {
        "responsibility": PaymentResponsibility.CANDIDATE,
        "status": PaymentStatus.PAID,
        "method": PaymentMethod.CARD,
        "cost_amount": Decimal("85.50"),
        "cost_currency": "GBP",
    },
)
UNPAID: Final = {**PAID[1], "status": PaymentStatus.PENDING, "due_by": NEVER}
ADDRESS: Final = {"line1": "2 High Street", "city": "York", "country": "GB"}

Rows = dict[type[SQLModel], list[Any]]


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are of each kind."""

    candidates: int = 50_000
    events: int = 2_000
    enrolments: int = 100_000
    registrations: int = 0
    centres: int = 40
    rooms: int = 200
    tests: int = 60
    seats: int = 200
    """At each event and in each room."""


class _Keys:
    """UUIDv7s: each sorts after the one before it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._milliseconds = int(MADE_AT.timestamp() * 1000)

    def __call__(self) -> UUID:
        self._milliseconds += 1
        high = (self._milliseconds << 16) | (7 << 12) | self._chance.getrandbits(12)
        return UUID(int=(high << 64) | (2 << 62) | self._chance.getrandbits(62))


class _World:
    """The rows as they are made, table by table."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.chance = random.Random(SEED)  # noqa: S311 - the same numbers at every run
        self.key = _Keys(self.chance)
        self.rows: Rows = {}
        self.organization_id = self.key()
        self.zones = {zone: ZoneInfo(zone) for zone in ZONES}
        self.subject_of_test: dict[UUID, UUID] = {}

    def add(self, model: type[SQLModel], **values: Any) -> Any:
        row = new_row(model, **values)
        self.rows.setdefault(model, []).append(row)
        return row

    def own(self, model: type[SQLModel], **values: Any) -> Any:
        """A row of the organization, with a key unless it is given one."""
        key = values.pop("id", None) or self.key()
        return self.add(model, organization_id=self.organization_id, id=key, **values)

    def some(self, model: type[SQLModel]) -> Any:
        return self.chance.choice(self.rows[model])


def rows_of(size: Size) -> Rows:
    """Every row of the world of that size, by table; those that are referred to come first."""
    world = _World(size)
    _organization(world)
    _places(world)
    _tests(world)
    _candidates(world)
    _events(world)
    for number, (event, candidate) in enumerate(_pairs(world), start=1):
        _enrolment(world, number, event, candidate)
    for number in range(size.registrations):
        _registration(world, number)
    return world.rows


def organization_id() -> UUID:
    """The key of the world's only organization, whatever its size."""
    return _World(Size()).organization_id


def _organization(world: _World) -> None:
    key, enrolments = world.organization_id, world.size.enrolments
    world.add(
        Organization,
        id=key,
        name="Benchmark Exams",
        time_zone="Europe/London",
        currency="GBP",
        created_at=MADE_AT,
    )
    world.add(LogPosition, organization_id=key, position=enrolments + world.size.registrations)
    world.add(NumberSeries, organization_id=key, name="enrolment", next=enrolments + 1)


def _places(world: _World) -> None:
    for n in range(world.size.centres):
        name = f"Test centre {n + 1:02}"
        world.own(
            Centre,
            reference=f"C{n + 1:03}",
            name=name,
            search_text=f"{name} C{n + 1:03}".casefold(),
            time_zone=ZONES[n % len(ZONES)],
            city="York",
            country="GB",
            address=ADDRESS,
        )
    for n in range(world.size.rooms):
        centre = world.rows[Centre][n % world.size.centres]
        world.own(Room, centre_id=centre.id, name=f"Room {n + 1}", capacity=world.size.seats)


def _tests(world: _World) -> None:
    for name in SUBJECTS:
        reference = name[:3].upper()
        world.own(
            Subject, reference=reference, name=name, search_text=f"{name} {reference}".casefold()
        )
    for n in range(world.size.tests):
        subject, reference = world.some(Subject), f"T{n + 1:03}"
        name = f"{subject.name}, paper {n + 1}"
        test = world.own(
            Test,
            reference=reference,
            name=name,
            search_text=f"{name} {reference}".casefold(),
            subject_id=subject.id,
            duration_minutes=world.chance.choice((60, 90, 120, 180)),
            default_language="en",
            languages=["en"],
        )
        world.subject_of_test[test.id] = subject.id
        module = world.own(Module, reference=f"M{n + 1:03}", name=f"Module {n + 1}")
        world.add(
            TestModule,
            organization_id=world.organization_id,
            test_id=test.id,
            module_id=module.id,
        )


def _candidates(world: _World) -> None:
    for n in range(world.size.candidates):
        first, last = world.chance.choice(FIRST_NAMES), world.chance.choice(LAST_NAMES)
        reference = f"P{n + 1:06}"
        world.own(
            Candidate,
            reference=reference,
            first_names=first,
            last_name=last,
            search_text=search_text(f"{first} {last}", reference),
            email=f"candidate.{n + 1}@example.org",
            telephone=f"+44 20 7946 {n % 10_000:04}",
            date_of_birth=datetime(1970 + n % 35, 1 + n % 12, 1 + n % 28, tzinfo=UTC).date(),
            nationality="GB",
            address=ADDRESS,
        )


def _events(world: _World) -> None:
    centres = {centre.id: centre for centre in world.rows[Centre]}
    for n in range(world.size.events):
        room, test = world.some(Room), world.some(Test)
        zone = centres[room.centre_id].time_zone
        day = FIRST_DAY + timedelta(days=world.chance.randrange(DAYS))
        local = day.replace(hour=world.chance.randrange(8, 18), minute=30 * (n % 2))
        start = local.replace(tzinfo=world.zones[zone]).astimezone(UTC)
        world.own(
            Event,
            identifier=world.key(),
            number=n + 1,
            kind=EventKind.EXAM,
            title=f"{test.name}, sitting {n + 1}",
            exam_type=EXAM_TYPES[n % 7 % len(EXAM_TYPES)],
            publication_status=PUBLICATION[n % 11 % len(PUBLICATION)],
            class_code=f"CL{n % CLASSES:04}",
            venue_id=room.centre_id,
            room_id=room.id,
            test_id=test.id,
            time_zone=zone,
            start_at=start,
            local_start=local,
            end_at=start + timedelta(minutes=test.duration_minutes),
            duration_minutes=test.duration_minutes,
            capacity_maximum=world.size.seats,
            last_change_time=MADE_AT,
        )


def _pairs(world: _World) -> Iterator[tuple[Any, Any]]:
    """Who books where, in the order of the bookings; nobody books the same event twice."""
    seen: set[tuple[UUID, UUID]] = set()
    while len(seen) < world.size.enrolments:
        event, candidate = world.some(Event), world.some(Candidate)
        if (event.id, candidate.id) not in seen:
            seen.add((event.id, candidate.id))
            yield event, candidate


def _enrolment(world: _World, number: int, event: Any, candidate: Any) -> None:
    [status] = world.chance.choices(list(STATUSES), list(STATUSES.values()))
    made_at = MADE_AT + timedelta(seconds=120 * number, microseconds=number % 7)
    booking = world.own(
        Booking,
        kind=BookingKind.ENROLMENT,
        reference=f"ENR-{number}",
        status=status,
        candidate_id=candidate.id,
        centre_id=event.venue_id,
        room_id=event.room_id,
        event_id=event.id,
        test_id=event.test_id,
        subject_id=world.subject_of_test[event.test_id],
        lapses_at=NEVER if status is BookingStatus.PENDING else None,
        created_at=made_at,
        updated_at=made_at,
        created_by_name="scheduler",
        **_when(event),
        **_called_off(status, made_at),
    )
    enrolment = world.own(
        Enrolment,
        id=booking.id,
        delivery=DeliveryMode.IN_PERSON,
        attempt_number=world.chance.choice((1, 1, 1, 2)),
        result=EnrolmentResult.PASS if status is BookingStatus.COMPLETED else None,
    )
    payment = world.own(
        Payment,
        booking_id=booking.id,
        reference=world.key(),
        **(UNPAID if status is BookingStatus.PENDING else PAID[number % 2]),
    )
    _change(world, number, booking, enrolment_facts(booking, enrolment, payment))


def _registration(world: _World, number: int) -> None:
    """Somebody's, at some event."""
    event = world.some(Event)
    candidate = world.some(Candidate)
    position = world.size.enrolments + number + 1
    made_at = MADE_AT + timedelta(seconds=120 * position, microseconds=number % 7)
    identifier = world.key()
    booking = world.own(
        Booking,
        kind=BookingKind.REGISTRATION,
        reference=f"REG-{identifier.hex}",
        status=BookingStatus.CONFIRMED,
        candidate_id=candidate.id,
        centre_id=event.venue_id,
        room_id=event.room_id,
        event_id=event.id,
        test_id=event.test_id,
        subject_id=world.subject_of_test[event.test_id],
        created_at=made_at,
        updated_at=made_at,
        created_by_name="scheduler",
        **_when(event),
    )
    registration = world.own(Registration, id=booking.id, identifier=identifier)
    _change(world, position, booking, registration_facts(booking, registration))


def _when(event: Any) -> dict[str, Any]:
    return {
        "time_zone": event.time_zone,
        "local_start": event.local_start,
        "local_end": event.local_start + timedelta(minutes=event.duration_minutes),
        "start_at": event.start_at,
        "end_at": event.end_at,
        "busy_until_at": event.end_at,
        "duration_minutes": event.duration_minutes,
    }


def _called_off(status: BookingStatus, at: datetime) -> dict[str, Any]:
    reason = CALLED_OFF.get(status)
    if reason is None:
        return {}
    return {"cancel_reason": reason, "cancelled_at": at, "cancelled_by_name": "scheduler"}


def _change(world: _World, position: int, booking: Any, facts: dict[str, Any]) -> None:
    """The booking's own entry in the log: that it was made."""
    world.own(
        ChangeLog,
        position=position,
        at=booking.created_at,
        actor_name="scheduler",
        changed_fields=list(facts),
        after=facts,
        version=1,
        booking_type=ChangeType.CREATED,
        booking_id=booking.id,
        kind=booking.kind,
        **{name: getattr(booking, name) for name in LOGGED},
    )


LOGGED: Final = (
    *("event_id", "room_id", "reference", "candidate_id", "created_at", "status", "centre_id"),
    *("test_id", "subject_id", "start_at", "updated_at", "accommodation_count"),
)
"""The columns of a booking that its entries in the log repeat."""
