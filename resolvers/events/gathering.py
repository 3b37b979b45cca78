"""The rows for a batch of updates of events, locked and loaded once."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.seats import takes_seat
from resolvers.events.choices import Choice, Choices, lock_tests
from resolvers.events.commands import UpdateEvent
from resolvers.events.moving import BookingMove
from resolvers.links import Link, Owner, linked, save_links
from resolvers.references import Ref, look_up
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Candidate,
    Event,
    EventModule,
    Payment,
    Room,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingStatus

MODULES = Link(EventModule, "event_id", "module_id")

MOVING = frozenset(
    {
        "start_at",
        "given_end_at",
        "exam_duration_in_minutes",
        "duration_quantity",
        "duration_unit",
        "on_demand",
        "centre",
        "room",
        "test",
    }
)
"""The fields whose change may move an event's bookings."""


class Expire(Protocol):
    """Expires overdue bookings at these events, in these rooms or of these candidates."""

    def __call__(
        self,
        work: UnitOfWork,
        *,
        organizations: Iterable[UUID],
        events: Sequence[UUID],
        rooms: Sequence[UUID],
        candidates: Sequence[UUID],
    ) -> None: ...


class UpdateBatch:
    """The rows that a batch of updates needs, updated during the batch.

    Locked, table by table in key order: the referenced tests, events, their rooms and the
    referenced ones, the candidates and the bookings of events that may move.
    """

    def __init__(self, work: UnitOfWork, commands: Sequence[UpdateEvent], expire: Expire) -> None:
        self._work = work
        names = ((c.viewer, c.event) for c in commands)
        self._names = look_up(work, Event, names)
        lock_tests(work, [(c.viewer, c.changes) for c in commands])
        self.events: dict[UUID, Event] = loading.lock(work, Event, _keys(self._names.rows()))
        moving = self._moving(commands)
        found = loading.of_keys(work, Booking, "event_id", _keys(moving))
        self._lock_rooms(commands, found)
        self._lock_bookings(found, expire)
        self._load(commands)
        self._events_before = dict(self.events)
        self._modules_before = dict(self._modules)
        self._bookings_before: dict[UUID, Booking] = {}
        self._bookings_after: dict[UUID, Booking] = {}
        self._granted_before = dict(self._granted)
        self._payments_before = dict(self._payments)

    def event(self, viewer: Viewer, ref: Ref, *path: str) -> Event:
        """Raises: NotFoundRefusal, AmbiguousReference, Invalid."""
        return self.events[self._names.one(viewer, ref, *path).id]

    def choice(self, event: Event) -> Choice:
        """Return the present place and test of the event."""
        return self.choices.present(event, self._modules[event.organization_id, event.id])

    def bookings(self, event: Event) -> list[Booking]:
        """Return the event's live bookings, by key; none if the batch cannot move the event."""
        live = self._live.get(event.id, {})
        return [live[key] for key in sorted(live)]

    def granted(self, booking: Booking) -> list[Accommodation]:
        """Return the accommodations of a live booking."""
        return self._granted.get(booking.id, [])

    def payment(self, booking: Booking) -> Payment | None:
        """Return the pending payment of a live booking, or None."""
        return self._payments.get(booking.id)

    def change(self, event: Event, choice: Choice, moved: Sequence[BookingMove]) -> None:
        """Store newer versions in memory; `write` writes them."""
        self.events[event.id] = event
        self._modules[event.organization_id, event.id] = choice.modules
        for one in moved:
            self._live[event.id][one.after.id] = one.after
            self._bookings_before.setdefault(one.before.id, one.before)
            self._bookings_after[one.after.id] = one.after
            self._granted[one.after.id] = [after for _, after in one.accommodations]
            if one.payment is not None:
                self._payments[one.after.id] = one.payment[1]

    def write(self) -> None:
        """Write the difference between the loaded rows and their newest versions."""
        work, after = self._work, self.events
        work.save(Event, [(before, after[key]) for key, before in self._events_before.items()])
        save_links(work, MODULES, self._modules_before, self._modules)
        bookings = self._bookings_before.items()
        work.save(Booking, [(before, self._bookings_after[key]) for key, before in bookings])
        accommodations = (
            zip(before, self._granted[key], strict=True)
            for key, before in self._granted_before.items()
        )
        work.save(Accommodation, chain.from_iterable(accommodations))
        payments = self._payments_before.items()
        work.save(Payment, [(before, self._payments[key]) for key, before in payments])

    def _moving(self, commands: Sequence[UpdateEvent]) -> list[Event]:
        """Return the events with a command in the batch that may move them."""
        found = (
            self._names.first(c.viewer, c.event)
            for c in commands
            if not MOVING.isdisjoint(c.changes)
        )
        return list({event.id: event for event in found if event is not None}.values())

    def _lock_rooms(self, commands: Sequence[UpdateEvent], found: Sequence[Booking]) -> None:
        wanted = [(c.viewer, c.changes) for c in commands]
        self.choices = Choices(self._work, wanted, self.events.values())
        keys = {
            *_keys(self.choices.named_rooms()),
            *_column(self.events.values(), "room_id"),
            *_column(found, "room_id"),
        }
        self.rooms: dict[UUID, Room] = loading.lock(self._work, Room, keys)

    def _lock_bookings(self, found: Sequence[Booking], expire: Expire) -> None:
        """Lock the live bookings, after their candidates, and load the candidates' schedules."""
        live = [booking for booking in found if takes_seat(booking)]
        candidates = set(_column(live, "candidate_id"))
        locked: Mapping[UUID, Any] = loading.lock(self._work, Candidate, candidates)
        expire(
            self._work,
            organizations={event.organization_id for event in self.events.values()},
            events=list(self.events),
            rooms=list(self.rooms),
            candidates=list(locked),
        )
        self._live: dict[UUID, dict[UUID, Booking]] = {}
        for booking in loading.lock(self._work, Booking, _keys(live)).values():
            if takes_seat(booking) and booking.event_id in self.events:
                self._live.setdefault(booking.event_id, {})[booking.id] = booking
        self.candidate_schedules = loading.candidate_schedules(self._work, candidates)
        everything = [booking for live in self._live.values() for booking in live.values()]
        with_some = [booking for booking in everything if booking.accommodation_count]
        self._granted = loading.accommodations(self._work, _keys(with_some))
        unpaid = [booking for booking in everything if booking.status is BookingStatus.PENDING]
        self._payments = loading.payments(self._work, _keys(unpaid))

    def _load(self, commands: Sequence[UpdateEvent]) -> None:
        work, events = self._work, list(self.events.values())
        self.settings = loading.settings(work, {event.organization_id for event in events})
        self._modules: dict[Owner, frozenset[UUID]] = linked(work, MODULES, _keys(events))
        starts = [start for c in commands if (start := c.changes.get("start_at")) is not None]
        starts += [
            booking.start_at
            for live in self._live.values()
            for booking in live.values()
            if booking.start_at is not None
        ]
        since = min([work.now, *starts])
        self.seats = loading.seats(work, events, list(self.rooms.values()), since)


def _keys(rows: Iterable[Any]) -> list[Owner]:
    return [(row.organization_id, row.id) for row in rows]


def _column(rows: Iterable[Any], column: str) -> list[Owner]:
    keys = ((row.organization_id, getattr(row, column)) for row in rows)
    return [(organization_id, key) for organization_id, key in keys if key is not None]
