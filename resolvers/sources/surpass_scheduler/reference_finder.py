"""What only a number names: found by it, or made the first time that it is seen; section 8.12."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlmodel import SQLModel

from resolvers.bookings import loading
from resolvers.candidates.commands import UpsertDepartment, upsert_departments
from resolvers.centres.commands import UpsertCentre, UpsertRoom, upsert_centres, upsert_rooms
from resolvers.events.commands import CreateEvent, UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.updating import update_events
from resolvers.links import rows_of
from resolvers.references import NAMES, ByExternalId, ByKey, ByReference, Ref, look_up
from resolvers.refusals import EventNotFound
from resolvers.sources.claims import claim, external_ids_of
from resolvers.sources.rows import ImportContext
from resolvers.sources.steps import Names, done
from resolvers.sources.surpass_scheduler.words import (
    DEPARTMENT,
    EVENT,
    MODULE,
    ROOM,
    known_as,
)
from resolvers.storage.tables import (
    Centre,
    Department,
    Event,
    EventModule,
    Module,
    Room,
    TestModule,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.tests.commands import UpsertModule, upsert_modules

Model = TypeVar("Model", bound=SQLModel)

SEATS: Final = 100
"""The seats of a room of which only the number is known."""

IMPORTED: Final = "IMPORTED"
"""The reference of the centre of rooms that nobody named one for."""


class ReferenceFinder:
    """Finds what the source's numbers mean in the importing organization, and makes what is new.

    A department, module or room that has the number for its name already is the one that is meant.
    `names` says where the document has each number.
    """

    def __init__(self, work: UnitOfWork, importing: ImportContext, names: Names) -> None:
        self._work, self._importing, self._names = work, importing, names
        self._viewer, self._organization_id = importing.viewer, importing.organization_id

    @property
    def time_zone(self) -> str:
        """The organization's clock."""
        settings = loading.settings(self._work, [self._organization_id])
        return settings[self._organization_id].time_zone

    def zone_of(self, room: Room | None) -> str:
        """Whose clock counts in a room, and where there is none."""
        if room is None:
            return self.time_zone
        centre: Centre = self._row(Centre, room.centre_id)
        return centre.time_zone

    def department(self, number: int) -> Ref:
        known, name = self._known(Department, known_as(DEPARTMENT, number)), str(number)
        if known is not None:
            return ByKey(known.id)
        named = self._known(Department, ByReference(name))
        command = UpsertDepartment(
            viewer=self._viewer, name=name, external_ids=self._ids(named, DEPARTMENT, number)
        )
        return ByKey(done(upsert_departments(self._work, [command]), self._names).subject)

    def module(self, number: int) -> ByKey:
        known, reference = self._known(Module, known_as(MODULE, number)), str(number)
        if known is not None:
            return ByKey(known.id)
        named = self._known(Module, ByReference(reference))
        command = UpsertModule(
            viewer=self._viewer,
            reference=reference,
            name=reference if named is None else named.name,
            external_ids=self._ids(named, MODULE, number),
        )
        return ByKey(done(upsert_modules(self._work, [command]), self._names).subject)

    def room(self, number: int) -> Room:
        """A new one has 100 seats, and is put under the centre given, else under IMPORTED."""
        known: Room | None = self._known(Room, known_as(ROOM, number))
        if known is not None:
            return known
        centre, name = self._centre(), str(number)
        named = look_up(self._work, Room, [(self._viewer, ByReference(name))]).rows()
        there = next((room for room in named if room.centre_id == centre), None)
        command = UpsertRoom(
            viewer=self._viewer,
            centre=ByKey(centre),
            name=name,
            capacity=SEATS if there is None else there.capacity,
            external_ids=self._ids(there, ROOM, number),
        )
        made: Room = self._row(Room, done(upsert_rooms(self._work, [command]), self._names).subject)
        return made

    def event_at(self, number: int, start_at: datetime, room: Room | None) -> Event:
        """An event that has its own time, at the room's centre."""
        values: dict[str, Any] = {"title": str(number), "start_at": start_at}
        if room is not None:
            values["centre"] = ByKey(room.centre_id)
        return self._event(number) or self._new_event(number, values)

    def event_on_demand(self, number: int, *modules: ByKey) -> Event:
        """An event whose bookings choose their times. It may take place in rooms of any centre."""
        values = {"title": str(number), "on_demand": True, "modules": modules}
        return self._event(number) or self._new_event(number, values)

    def event_for(self, number: int, on_demand_time: datetime | None, *modules: ByKey) -> Event:
        """An event that a body names, with these modules among its own.

        Raises: EventNotFound, for one that is new and has no time to be made with.
        """
        found = self._event(number)
        if found is None and on_demand_time is None:
            raise EventNotFound(*self._names["event"], object_type="Event")
        if found is None:
            return self.event_on_demand(number, *modules)
        self._add_modules(found, modules)
        return found

    def claim(self, type_name: str, key: UUID, *given: ByExternalId) -> bool:
        """Make external ids an object's; whether any is new to it.

        Raises: Refused (AlreadyExists, at the place of `externalIds`), if one is another object's.
        """
        return claim(self._work, self._organization_id, type_name, key, given, self._names)

    def _event(self, number: int) -> Event | None:
        found: Event | None = self._known(Event, known_as(EVENT, number))
        return found

    def _add_modules(self, event: Event, modules: Sequence[ByKey]) -> None:
        owner = (self._organization_id, event.id)
        have = {row.module_id for row in rows_of(self._work, EventModule, "event_id", [owner])}
        if not have and event.test_id is not None:
            test = (self._organization_id, event.test_id)
            have = {row.module_id for row in rows_of(self._work, TestModule, "test_id", [test])}
        wanted = have | {module.key for module in modules}
        if wanted != have:
            changes = {"modules": [ByKey(key) for key in sorted(wanted)]}
            command = UpdateEvent(self._viewer, ByKey(event.id), changes)
            done(update_events(self._work, [command]), self._names)

    def _new_event(self, number: int, values: dict[str, Any]) -> Event:
        made = done(create_events(self._work, [CreateEvent(self._viewer, values)]), self._names)
        self.claim(NAMES[Event][0], made.subject, known_as(EVENT, number))
        event: Event = self._row(Event, made.subject)
        return event

    def _centre(self) -> UUID:
        given = self._importing.centre
        if isinstance(given, ByKey):
            return given.key
        found = self._known(Centre, ByReference(IMPORTED))
        if found is not None:
            key: UUID = found.id
            return key
        command = UpsertCentre(
            viewer=self._viewer, reference=IMPORTED, name="Imported", time_zone=self.time_zone
        )
        return done(upsert_centres(self._work, [command]), self._names).subject

    def _known(self, model: type[Model], *refs: Ref) -> Any:
        """The row that the first of these names means that means any."""
        found = look_up(self._work, model, [(self._viewer, ref) for ref in refs])
        rows = (found.first(self._viewer, ref) for ref in refs)
        return next((row for row in rows if row is not None), None)

    def _row(self, model: type[Model], key: UUID) -> Any:
        return self._known(model, ByKey(key))

    def _ids(self, row: Any, kind: str, number: int) -> tuple[ByExternalId, ...]:
        """The source's number beside the external ids that a row has: an upsert replaces them."""
        return (*external_ids_of(self._work, self._organization_id, row), known_as(kind, number))
