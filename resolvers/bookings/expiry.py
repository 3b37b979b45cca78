"""Expires unpaid bookings: after the payment deadline, the seat is released."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.actions import is_overdue
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.loading import Keys, keys_of, lock
from resolvers.bookings.versions import next_version
from resolvers.changes import THE_CLOCK, record_booking
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Organization, columns, table
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
    """Expire the overdue bookings at these events, in these rooms or of these candidates."""
    expire(
        work,
        overdue_at(
            work, organizations=organizations, events=events, rooms=rooms, candidates=candidates
        ),
    )


def overdue_at(
    work: UnitOfWork,
    *,
    organizations: Iterable[UUID],
    events: Sequence[UUID] = (),
    rooms: Sequence[UUID] = (),
    candidates: Sequence[UUID] = (),
) -> Keys:
    """Return the keys of the overdue bookings at these events, in these rooms or of these
    candidates.
    """
    found = overdue(
        work.now, organizations=organizations, events=events, rooms=rooms, candidates=candidates
    )
    return keys_of(work.rows(found))


def overdue(
    now: datetime,
    *,
    organizations: Iterable[UUID],
    events: Sequence[UUID] = (),
    rooms: Sequence[UUID] = (),
    candidates: Sequence[UUID] = (),
) -> Read[Any]:
    """Return the overdue bookings at these events, in these rooms or of these candidates.

    Each row has the booking's `organization_id` and `id`.
    """
    return Read(
        "overdue here",
        lambda _: _overdue_here(),
        {
            "now": now,
            "organizations": list(set(organizations)),
            "events": list(events),
            "rooms": list(rooms),
            "candidates": list(candidates),
        },
    )


def organizations_with_overdue(now: datetime) -> Read[Any]:
    """Return the `id` of each organization with an overdue booking."""

    def build(_: str) -> sa.Select[Any]:
        organization_id = columns(Organization).id
        # a scalar subquery is one index lookup for each organization, whatever the planner
        # estimates for the number of bookings
        first = (
            _overdue(columns(Booking).lapses_at)
            .where(columns(Booking).organization_id == organization_id)
            .order_by(columns(Booking).lapses_at)
            .limit(sa.literal_column("1"))
            .correlate(table(Organization))
            .scalar_subquery()
        )
        return sa.select(organization_id).where(first.is_not(None)).order_by(organization_id)

    return Read("organizations with overdue bookings", build, {"now": now})


def overdue_in(work: UnitOfWork, organizations: Iterable[UUID] | None) -> Keys:
    """Return the keys of at most 500 overdue bookings, oldest first; None means every organization.

    On PostgreSQL, the rows are locked. Rows that another session has locked are skipped.
    """
    everywhere = organizations is None
    read: Read[Any] = Read(
        ("overdue in organizations", everywhere),
        lambda dialect: _overdue_in(dialect, everywhere=everywhere),
        {"now": work.now, **({} if everywhere else {"organizations": list(organizations or ())})},
    )
    return [(row.organization_id, row.id) for row in work.rows(read)]


def expire(work: UnitOfWork, keys: Keys) -> list[Booking]:
    """Expire the bookings that are overdue once locked, and return their new versions."""
    return _expire(work, lock(work, Booking, keys).values())


def lock_current(work: UnitOfWork, keys: Keys) -> dict[UUID, Booking]:
    """Lock bookings, expire the overdue ones, and return all of them by key."""
    locked = lock(work, Booking, keys)
    locked.update((booking.id, booking) for booking in _expire(work, locked.values()))
    return locked


def _expire(work: UnitOfWork, locked: Iterable[Booking]) -> list[Booking]:
    versions = []
    for booking in locked:
        if is_overdue(booking, work.now):
            after = next_version(
                booking,
                work.now,
                status=BookingStatus.EXPIRED,
                lapses_at=None,
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


def _overdue(*selected: Any) -> sa.Select[Any]:
    c = columns(Booking)
    return sa.select(*selected).where(
        sa.text("status = 'PENDING'"), c.lapses_at < sa.bindparam("now", type_=c.lapses_at.type)
    )


def _overdue_here() -> sa.Select[Any]:
    c = columns(Booking)
    return _overdue(c.organization_id, c.id).where(
        one_of(c.organization_id, "organizations"),
        sa.or_(
            one_of(c.event_id, "events"),
            one_of(c.room_id, "rooms"),
            one_of(c.candidate_id, "candidates"),
        ),
    )


def _overdue_in(dialect: str, *, everywhere: bool) -> sa.Select[Any]:
    c = columns(Booking)
    statement = (
        _overdue(c.organization_id, c.id)
        .order_by(c.lapses_at)
        .limit(sa.literal_column(str(AT_ONCE)))
    )
    if not everywhere:
        statement = statement.where(one_of(c.organization_id, "organizations"))
    if dialect != "postgresql":
        return statement
    return statement.with_for_update(key_share=True, skip_locked=True)
