"""Counts the seats that bookings take and free, in the transaction that writes the bookings.

A change adds to a counter or subtracts from it, so two sessions that change one counter each count
for their own bookings, whichever commits first.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from resolvers.storage.tables import EventSeats, RoomSeats, columns, table
from resolvers.storage.tables.bookings import SEATED

if TYPE_CHECKING:
    from resolvers.storage.unit_of_work import UnitOfWork

COUNTERS: Final[tuple[type[SQLModel], ...]] = (EventSeats, RoomSeats)
TAKEN: Final = "taken"
GIVEN: Final = "given_"
"""Before the name of a column, the name of the parameter with its value."""


class Change(NamedTuple):
    """Rows of one table of counters, with all of its columns.

    `taken`, the last one, is how many seats to add or to subtract.
    """

    model: type[SQLModel]
    rows: list[tuple[Any, ...]]


class SeatCounts:
    """What the bookings that wait to be written change about the counters."""

    def __init__(self) -> None:
        self._changed: tuple[dict[tuple[Any, ...], int], ...] = tuple({} for _ in COUNTERS)

    def take(self, booking: Any) -> None:
        """Count a booking that is written, unless it has no seat."""
        self._change(booking, 1)

    def free(self, booking: Any) -> None:
        """Count a booking no longer, as it was before it is written."""
        self._change(booking, -1)

    def clear(self) -> None:
        """Forget the changes."""
        for changed in self._changed:
            changed.clear()

    def drain(self) -> tuple[list[Change], list[Change]]:
        """What to add and what to subtract, each in the order in which rows are locked."""
        if not any(self._changed):
            return [], []
        added = [*self._changes(1)]
        subtracted = [*self._changes(-1)]
        self.clear()
        return added, subtracted

    def _change(self, booking: Any, by: int) -> None:
        if booking.status not in SEATED:
            return
        at_events, in_rooms = self._changed
        key: tuple[Any, ...]
        if booking.event_id is not None:
            key = booking.organization_id, booking.event_id
            at_events[key] = at_events.get(key, 0) + by
        if booking.room_id is not None:
            times = booking.busy_until_at, booking.start_at
            key = (booking.organization_id, booking.room_id, *times)
            in_rooms[key] = in_rooms.get(key, 0) + by

    def _changes(self, sign: int) -> Iterator[Change]:
        for model, changed in zip(COUNTERS, self._changed, strict=True):
            rows = [
                (*key, sign * count) for key, count in sorted(changed.items()) if sign * count > 0
            ]
            if rows:
                yield Change(model, rows)


def write(work: "UnitOfWork", added: Sequence[Change], subtracted: Sequence[Change]) -> None:
    """Add to counters and subtract from others, each by a statement of its own."""
    for verb, changes in ((_adding_values, added), (_subtracting, subtracted)):
        for model, rows in changes:
            names = [f"{GIVEN}{column.name}" for column in columns(model)]
            given = [dict(zip(names, row, strict=True)) for row in rows]
            work.execute((verb, model), partial(verb, model), given)


def on_conflict_add(model: type[SQLModel]) -> str:
    """What makes an INSERT of counters on PostgreSQL add to those that are there."""
    name, keys = table(model).name, ", ".join(each.name for each in table(model).primary_key)
    return f"ON CONFLICT ({keys}) DO UPDATE SET {TAKEN} = {name}.{TAKEN} + excluded.{TAKEN}"


def _adding_values(model: type[SQLModel], dialect: str) -> sa.Insert:
    insert_into: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = insert_into(table(model)).values(_given(model))
    taken: sa.Insert = insert.on_conflict_do_update(
        index_elements=[*table(model).primary_key],
        set_={TAKEN: columns(model)[TAKEN] + insert.excluded[TAKEN]},
    )
    return taken


def _subtracting(model: type[SQLModel], _: str) -> sa.Update:
    """Subtract from a counter. A CHECK forbids to subtract more than there is."""
    c, given = columns(model), _given(model)
    return (
        table(model)
        .update()
        .where(*(column == given[column.name] for column in table(model).primary_key))
        .values({TAKEN: c[TAKEN] - given[TAKEN]})
    )


def _given(model: type[SQLModel]) -> dict[str, sa.BindParameter[Any]]:
    """The parameter of each column; SQLAlchemy keeps the bare names."""
    return {
        column.name: sa.bindparam(f"{GIVEN}{column.name}", type_=column.type)
        for column in columns(model)
    }
