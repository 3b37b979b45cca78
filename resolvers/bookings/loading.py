"""Loads what the commands of every kind need: seats, candidates' schedules, settings.

Each statement serves a whole batch.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from resolvers.bookings.candidate_schedules import ENTRY, CandidateSchedules
from resolvers.bookings.seats import Seats, Span
from resolvers.storage.columns import LAST_OF_ROWS, KeyList, RoomTime, one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Event,
    EventSeats,
    Organization,
    Payment,
    Room,
    RoomSeats,
    columns,
    table,
)
from resolvers.storage.unit_of_work import UnitOfWork, locked, locking
from resolvers.vocabulary import BookingKind

Keys = Iterable[tuple[UUID, UUID]]
"""Pairs of an organization and a key in it."""


def by_organization(keys: Keys) -> dict[UUID, list[UUID]]:
    """Group keys by organization, in order, so that locks are always taken in the same order."""
    grouped: dict[UUID, list[UUID]] = {}
    for organization_id, key in sorted(set(keys)):
        grouped.setdefault(organization_id, []).append(key)
    return grouped


def keys_of(rows: Iterable[Any]) -> list[tuple[UUID, UUID]]:
    """Return the keys of rows, each with its organization."""
    return [(row.organization_id, row.id) for row in rows]


def gather(work: UnitOfWork, **reads: Read[Any] | None) -> dict[str, list[Any]]:
    """Return the rows of each read by name, in few round trips; none for None."""
    given = {name: read for name, read in reads.items() if read is not None}
    rows = work.rows_of_all(list(given.values())) if given else []
    return {**{name: [] for name in reads}, **dict(zip(given, rows, strict=True))}


def lock(work: UnitOfWork, model: type[Any], keys: Keys) -> dict[UUID, Any]:
    """Lock rows of one table in key order, and return the locked rows by key."""
    return {
        row.id: row
        for organization_id, ids in by_organization(keys).items()
        for row in work.lock(model, organization_id, ids)
    }


def read_locking(model: type[Any], keys: Keys) -> Read[Any] | None:
    """Return a read that locks the rows of all keys in one statement; None without keys."""
    pairs = list(keys)
    return locking(model, pairs) if pairs else None


def read_locking_rooms(rooms: Keys, of_events: Keys) -> Read[Any] | None:
    """Return a read that locks rooms, and the rooms that events have when the statement starts."""
    pairs, events = list(rooms), list(of_events)
    if not events:
        return read_locking(Room, pairs)
    r, e = columns(Room), columns(Event)

    def build(dialect: str) -> sa.Select[Any]:
        own = sa.select(e.room_id).where(
            one_of(e.organization_id, "organizations"), one_of(e.id, "events")
        )
        wanted: Any = sa.or_(one_of(r.id, "keys"), r.id.in_(own))
        if dialect == "postgresql":
            # a single array: with an OR, the planner would read every room
            given = sa.cast(sa.bindparam("keys", type_=KeyList(r.id.type)), ARRAY(r.id.type))
            both = sa.union_all(own, sa.select(sa.func.unnest(given)))
            wanted = r.id == sa.any_(sa.func.array(both.scalar_subquery()))
        return locked(
            sa.select(table(Room)).where(one_of(r.organization_id, "organizations"), wanted),
            Room,
            dialect,
        )

    return Read(
        "lock rooms of events",
        build,
        {
            "organizations": list({organization_id for organization_id, _ in (*pairs, *events)}),
            "keys": [key for _, key in pairs],
            "events": [key for _, key in events],
        },
    )


def settings(work: UnitOfWork, organizations: Iterable[UUID]) -> dict[UUID, Organization]:
    """Return the organizations by key, with their settings."""
    return {row.id: row for row in work.rows(settings_of(organizations))}


def settings_of(organizations: Iterable[UUID]) -> Read[Organization]:
    """Return a read of the organizations with their settings."""
    return Read(
        "settings of organizations",
        lambda _: sa.select(table(Organization)).where(one_of(columns(Organization).id, "keys")),
        {"keys": list(set(organizations))},
    )


def of_keys(
    work: UnitOfWork, model: type[Any], column: str, keys: Iterable[tuple[UUID, Any]]
) -> list[Any]:
    """Return the rows whose `column` is one of the keys, in the keys' organizations."""
    read = read_of_keys(model, column, keys)
    return [] if read is None else work.rows(read)


def read_of_keys(
    model: type[Any], column: str, keys: Iterable[tuple[UUID, Any]]
) -> Read[Any] | None:
    """As `of_keys`; None without keys."""
    pairs = list(keys)
    if not pairs:
        return None
    c = columns(model)
    return Read(
        ("of keys", model, column),
        lambda _: sa.select(table(model)).where(
            one_of(c.organization_id, "organizations"), one_of(c[column], "keys")
        ),
        {
            "organizations": list({organization for organization, _ in pairs}),
            "keys": list({key for _, key in pairs}),
        },
    )


def references_taken(
    work: UnitOfWork, kind: BookingKind, references: Iterable[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Return those of the references, each with its organization, that bookings of the kind use."""
    pairs = set(references)
    c = columns(Booking)
    # the text of the unique index's condition, which excludes agent bookings
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


def read_candidate_schedules(
    candidates: Keys, select: Callable[[], sa.Select[Any]] | None = None
) -> Read[Booking] | None:
    """Return a read of every booking of these candidates for their schedules; None without
    candidates.

    `select` makes the statement, from `select_candidate_schedules`.
    """
    pairs = list(candidates)
    if not pairs:
        return None
    make = select or select_candidate_schedules
    return Read(
        ("candidate_schedules", make),
        lambda _: make(),
        {
            "organizations": list({organization for organization, _ in pairs}),
            "keys": list({key for _, key in pairs}),
        },
    )


def select_candidate_schedules() -> sa.Select[Any]:
    """Select the columns of bookings for candidates' schedules."""
    c = columns(Booking)
    return sa.select(*(c[name] for name in ENTRY)).where(
        one_of(c.organization_id, "organizations"), one_of(c.candidate_id, "keys")
    )


def candidate_schedules(work: UnitOfWork, candidates: Keys) -> CandidateSchedules:
    """Return every booking of these candidates, of any kind."""
    return CandidateSchedules(of_keys(work, Booking, "candidate_id", candidates))


def seats_at_events(events: Sequence[Event]) -> Read[Any] | None:
    """Read the number of seats that are `taken` at each event. The events must be locked."""
    if not events:
        return None
    return Read("seats taken at events", lambda _: _taken_at_events(), _keys_of(events))


def seats_in_rooms(
    rooms: Sequence[Room],
    events: Sequence[Event],
    since: datetime,
    windows: Mapping[UUID, Span] | None = None,
) -> Read[Any] | None:
    """Read the number of seats that are `taken` in each room at each time, from an instant on.

    The events' times are included. For a room with a window, only counters that overlap the window
    are needed. The rooms must be locked.
    """
    if not rooms:
        return None
    since = min([since, *(event.start_at for event in events if event.start_at is not None)])
    values = {**_keys_of(rooms), "since": since}
    if not windows:
        return Read("seats taken in rooms", lambda _: _taken_in_rooms(), values)
    spans = [windows.get(room.id, (since, LAST_OF_ROWS)) for room in rooms]
    values |= {
        "starts": [start for start, _ in spans],
        "ends": [end for _, end in spans],
        "windows": [(room.id, *span) for room, span in zip(rooms, spans, strict=True)],
    }
    return Read(
        "seats taken in rooms at times",
        lambda dialect: _taken_in_windows() if dialect == "postgresql" else _taken_in_json(),
        values,
    )


def counted(
    at_events: Iterable[Any], in_rooms: Iterable[Any], windows: Mapping[UUID, Span] | None = None
) -> Seats:
    """Return the taken seats, from the rows of both reads."""
    seats = Seats(windows)
    for row in at_events:
        seats.add_event(row.event_id, row.taken)
    for row in in_rooms:
        seats.add_room(row.room_id, (row.start_at, row.busy_until_at), row.taken)
    return seats


def seats(
    work: UnitOfWork, events: Sequence[Event], rooms: Sequence[Room], since: datetime
) -> Seats:
    """Return the seats taken at the events and, from an instant on and at the events' times, in the
    rooms.

    The rows must already be locked.
    """
    found = gather(
        work,
        at_events=seats_at_events(events),
        in_rooms=seats_in_rooms(rooms, events, since),
    )
    return counted(found["at_events"], found["in_rooms"])


def _keys_of(rows: Sequence[Event] | Sequence[Room]) -> dict[str, Any]:
    return {
        "organizations": list({row.organization_id for row in rows}),
        "keys": [row.id for row in rows],
    }


def _taken_at_events() -> sa.Select[Any]:
    c = columns(EventSeats)
    return sa.select(c.event_id, c.taken).where(
        one_of(c.organization_id, "organizations"), one_of(c.event_id, "keys")
    )


def _taken_in_rooms() -> sa.Select[Any]:
    c = columns(RoomSeats)
    return sa.select(c.room_id, c.start_at, c.busy_until_at, c.taken).where(
        one_of(c.organization_id, "organizations"),
        one_of(c.room_id, "keys"),
        c.busy_until_at > sa.bindparam("since", type_=c.busy_until_at.type),
        c.taken > sa.literal_column("0"),
    )


def _taken_in_windows() -> sa.Select[Any]:
    """One index lookup for each window, whatever the number of counters."""
    c = columns(RoomSeats)
    kinds = {"room_id": c.room_id.type, "starts": c.start_at.type, "ends": c.start_at.type}
    given = zip(("keys", "starts", "ends"), kinds.values(), strict=True)
    arrays = [sa.cast(sa.bindparam(name, type_=KeyList(kind)), ARRAY(kind)) for name, kind in given]
    windows = sa.func.unnest(*arrays).table_valued(*kinds, name="windows").render_derived()
    seats = (
        sa.select(c.room_id, c.start_at, c.busy_until_at, c.taken)
        .where(
            one_of(c.organization_id, "organizations"),
            c.room_id == windows.c.room_id,
            c.start_at < windows.c.ends,
            c.busy_until_at > windows.c.starts,
            c.taken > sa.literal_column("0"),
        )
        .offset(sa.literal_column("0"))  # without it, the planner would prefer a join
        .lateral("seats")
    )
    return sa.select(*seats.c).join_from(windows, seats, sa.true())


def _taken_in_json() -> sa.Select[Any]:
    """As `_taken_in_windows`, on SQLite. Counters of later times are skipped inside the index."""
    c = columns(RoomSeats)
    kinds = {"room_id": c.room_id.type, "starts": c.start_at.type, "ends": c.start_at.type}
    given = sa.func.json_each(sa.bindparam("windows", type_=KeyList(RoomTime())))
    value = given.table_valued("value").c.value
    parts = [
        sa.type_coerce(sa.func.json_extract(value, sa.literal_column(f"'$[{n}]'")), kind)
        for n, kind in enumerate(kinds.values())
    ]
    named = [part.label(name) for part, name in zip(parts, kinds, strict=True)]
    # without MATERIALIZED, SQLite reads the JSON again for each counter
    windows = sa.select(*named).cte("windows").prefix_with("MATERIALIZED")
    return (
        sa.select(c.room_id, c.start_at, c.busy_until_at, c.taken)
        .select_from(windows)
        .join(
            table(RoomSeats),
            sa.and_(
                one_of(c.organization_id, "organizations"),
                c.room_id == windows.c.room_id,
                c.start_at < windows.c.ends,
                c.busy_until_at > windows.c.starts,
                c.taken > sa.literal_column("0"),
            ),
        )
    )


def payments(work: UnitOfWork, bookings: Keys) -> dict[UUID, Payment]:
    """Return the payments by booking."""
    return {row.booking_id: row for row in of_keys(work, Payment, "booking_id", bookings)}


def accommodations(work: UnitOfWork, bookings: Keys) -> dict[UUID, list[Accommodation]]:
    """Return the accommodations by booking."""
    grouped: dict[UUID, list[Accommodation]] = {}
    for row in of_keys(work, Accommodation, "booking_id", bookings):
        grouped.setdefault(row.booking_id, []).append(row)
    return grouped
