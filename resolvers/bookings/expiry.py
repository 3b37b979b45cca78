"""Unpaid bookings lapse.

The seat is released once the clock has passed what they had to be paid by.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.actions import is_overdue
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.loading import Keys, lock
from resolvers.changes import THE_CLOCK, record_booking
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, ChangeType

AT_ONCE = 500


def expire_overdue(
    work: UnitOfWork,
    *,
    organizations: Iterable[UUID],
    events: Sequence[UUID] = (),
    rooms: Sequence[UUID] = (),
    candidates: Sequence[UUID] = (),
) -> None:
    """Expire what is overdue at these events, in these rooms or of these candidates."""
    places: dict[str, Any] = {"events": events, "rooms": rooms, "candidates": candidates}
    expire(work, overdue_at(work, organizations=organizations, **places))


def overdue_at(
    work: UnitOfWork,
    *,
    organizations: Iterable[UUID],
    events: Sequence[UUID] = (),
    rooms: Sequence[UUID] = (),
    candidates: Sequence[UUID] = (),
) -> Keys:
    """The keys of what is overdue at these events, in these rooms or of these candidates."""
    found: Read[Any] = Read(
        "overdue here",
        lambda _: _overdue_here(),
        {
            "now": work.now,
            "organizations": list(set(organizations)),
            "events": list(events),
            "rooms": list(rooms),
            "candidates": list(candidates),
        },
    )
    return [(row.organization_id, row.id) for row in work.rows(found)]


def overdue_anywhere(work: UnitOfWork) -> Keys:
    """The keys of at most 500 overdue bookings of all organizations, oldest first."""
    read: Read[Any] = Read("overdue anywhere", lambda _: _overdue_anywhere(), {"now": work.now})
    return [(row.organization_id, row.id) for row in work.rows(read)]


def expire(work: UnitOfWork, keys: Keys) -> list[Booking]:
    """Expire those of the bookings that are overdue once locked; as they are afterwards."""
    return _expire(work, lock(work, Booking, keys).values())


def lock_current(work: UnitOfWork, keys: Keys) -> dict[UUID, Booking]:
    """Lock bookings, and expire those that are overdue; by key, as they are then."""
    locked = lock(work, Booking, keys)
    locked.update((booking.id, booking) for booking in _expire(work, locked.values()))
    return locked


def _expire(work: UnitOfWork, locked: Iterable[Booking]) -> list[Booking]:
    versions = []
    for booking in locked:
        if is_overdue(booking, work.now):
            after = changed(
                booking,
                status=BookingStatus.EXPIRED,
                lapses_at=None,
                version=booking.version + 1,
                updated_at=work.now,
            )
            versions.append((booking, after))
    work.save(Booking, versions)
    for before, after in versions:
        facts = kind_of(after).facts
        record_booking(
            work,
            ChangeType.EXPIRED,
            THE_CLOCK,
            before=before,
            after=after,
            facts_before=facts(before),
            facts_after=facts(after),
        )
    return [after for _, after in versions]


def _overdue() -> sa.Select[Any]:
    c = columns(Booking)
    return sa.select(c.organization_id, c.id).where(
        sa.text("status = 'PENDING'"), c.lapses_at < sa.bindparam("now", type_=c.lapses_at.type)
    )


def _overdue_here() -> sa.Select[Any]:
    c = columns(Booking)
    return _overdue().where(
        one_of(c.organization_id, "organizations"),
        sa.or_(
            one_of(c.event_id, "events"),
            one_of(c.room_id, "rooms"),
            one_of(c.candidate_id, "candidates"),
        ),
    )


def _overdue_anywhere() -> sa.Select[Any]:
    return _overdue().order_by(columns(Booking).lapses_at).limit(sa.literal_column(str(AT_ONCE)))
