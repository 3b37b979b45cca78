"""What booking and moving work with, whatever the kind.

Everything that a whole batch needs, locked and loaded once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.expiry import expire_overdue
from resolvers.references import Ref, look_up
from resolvers.refusals import EventNotFound, NotFoundRefusal, PermissionRefusal
from resolvers.storage.tables import (
    Candidate,
    CandidateGroup,
    CandidateModule,
    Centre,
    Event,
    EventModule,
    Module,
    Room,
    Test,
    TestModule,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission

FARTHEST_EAST = timedelta(hours=14)
"""How far a clock can be ahead of UTC."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one command names, and who asks.

    `past_time` is the on-demand time of what has already happened, by the clock of any zone.
    """

    viewer: Viewer
    candidate: Ref
    event: Ref | None
    room: Ref | None = None
    module: Ref | None = None
    past_time: datetime | None = None


class Desk:
    """The rows that a batch of bookings and moves needs.

    Locked, table by table in key order: events, rooms, candidates; then the overdue bookings that
    hold a seat there, which are expired before anything is counted.
    """

    def __init__(self, work: UnitOfWork, wanted: Sequence[Wanted]) -> None:
        self._work = work
        self._candidates = look_up(work, Candidate, ((w.viewer, w.candidate) for w in wanted))
        self._events = look_up(work, Event, ((w.viewer, w.event) for w in wanted))
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
        """Of rooms with one name the one at the event's venue.

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
        """The event's modules; one without any has those of its test."""
        own = self._event_modules.get(event.id)
        return own or ([] if event.test_id is None else self._test_modules.get(event.test_id, []))

    def modules_of_candidate(self, candidate_id: UUID) -> list[UUID]:
        return self._candidate_modules.get(candidate_id, [])

    def groups_of_candidate(self, candidate_id: UUID) -> list[UUID]:
        return self._candidate_groups.get(candidate_id, [])

    def zone(self, event: Event, room: Room | None, *, online: bool) -> str:
        """Whose clock a booking goes by: the centre's, online the organization's."""
        if online or room is None:
            return self.settings[event.organization_id].time_zone
        return self._zones.get(room.centre_id, event.time_zone)

    def _lock(self) -> None:
        self.events = loading.lock(self._work, Event, _keys(self._events.rows()))
        own_rooms = (
            (event.organization_id, event.room_id)
            for event in self.events.values()
            if event.room_id is not None
        )
        self.rooms = loading.lock(self._work, Room, chain(_keys(self._rooms.rows()), own_rooms))
        self._locked_candidates = loading.lock(
            self._work, Candidate, _keys(self._candidates.rows())
        )
        everything = (
            *self.events.values(),
            *self.rooms.values(),
            *self._locked_candidates.values(),
        )
        expire_overdue(
            self._work,
            organizations={row.organization_id for row in everything},
            events=list(self.events),
            rooms=list(self.rooms),
            candidates=list(self._locked_candidates),
        )

    def _load(self, organizations: set[UUID], since: datetime) -> None:
        work, events, rooms = self._work, list(self.events.values()), list(self.rooms.values())
        candidates = _keys(self._locked_candidates.values())
        self.settings = loading.settings(work, organizations)
        self.seats = loading.seats(work, events, rooms, since)
        self.diaries = loading.diaries(work, candidates)
        tests = [(e.organization_id, e.test_id) for e in events if e.test_id is not None]
        self._tests = {row.id: row for row in loading.of_keys(work, Test, "id", tests)}
        with_modules = _keys(events)
        self._event_modules = _grouped(
            loading.of_keys(work, EventModule, "event_id", with_modules), "event_id", "module_id"
        )
        self._test_modules = _grouped(
            loading.of_keys(work, TestModule, "test_id", tests), "test_id", "module_id"
        )
        selective = any(
            e.eligibility_configured or e.learner_registration_group_identifier for e in events
        )
        self._candidate_modules = _grouped(
            loading.of_keys(work, CandidateModule, "candidate_id", candidates if selective else []),
            "candidate_id",
            "module_id",
        )
        self._candidate_groups = _grouped(
            loading.of_keys(work, CandidateGroup, "candidate_id", candidates if selective else []),
            "candidate_id",
            "group_id",
        )
        centres = {(room.organization_id, room.centre_id) for room in rooms}
        self._zones: dict[UUID, str] = {
            row.id: row.time_zone for row in loading.of_keys(work, Centre, "id", centres)
        }


def _keys(rows: Iterable[Any]) -> list[tuple[UUID, UUID]]:
    return [(row.organization_id, row.id) for row in rows]


def _grouped(rows: Iterable[Any], by: str, value: str) -> dict[UUID, list[UUID]]:
    grouped: dict[UUID, list[UUID]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, by), []).append(getattr(row, value))
    return grouped


def _earliest(wall_time: datetime) -> datetime:
    """The earliest instant at which a clock somewhere shows a time."""
    first = datetime.min.replace(tzinfo=UTC)
    at = wall_time.replace(tzinfo=UTC)
    return first if at - first < FARTHEST_EAST else at - FARTHEST_EAST
