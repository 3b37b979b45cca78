"""Looks up the references of a batch together: centres, rooms, tests and modules."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.bookings import loading
from resolvers.events.commands import Values
from resolvers.references import Ref, look_up
from resolvers.refusals import Invalid, PermissionRefusal, ValidationErrors
from resolvers.storage.tables import Centre, Event, Module, Room, Test
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccessScope, Permission

SCOPE_PATHS = {AccessScope.CENTRE: ("centre",), AccessScope.SUBJECT: ("test",)}


@frozen
class Choice:
    """The place and the test of an event. `modules` are its own."""

    centre: Centre | None = None
    room: Room | None = None
    test: Test | None = None
    modules: frozenset[UUID] = frozenset()

    def columns(self) -> dict[str, Any]:
        return {
            "venue_id": None if self.centre is None else self.centre.id,
            "room_id": None if self.room is None else self.room.id,
            "test_id": None if self.test is None else self.test.id,
        }


def lock_tests(work: UnitOfWork, wanted: Sequence[tuple[Viewer, Values]]) -> None:
    """Lock the referenced tests before any event, so that an event that starts to follow a test
    cannot miss a new duration. `upsertTest` locks in the same order.
    """
    named = [(viewer, values.get("test")) for viewer, values in wanted]
    if any(ref is not None for _, ref in named):
        found = look_up(work, Test, named).rows()
        loading.lock(work, Test, [(row.organization_id, row.id) for row in found])


class Choices:
    """The rows that a batch refers to; also the present places and tests of `events`."""

    def __init__(
        self,
        work: UnitOfWork,
        wanted: Sequence[tuple[Viewer, Values]],
        events: Iterable[Event] = (),
    ) -> None:
        def named(name: str) -> list[tuple[Viewer, Ref | None]]:
            return [(viewer, values.get(name)) for viewer, values in wanted]

        self._named_centres = look_up(work, Centre, named("centre"))
        self._rooms = look_up(work, Room, named("room"))
        self._tests = look_up(work, Test, named("test"))
        self._modules = look_up(work, Module, _modules_of(wanted))
        self._load_present(work, list(events))

    def _load_present(self, work: UnitOfWork, events: list[Event]) -> None:
        """Load, by key, the events' rows, the referenced rows, and the referenced rooms'
        centres.
        """
        rooms = _keys(events, "room_id")
        self.rooms: dict[UUID, Room] = {
            room.id: room for room in loading.of_keys(work, Room, "id", rooms)
        }
        self.rooms.update({room.id: room for room in self._rooms.rows()})
        centres = {*_keys(events, "venue_id"), *_keys(self._rooms.rows(), "centre_id")}
        self.centres: dict[UUID, Centre] = {
            centre.id: centre for centre in loading.of_keys(work, Centre, "id", centres)
        }
        self.centres.update({centre.id: centre for centre in self._named_centres.rows()})
        tests = loading.of_keys(work, Test, "id", _keys(events, "test_id"))
        self.tests: dict[UUID, Test] = {test.id: test for test in [*tests, *self._tests.rows()]}

    def named_rooms(self) -> list[Room]:
        return self._rooms.rows()

    def present(self, event: Event, modules: frozenset[UUID]) -> Choice:
        """Return the present place and test of an event."""
        return Choice(
            centre=None if event.venue_id is None else self.centres[event.venue_id],
            room=None if event.room_id is None else self.rooms[event.room_id],
            test=None if event.test_id is None else self.tests[event.test_id],
            modules=modules,
        )

    def chosen(
        self, viewer: Viewer, values: Values, present: Choice, validation: ValidationErrors
    ) -> Choice:
        """Return an event's place and test with these values; omitted ones keep the present values.

        A room without a centre implies its centre. If only the centre is given, the event keeps its
        room if that is at the centre. Refusals: NotFoundRefusal, AmbiguousReference, Invalid,
        OutOfRange.
        """
        centre, test = present.centre, present.test
        if "centre" in values:
            centre = validation.of(self._centre, viewer, values["centre"])
        if "test" in values:
            test = validation.of(self._test, viewer, values["test"])
        if values.get("room") is None:
            leaves = "room" in values or (
                present.room is not None and (centre is None or present.room.centre_id != centre.id)
            )
            room = None if leaves else present.room
        else:
            room = validation.of(self._room, viewer, values["room"], centre)
            if centre is None and room is not None:
                centre = self.centres[room.centre_id]
        modules = present.modules
        if "modules" in values:
            modules = self._chosen_modules(viewer, values["modules"] or (), validation)
        return Choice(centre, room, test, modules)

    def _centre(self, viewer: Viewer, ref: Ref | None) -> Centre | None:
        """Raises: NotFoundRefusal, AmbiguousReference, Invalid."""
        if ref is None:
            return None
        return self._named_centres.one(viewer, ref, "centre")

    def _test(self, viewer: Viewer, ref: Ref | None) -> Test | None:
        """Raises: NotFoundRefusal, AmbiguousReference, Invalid."""
        if ref is None:
            return None
        return self._tests.one(viewer, ref, "test")

    def _room(self, viewer: Viewer, ref: Ref, centre: Centre | None) -> Room:
        """Return the room; of several rooms with the name, the one at the centre.

        Raises: NotFoundRefusal, AmbiguousReference, Invalid.
        """
        path = ("room",)
        room = self._rooms.one(
            viewer,
            ref,
            *path,
            prefer=lambda room: centre is not None and room.centre_id == centre.id,
        )
        if centre is not None and room.centre_id != centre.id:
            raise Invalid(*path, rule="is not at the centre")
        return room

    def _chosen_modules(
        self, viewer: Viewer, refs: Sequence[Ref], validation: ValidationErrors
    ) -> frozenset[UUID]:
        found = [
            validation.of(self._modules.one, viewer, ref, "modules", str(n))
            for n, ref in enumerate(refs)
        ]
        keys = frozenset(module.id for module in found if module is not None)
        validation.of(checks.size, list(keys), "modules", most=checks.PLAIN_LIST)
        return keys


def require_in_scope(viewer: Viewer, choice: Choice, *path: str) -> None:
    """Require the event's centre and its test's subject in the viewer's scope.

    Raises: PermissionRefusal.
    """
    missing = viewer.scope.missing(
        centre_id=None if choice.centre is None else choice.centre.id,
        subject_id=None if choice.test is None else choice.test.subject_id,
        candidate_id=viewer.scope.candidate,
    )
    if missing is not None:
        where = path or SCOPE_PATHS.get(missing, ())
        raise PermissionRefusal(*where, required=Permission.MANAGE_EVENTS, missing_scope=missing)


def _modules_of(wanted: Iterable[tuple[Viewer, Values]]) -> list[tuple[Viewer, Ref]]:
    return [(viewer, ref) for viewer, values in wanted for ref in values.get("modules") or ()]


def _keys(rows: Iterable[Any], column: str) -> set[tuple[UUID, UUID]]:
    keys = {(row.organization_id, getattr(row, column)) for row in rows}
    return {(organization_id, key) for organization_id, key in keys if key is not None}
