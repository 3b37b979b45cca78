"""Finds the schedules that a batch of commands names, by id or by keycode, and locks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.checks import find
from resolvers.references import Lookup, Ref
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Organization, TestSchedule
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer


class ScheduleCommand(Protocol):
    """A command that names a schedule."""

    @property
    def viewer(self) -> Viewer: ...
    @property
    def test_schedule(self) -> Ref: ...


@dataclass(slots=True)
class LockedSchedules:
    """The schedules of a batch, as they are once locked; kept up to date while it works."""

    lookup: Lookup[Any]
    bookings: dict[UUID, Booking]
    schedules: dict[UUID, TestSchedule]
    settings: dict[UUID, Organization]

    def one(self, viewer: Viewer, ref: Ref) -> Booking:
        """Raises: NotFoundRefusal (also for one that the viewer may not see), Invalid."""
        return find(self.lookup, self.bookings, viewer, ref, "test_schedule")


def find_schedules(
    work: UnitOfWork, commands: Sequence[ScheduleCommand], *, deleted: bool = False
) -> LockedSchedules:
    """`deleted`: also by the keycode that a deleted one had."""
    lookup: Lookup[TestSchedule] = Lookup(
        TestSchedule, ((c.viewer, c.test_schedule) for c in commands)
    )
    rows = [(group, row) for group, read in lookup.reads() for row in work.rows(read)]
    if deleted:
        rows += [
            (group, changed(row, keycode=row.deleted_keycode))
            for group, read in lookup.reads_by("deleted_keycode")
            for row in work.rows(read)
        ]
    lookup.found(rows)
    keys = [(row.organization_id, row.id) for row in lookup.rows()]
    bookings = loading.lock(work, Booking, keys)
    schedules = {row.id: row for row in loading.of_keys(work, TestSchedule, "id", keys)}
    settings = loading.settings(work, {c.viewer.organization_id for c in commands})
    return LockedSchedules(lookup, bookings, schedules, settings)
