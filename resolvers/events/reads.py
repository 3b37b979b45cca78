"""Reads of events and of the rows linked to them.

Events are visible to every viewer of the organization with READ.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.seats import peak
from resolvers.events.filters import event_narrowing
from resolvers.events.minute import a_minute_after
from resolvers.events.rules import SeatsFacts, seats, span_of_event
from resolvers.reading import (
    ORGANIZATION,
    count_of,
    count_of_each,
    first_of_each,
    of_organization,
    page_of,
    rows_by,
)
from resolvers.storage import paging
from resolvers.storage.columns import one_of
from resolvers.storage.filters import NO_FILTER, AllOf, Condition, Filter, Operator
from resolvers.storage.narrowing import UNRESTRICTED
from resolvers.storage.paging import Ordering, PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Event,
    EventModule,
    EventSeats,
    Module,
    Room,
    RoomSeats,
    TestModule,
    columns,
    table,
)
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventSortField, SortDirection

CENTRE = "venue_id"
MOST_ON_A_DATE = 1000

SORT_TERMS: dict[EventSortField, tuple[str, type, bool]] = {
    EventSortField.START: ("start_at", datetime, True),
    EventSortField.END: ("end_at", datetime, True),
    EventSortField.NUMBER: ("number", int, True),
    EventSortField.TITLE: ("sort_key", str, False),
    EventSortField.LAST_CHANGE_TIME: ("last_change_time", datetime, False),
}
"""The column of each sort field, its type, and whether it may be null."""

BY_START = ((EventSortField.START, SortDirection.ASC),)


def ordering_of(sort: Sequence[tuple[EventSortField, SortDirection]] | None) -> Ordering:
    """Return the order of a list of events; by default by start, ascending."""
    return paging.ordering_of("events", SORT_TERMS, sort or BY_START)


def events_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Event]:
    return rows_by(Event, "id", viewer, keys, UNRESTRICTED)


def events_page(viewer: Viewer, page: PageRequest, filter: Filter, *, now: datetime) -> Read[Event]:
    """Return a page of the organization's events, in an order of `ordering_of`."""
    return page_of(Event, viewer, page, event_narrowing(viewer, filter, now))


def events_count(viewer: Viewer, filter: Filter, *, now: datetime) -> Read[Any]:
    """Count the events that match a filter, as `total`."""
    return count_of(Event, viewer, event_narrowing(viewer, filter, now))


def events_of_centres(
    viewer: Viewer,
    keys: Sequence[UUID],
    page: PageRequest,
    filter: Filter = NO_FILTER,
    *,
    now: datetime,
) -> Read[Event]:
    """Return the page's events of each centre, whose key is in `venue_id`."""
    narrowing = event_narrowing(viewer, filter, now)
    return first_of_each(Event, CENTRE, viewer, keys, page, narrowing)


def count_of_events_of_centres(
    viewer: Viewer, keys: Sequence[UUID], filter: Filter = NO_FILTER, *, now: datetime
) -> Read[Any]:
    """Count the events of each centre, as `parent_id` and `total`."""
    return count_of_each(Event, CENTRE, viewer, keys, event_narrowing(viewer, filter, now))


def events_on_date(
    viewer: Viewer, day: date, centre_id: UUID | None = None, *, now: datetime
) -> Read[Event]:
    """Return the first 1,000 events that start on a date in their centre's time zone, by start
    [002].
    """
    parts = [Condition("local_date", Operator.EQ, day)]
    if centre_id is not None:
        parts.append(Condition("centre_id", Operator.EQ, centre_id))
    # a page reads one more row, to find out whether there are more
    page = PageRequest(ordering_of(None), MOST_ON_A_DATE - 1)
    return events_page(viewer, page, AllOf(tuple(parts)), now=now)


def class_codes(viewer: Viewer) -> Read[Any]:
    """Return the organization's distinct class codes, sorted, as rows of `class_code` `[002]`."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(Event)
        return (
            sa.select(c.class_code)
            .where(of_organization(Event), c.class_code.is_not(None))
            .distinct()
            .order_by(c.class_code)
        )

    return Read("class codes of events", build, {ORGANIZATION: viewer.organization_id})


# ---------------------------------------------------------------- modules


def modules_of_events(viewer: Viewer, keys: Sequence[UUID]) -> Read[Module]:
    """Return the modules of each event as `parent_id`, by name: its own, or else its test's."""

    def build(_: str) -> sa.Select[Any]:
        tied = modules_tied_to_events().subquery("tied")
        m = columns(Module)
        return (
            sa.select(table(Module), tied.c.event_id.label("parent_id"))
            .join(tied, tied.c.module_id == m.id)
            .where(of_organization(Module), one_of(tied.c.event_id, "keys"))
            .order_by(m.name, m.id)
        )

    return Read(
        "modules of events",
        build,
        {ORGANIZATION: viewer.organization_id, "keys": list(keys)},
        by_key=True,
    )


def modules_tied_to_events() -> "sa.CompoundSelect[Any]":
    """Select pairs of `event_id` and `module_id` of one organization: its own, or else its
    test's.
    """
    e, own, tests = columns(Event), columns(EventModule), columns(TestModule)
    has_own = sa.exists().where(own.organization_id == e.organization_id, own.event_id == e.id)
    return sa.union_all(
        sa.select(own.event_id, own.module_id).where(of_organization(EventModule)),
        sa.select(e.id, tests.module_id)
        .join(
            table(TestModule),
            sa.and_(tests.organization_id == e.organization_id, tests.test_id == e.test_id),
        )
        .where(of_organization(Event), sa.not_(has_own)),
    )


# ---------------------------------------------------------------- seats


@frozen
class RoomCapacity:
    """The capacity of an event's room."""

    capacity: int


SEATS_FOLLOW_FROM = (
    "id",
    "start_at",
    "end_at",
    "on_demand",
    "cancelled_at",
    "registration_start",
    "registration_deadline",
    "registration_locked",
    "capacity_minimum",
    "capacity_maximum",
)
"""An event's own columns on which its seats depend."""


def seats_of_events(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """Read the rows that `assembled_seats` needs, counted at one instant.

    Each event has `room_capacity`, null without a room, and `taken`, its own live bookings. It has
    one row for each time at which its room has bookings of any event during it: `taken_there` from
    `starts_at` to `busy_until_at`, all null if there are none.
    """
    values = {ORGANIZATION: viewer.organization_id, "keys": list(keys)}
    return Read("seats of events", lambda _: _seats_of_events(), values, by_key=True)


def assembled_seats(rows: Iterable[Any], *, now: datetime) -> dict[UUID, SeatsFacts]:
    """Return the seats of each event, by its key, from the rows of `seats_of_events`."""
    by_event: dict[UUID, list[Any]] = {}
    for row in rows:
        by_event.setdefault(row.id, []).append(row)
    return {key: _seats_of(of_one, now) for key, of_one in by_event.items()}


def _seats_of(rows: Sequence[Any], now: datetime) -> SeatsFacts:
    event = rows[0]
    lasts = span_of_event(event)
    spans = (
        ((row.starts_at, row.busy_until_at), row.taken_there)
        for row in rows
        if row.taken_there is not None
    )
    room = None if event.room_capacity is None else RoomCapacity(event.room_capacity)
    return seats(
        event,
        room,
        taken=event.taken,
        peak_in_room=0 if lasts is None else peak(spans, lasts),
        now=now,
    )


def _seats_of_events() -> sa.Select[Any]:
    e, t, r = columns(Event), columns(EventSeats), columns(Room)
    of_event = sa.and_(t.organization_id == e.organization_id, t.event_id == e.id)
    of_room = sa.and_(r.organization_id == e.organization_id, r.id == e.room_id)
    there = _in_rooms().subquery("there")
    return (
        sa.select(
            *(e[name] for name in SEATS_FOLLOW_FROM),
            r.capacity.label("room_capacity"),
            sa.func.coalesce(t.taken, sa.literal_column("0")).label("taken"),
            there.c.starts_at,
            there.c.busy_until_at,
            there.c.taken_there,
        )
        .join(table(EventSeats), of_event, isouter=True)
        .join(table(Room), of_room, isouter=True)
        .join(there, there.c.event_id == e.id, isouter=True)
        .where(of_organization(Event), one_of(e.id, "keys"))
    )


def _in_rooms() -> sa.Select[Any]:
    e, t = columns(Event), columns(RoomSeats)
    in_its_room = sa.and_(t.organization_id == e.organization_id, t.room_id == e.room_id)
    before_its_end = sa.or_(t.start_at < e.end_at, t.start_at < a_minute_after(e.start_at))
    return (
        sa.select(
            e.id.label("event_id"),
            t.start_at.label("starts_at"),
            t.busy_until_at,
            t.taken.label("taken_there"),
        )
        .join(table(RoomSeats), in_its_room)
        .where(
            of_organization(Event),
            one_of(e.id, "keys"),
            t.taken > sa.literal_column("0"),
            t.busy_until_at > e.start_at,
            before_its_end,
        )
    )
