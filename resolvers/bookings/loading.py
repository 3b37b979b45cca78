"""What the commands of every kind load: seats, diaries, settings.

Statements that fit a whole batch.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.diaries import Diaries
from resolvers.bookings.seats import Seats
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Event,
    Organization,
    Payment,
    Room,
    columns,
    table,
)
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingKind

Keys = Iterable[tuple[UUID, UUID]]
"""Pairs of an organization and a key in it."""


def by_organization(keys: Keys) -> dict[UUID, list[UUID]]:
    """Keys grouped, all in order, so that locks are always taken in the same order."""
    grouped: dict[UUID, list[UUID]] = {}
    for organization_id, key in sorted(set(keys)):
        grouped.setdefault(organization_id, []).append(key)
    return grouped


def lock(work: UnitOfWork, model: type[Any], keys: Keys) -> dict[UUID, Any]:
    """Lock rows of one table in key order; by key, as they are once locked."""
    return {
        row.id: row
        for organization_id, ids in by_organization(keys).items()
        for row in work.lock(model, organization_id, ids)
    }


def settings(work: UnitOfWork, organizations: Iterable[UUID]) -> dict[UUID, Organization]:
    """Each organization with its settings."""
    read: Read[Organization] = Read(
        "settings of organizations",
        lambda _: sa.select(table(Organization)).where(one_of(columns(Organization).id, "keys")),
        {"keys": list(set(organizations))},
    )
    return {row.id: row for row in work.rows(read)}


def of_keys(
    work: UnitOfWork, model: type[Any], column: str, keys: Iterable[tuple[UUID, Any]]
) -> list[Any]:
    """The rows whose `column` is one of the keys, of the organizations that they belong to."""
    pairs = list(keys)
    if not pairs:
        return []
    c = columns(model)
    read: Read[Any] = Read(
        ("of keys", model, column),
        lambda _: sa.select(table(model)).where(
            one_of(c.organization_id, "organizations"), one_of(c[column], "keys")
        ),
        {
            "organizations": list({organization for organization, _ in pairs}),
            "keys": list({key for _, key in pairs}),
        },
    )
    return work.rows(read)


def references_taken(
    work: UnitOfWork, kind: BookingKind, references: Iterable[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Those of the references, each with its organization, that bookings of the kind have."""
    pairs = set(references)
    c = columns(Booking)
    # in the words of the unique index, which agent bookings are not in
    of_kind = sa.text(f"kind <> 'AGENT_BOOKING' AND kind = '{kind.value}'")
    read: Read[Any] = Read(
        ("references taken", kind),
        lambda _: sa.select(c.organization_id, c.reference).where(
            one_of(c.organization_id, "organizations"), of_kind, one_of(c.reference, "references")
        ),
        {
            "organizations": list({organization for organization, _ in pairs}),
            "references": list({reference for _, reference in pairs}),
        },
    )
    return {(row.organization_id, row.reference) for row in work.rows(read)} if pairs else set()


def diaries(work: UnitOfWork, candidates: Keys) -> Diaries:
    """Every booking of these candidates, of any kind."""
    return Diaries(of_keys(work, Booking, "candidate_id", candidates))


def seats(
    work: UnitOfWork, events: Sequence[Event], rooms: Sequence[Room], since: datetime
) -> Seats:
    """What is taken at the events and, from an instant on and at the events' times, in the rooms.

    The rows must be locked before.
    """
    counted = Seats()
    if events:
        taken: Read[Any] = Read(
            "seats taken at events",
            lambda _: _taken_at_events(),
            _keys_of(events),
        )
        for row in work.rows(taken):
            counted.add_event(row.event_id, row.taken)
    if rooms:
        since = min([since, *(event.start_at for event in events if event.start_at is not None)])
        in_rooms: Read[Any] = Read(
            "seats taken in rooms",
            lambda _: _taken_in_rooms(),
            {**_keys_of(rooms), "since": since},
        )
        for row in work.rows(in_rooms):
            counted.add_room(row.room_id, (row.start_at, row.busy_until_at), row.taken)
    return counted


def _keys_of(rows: Sequence[Event] | Sequence[Room]) -> dict[str, Any]:
    return {
        "organizations": list({row.organization_id for row in rows}),
        "keys": [row.id for row in rows],
    }


def _taken_at_events() -> sa.Select[Any]:
    c = columns(Booking)
    return (
        sa.select(c.event_id, sa.func.count().label("taken"))
        .where(
            one_of(c.organization_id, "organizations"),
            one_of(c.event_id, "keys"),
            sa.text(TAKES_A_SEAT),
        )
        .group_by(c.event_id)
    )


def _taken_in_rooms() -> sa.Select[Any]:
    c = columns(Booking)
    return (
        sa.select(c.room_id, c.start_at, c.busy_until_at, sa.func.count().label("taken"))
        .where(
            one_of(c.organization_id, "organizations"),
            one_of(c.room_id, "keys"),
            sa.text(TAKES_A_SEAT),
            c.start_at.is_not(None),
            c.busy_until_at > sa.bindparam("since", type_=c.busy_until_at.type),
        )
        .group_by(c.room_id, c.start_at, c.busy_until_at)
    )


def payments(work: UnitOfWork, bookings: Keys) -> dict[UUID, Payment]:
    """Each booking's payment, where it has one."""
    return {row.booking_id: row for row in of_keys(work, Payment, "booking_id", bookings)}


def accommodations(work: UnitOfWork, bookings: Keys) -> dict[UUID, list[Accommodation]]:
    """Each booking's accommodations."""
    grouped: dict[UUID, list[Accommodation]] = {}
    for row in of_keys(work, Accommodation, "booking_id", bookings):
        grouped.setdefault(row.booking_id, []).append(row)
    return grouped
