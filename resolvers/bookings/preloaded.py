"""The preloaded batch: all rows that booking and moving need, locked and loaded once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.bookings.expiry import expire, overdue
from resolvers.bookings.seats import Span, span_of_event
from resolvers.references import Lookup, Ref, look_up
from resolvers.refusals import EventNotFound, NotFoundRefusal, PermissionRefusal
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Booking,
    Candidate,
    CandidateGroup,
    CandidateModule,
    Centre,
    Event,
    EventModule,
    Module,
    Organization,
    Room,
    Test,
    TestModule,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission

FARTHEST_EAST = timedelta(hours=14)
"""How far a clock can be ahead of UTC."""


@frozen
class BookingRefs:
    """The references of one command, and its viewer.

    `past_time` is the on-demand time of an import, as a wall time in any zone.
    """

    viewer: Viewer
    candidate: Ref
    event: Ref | None
    room: Ref | None = None
    module: Ref | None = None
    past_time: datetime | None = None


class PreloadedBatch:
    """The rows that a batch of bookings and moves needs.

    Locked, table by table in key order: events, rooms, candidates; then the overdue bookings that
    have a seat there, which are expired before seats are counted.
    """

    def __init__(
        self,
        work: UnitOfWork,
        wanted: Sequence[BookingRefs],
        *,
        at_event_times: bool = False,
        read_candidate_schedules: Callable[
            [loading.Keys], Read[Any] | None
        ] = loading.read_candidate_schedules,
    ) -> None:
        """`at_event_times`: each seat at an event with a fixed time lasts as long as the event.

        The event's room is then counted for that time only. `read_candidate_schedules` makes the
        read of the candidates' bookings from the candidates' keys; `entries` are its rows.
        """
        self._work = work
        self._read_candidate_schedules = read_candidate_schedules
        self._at_event_times = at_event_times
        self._candidates = Lookup(Candidate, ((w.viewer, w.candidate) for w in wanted))
        self._events = Lookup(Event, _given((w.viewer, w.event) for w in wanted))
        self._rooms = look_up(work, Room, ((w.viewer, w.room) for w in wanted))
        self._modules = look_up(work, Module, ((w.viewer, w.module) for w in wanted))
        self._lock()
        times = [w.past_time for w in wanted if w.past_time is not None]
        since = min([work.now, *(_earliest(time) for time in times)])
        self._load({w.viewer.organization_id for w in wanted}, since)

    def candidate(
        self,
        viewer: Viewer,
        ref: Ref,
        *path: str,
        missing: type[NotFoundRefusal] = NotFoundRefusal,
    ) -> Candidate:
        """Raises: NotFoundRefusal or the given kind of it, AmbiguousReference, Invalid."""
        return self._candidates.one(viewer, ref, *path, missing=missing)

    def event(self, viewer: Viewer, ref: Ref, permission: Permission, *path: str) -> Event:
        """Raises: EventNotFound, AmbiguousReference, Invalid, PermissionRefusal (out of scope)."""
        found = self._events.one(viewer, ref, *path, missing=EventNotFound)
        return self.in_scope(viewer, self.events[found.id], permission, *path)

    def in_scope(self, viewer: Viewer, event: Event, permission: Permission, *path: str) -> Event:
        """Raises: PermissionRefusal."""
        test = self.test_of(event)
        missing = viewer.scope.missing(
            centre_id=event.venue_id,
            subject_id=None if test is None else test.subject_id,
            candidate_id=viewer.scope.candidate,
        )
        if missing is not None:
            raise PermissionRefusal(*path, required=permission, missing_scope=missing)
        return event

    def room(self, viewer: Viewer, ref: Ref | None, event: Event | None, *path: str) -> Room | None:
        """Return the room; of several rooms with the name, the one at the event's centre.

        Raises: NotFoundRefusal, AmbiguousReference, Invalid.
        """
        if ref is None:
            return None
        found = self._rooms.one(
            viewer,
            ref,
            *path,
            prefer=lambda room: event is not None and room.centre_id == event.venue_id,
        )
        room: Room = self.rooms[found.id]
        return room

    def module(self, viewer: Viewer, ref: Ref | None, *path: str) -> Module | None:
        """Raises: NotFoundRefusal, AmbiguousReference, Invalid."""
        return None if ref is None else self._modules.one(viewer, ref, *path)

    def test_of(self, event: Event) -> Test | None:
        return None if event.test_id is None else self._tests.get(event.test_id)

    def modules_of(self, event: Event) -> list[UUID]:
        """Return the event's modules, or else those of its test."""
        own = self._event_modules.get(event.id)
        return own or ([] if event.test_id is None else self._test_modules.get(event.test_id, []))

    def modules_of_candidate(self, candidate_id: UUID) -> list[UUID]:
        return self._candidate_modules.get(candidate_id, [])

    def groups_of_candidate(self, candidate_id: UUID) -> list[UUID]:
        return self._candidate_groups.get(candidate_id, [])

    def zone(self, event: Event, room: Room | None, *, online: bool) -> str:
        """Return a booking's time zone: the centre's, or the organization's if it is online."""
        if online or room is None:
            return self.settings[event.organization_id].time_zone
        centre = self._centres.get(room.centre_id)
        return event.time_zone if centre is None else centre.time_zone

    def related(self, booking: Booking) -> dict[type, Any]:
        """Return the rows that a booking refers to, if the batch has read them; by table."""
        named: tuple[tuple[type, Mapping[Any, Any], Any], ...] = (
            (Candidate, self._locked_candidates, booking.candidate_id),
            (Event, self.events, booking.event_id),
            (Room, self.rooms, booking.room_id),
            (Centre, self._centres, booking.centre_id),
            (Test, self._tests, booking.test_id),
        )
        return {table: rows[key] for table, rows, key in named if key in rows}

    def _lock(self) -> None:
        """Lock the events, the rooms and the candidates, in this order."""
        work = self._work
        events, candidates = self._keys(self._events), self._keys(self._candidates)
        rooms = loading.keys_of(self._rooms.rows())
        locked = loading.gather(
            work,
            events=loading.read_locking(Event, events),
            rooms=loading.read_locking_rooms(rooms, of_events=events),
            candidates=loading.read_locking(Candidate, candidates),
        )
        self.events = _by_key(locked["events"])
        self.rooms = _by_key(locked["rooms"])
        self._locked_candidates = _by_key(locked["candidates"])
        # an event's room may have changed before the event was locked
        self.rooms |= loading.lock(
            work,
            Room,
            [
                (event.organization_id, event.room_id)
                for event in self.events.values()
                if event.room_id is not None and event.room_id not in self.rooms
            ],
        )
        for lookup, rows in (
            (self._events, self.events),
            (self._candidates, self._locked_candidates),
        ):
            if lookup.keys() is not None:
                lookup.found_by_key(rows)

    def _keys(self, lookup: Lookup[Any]) -> list[tuple[UUID, UUID]]:
        """Return the keys of the references. Keys that are given are not read before they are
        locked.
        """
        keys = lookup.keys()
        if keys is None:
            lookup.read(self._work)
            keys = loading.keys_of(lookup.rows())
        return keys

    def _load(self, organizations: set[UUID], since: datetime) -> None:
        work, events, rooms = self._work, list(self.events.values()), list(self.rooms.values())
        keys = loading.keys_of(self._locked_candidates.values())
        tests = [(e.organization_id, e.test_id) for e in events if e.test_id is not None]
        selective = any(
            e.eligibility_configured or e.learner_registration_group_identifier for e in events
        )
        everything = (*events, *rooms, *self._locked_candidates.values())
        windows = self._windows() if self._at_event_times else {}
        bookings = {
            "at_events": loading.seats_at_events(events),
            "in_rooms": loading.seats_in_rooms(rooms, events, since, windows),
            "entries": self._read_candidate_schedules(keys),
        }
        found = loading.gather(
            work,
            overdue=overdue(
                work.now,
                organizations={row.organization_id for row in everything},
                events=list(self.events),
                rooms=list(self.rooms),
                candidates=list(self._locked_candidates),
            ),
            settings=loading.settings_of(organizations),
            tests=loading.read_of_keys(Test, "id", tests),
            event_modules=loading.read_of_keys(EventModule, "event_id", loading.keys_of(events)),
            test_modules=loading.read_of_keys(TestModule, "test_id", tests),
            centres=loading.read_of_keys(
                Centre, "id", {(room.organization_id, room.centre_id) for room in rooms}
            ),
            candidate_modules=loading.read_of_keys(
                CandidateModule, "candidate_id", keys if selective else []
            ),
            candidate_groups=loading.read_of_keys(
                CandidateGroup, "candidate_id", keys if selective else []
            ),
            **bookings,
        )
        if found["overdue"]:
            expire(work, loading.keys_of(found["overdue"]))
            found |= loading.gather(work, **bookings)
        self.settings: dict[UUID, Organization] = _by_key(found["settings"])
        self.seats = loading.counted(found["at_events"], found["in_rooms"], windows)
        self.entries = found["entries"]
        self.candidate_schedules = CandidateSchedules(self.entries)
        self._tests = _by_key(found["tests"])
        self._event_modules = _grouped(found["event_modules"], "event_id", "module_id")
        self._test_modules = _grouped(found["test_modules"], "test_id", "module_id")
        self._candidate_modules = _grouped(found["candidate_modules"], "candidate_id", "module_id")
        self._candidate_groups = _grouped(found["candidate_groups"], "candidate_id", "group_id")
        self._centres: dict[UUID, Centre] = _by_key(found["centres"])

    def _windows(self) -> dict[UUID, Span]:
        """Return the times at which seats in each event's room may be needed; none for rooms also
        named.
        """
        anytime = {room.id for room in self._rooms.rows()}
        windows: dict[UUID, Span] = {}
        for event in self.events.values():
            if event.room_id is None:
                continue
            span = span_of_event(event)
            if span is None:
                anytime.add(event.room_id)
                continue
            start, end = windows.get(event.room_id, span)
            windows[event.room_id] = min(start, span[0]), max(end, span[1])
        return {room_id: span for room_id, span in windows.items() if room_id not in anytime}


def _given(names: Iterable[tuple[Viewer, Ref | None]]) -> Iterable[tuple[Viewer, Ref]]:
    return ((viewer, ref) for viewer, ref in names if ref is not None)


def _by_key(rows: Iterable[Any]) -> dict[UUID, Any]:
    return {row.id: row for row in rows}


def _grouped(rows: Iterable[Any], by: str, value: str) -> dict[UUID, list[UUID]]:
    grouped: dict[UUID, list[UUID]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, by), []).append(getattr(row, value))
    return grouped


def _earliest(wall_time: datetime) -> datetime:
    """Return the earliest instant at which any clock shows a wall time."""
    first = datetime.min.replace(tzinfo=UTC)
    at = wall_time.replace(tzinfo=UTC)
    return first if at - first < FARTHEST_EAST else at - FARTHEST_EAST
