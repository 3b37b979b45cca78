"""Rules that prevent changes to a centre or a room: its events, its bookings, its size."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers import checks
from resolvers.bookings.loading import seats
from resolvers.links import Link, count_linked
from resolvers.refusals import CapacityBelowTaken, Invalid, OutOfRange, Refusal
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Event, Room, columns, table
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded
from resolvers.upserts import Change, PartContext, Rule

FOREVER = datetime.max.replace(tzinfo=UTC)

CENTRE_ROOMS = Link(Room, "centre_id", "id")


class ZoneInUse(Rule):
    """A centre's time zone cannot change while it has events or bookings that are not over."""

    def __init__(self, loading: PartContext) -> None:
        wanted: dict[tuple[UUID, str], set[str]] = {}
        for one in loading.asked:
            of = (one.command.viewer.organization_id, folded(one.command.reference))
            wanted.setdefault(of, set()).add(one.command.time_zone)
        centres = [
            row
            for row in loading.rows
            if wanted.get((row.organization_id, folded(row.reference)), set()) - {row.time_zone}
        ]
        self._in_use = _in_use(loading.work, centres) if centres else set()

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        if change.before is None or change.before.time_zone == change.after.time_zone:
            return []
        if change.owner[1] not in self._in_use:
            return []
        rule = "cannot change while the centre has events or bookings that are not over"
        return [Invalid("time_zone", rule=rule)]


class RoomsOfCentre(Rule):
    """The number of a centre's rooms is limited, because a centre has a plain list of them."""

    def __init__(self, loading: PartContext) -> None:
        centres = {
            (one.command.viewer.organization_id, one.one["centre_id"]) for one in loading.asked
        }
        self._sizes = count_linked(loading.work, CENTRE_ROOMS, centres)

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        centre = (change.owner[0], change.after.centre_id)
        if change.before is not None or self._sizes[centre] < checks.PLAIN_LIST:
            return []
        return [OutOfRange("centre", rule=f"already has {checks.PLAIN_LIST} rooms")]

    def take(self, change: Change[Any, Any]) -> bool:
        if change.before is None:
            self._sizes[change.owner[0], change.after.centre_id] += 1
        return False


class SeatsTaken(Rule):
    """A room's capacity cannot fall below the seats taken at any time from now on. Its row is
    locked.
    """

    def __init__(self, loading: PartContext) -> None:
        self._from_now = (loading.work.now, FOREVER)
        least = min((one.command.capacity for one in loading.asked), default=0)
        lowered = [row for row in loading.rows if row.capacity > least]
        self._seats = seats(loading.work, [], lowered, loading.work.now)

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        before, after = change.before, change.after
        if before is None or after.capacity >= before.capacity:
            return []
        taken = self._seats.peak(before.id, self._from_now)
        if taken <= after.capacity:
            return []
        return [CapacityBelowTaken("capacity", capacity=after.capacity, taken=taken)]


def _in_use(work: UnitOfWork, centres: Iterable[Any]) -> set[UUID]:
    """Return the centres that have events or bookings that are not over, with two statements."""
    organizations, keys = zip(*((row.organization_id, row.id) for row in centres), strict=True)
    values = {"organizations": list(set(organizations)), "keys": list(keys), "now": work.now}
    events: Read[Any] = Read("centres with events", lambda _: _with_events(), values)
    bookings: Read[Any] = Read("centres with bookings", lambda _: _with_bookings(), values)
    return {row.centre_id for read in (events, bookings) for row in work.rows(read)}


def _with_events() -> sa.Select[Any]:
    """Select centres with events that are not over; an event without a start never is."""
    c = columns(Event)
    end = sa.func.coalesce(c.end_at, c.start_at)
    return (
        sa.select(c.venue_id.label("centre_id"))
        .distinct()
        .select_from(table(Event))
        .where(
            one_of(c.organization_id, "organizations"),
            one_of(c.venue_id, "keys"),
            c.cancelled_at.is_(None),
            sa.or_(c.start_at.is_(None), end > sa.bindparam("now", type_=c.start_at.type)),
        )
    )


def _with_bookings() -> sa.Select[Any]:
    c = columns(Booking)
    end = sa.func.coalesce(c.closes_at, c.busy_until_at, c.end_at, c.start_at)
    return (
        sa.select(c.centre_id)
        .distinct()
        .where(
            one_of(c.organization_id, "organizations"),
            one_of(c.centre_id, "keys"),
            sa.text(TAKES_A_SEAT),
            sa.or_(end.is_(None), end > sa.bindparam("now", type_=c.start_at.type)),
        )
    )
