"""Finds the schedules that a batch of commands names, by id or by keycode, and locks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.bookings.checks import find
from resolvers.checks import can_be_kept
from resolvers.references import ByReference, Lookup, Ref
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Organization, TestSchedule, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Viewer


class Naming(Protocol):
    """A command that names a schedule."""

    @property
    def viewer(self) -> Viewer: ...
    @property
    def test_schedule(self) -> Ref: ...


@dataclass(slots=True)
class Found:
    """The schedules of a batch, as they are once locked; kept up to date while it works."""

    lookup: Lookup[Any]
    bookings: dict[UUID, Booking]
    schedules: dict[UUID, TestSchedule]
    settings: dict[UUID, Organization]

    def one(self, viewer: Viewer, ref: Ref) -> Booking:
        """Raises: NotFoundRefusal (also for one that the viewer may not see), Invalid."""
        return find(self.lookup, self.bookings, viewer, ref, "input", "testSchedule")


def find_schedules(work: UnitOfWork, commands: Sequence[Naming], *, deleted: bool = False) -> Found:
    """`deleted`: also by the keycode that a deleted one had."""
    names = [(c.viewer.organization_id, c.test_schedule) for c in commands]
    lookup: Lookup[TestSchedule] = Lookup(TestSchedule, names)
    rows = [row for read in lookup.reads() for row in work.rows(read)]
    if deleted:
        rows += _deleted(work, names)
    lookup.found(rows)
    keys = [(row.organization_id, row.id) for row in lookup.rows()]
    bookings = loading.lock(work, Booking, keys)
    schedules = {row.id: row for row in loading.of_keys(work, TestSchedule, "id", keys)}
    settings = loading.settings(work, {organization_id for organization_id, _ in names})
    return Found(lookup, bookings, schedules, settings)


def _deleted(work: UnitOfWork, names: Sequence[tuple[UUID, Ref]]) -> list[TestSchedule]:
    """Deleted schedules under the keycodes that they had."""
    keycodes = {ref.reference for _, ref in names if isinstance(ref, ByReference)}
    if not keycodes:
        return []
    c = columns(TestSchedule)
    read: Read[TestSchedule] = Read(
        "deleted schedules by keycode",
        lambda _: sa.select(table(TestSchedule)).where(
            one_of(c.organization_id, "organizations"), one_of(c.deleted_keycode, "keycodes")
        ),
        {
            "organizations": list({organization_id for organization_id, _ in names}),
            "keycodes": [code for code in keycodes if can_be_kept(code)],
        },
    )
    return [changed(row, keycode=row.deleted_keycode) for row in work.rows(read)]
