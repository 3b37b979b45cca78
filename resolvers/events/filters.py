"""The filter criteria of events: all of Shift iQ v2 under the gateway's names, and a few more."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.seats import UNKNOWN_LENGTH
from resolvers.events.folded_texts import folded_text
from resolvers.events.minute import a_minute_after
from resolvers.storage.canonical_filters import canonical
from resolvers.storage.columns import LAST_OF_ROWS, one_of
from resolvers.storage.filters import (
    NO_FILTER,
    AllOf,
    AnyOf,
    Condition,
    Criterion,
    Filter,
    Not,
    Operator,
    in_folded_form,
    plain,
    prepared,
    shape_and_values,
    sql,
    to_the_second,
    with_following_seconds,
    with_nulls_last,
)
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.nulls import nulls_last
from resolvers.storage.tables import (
    Event,
    EventSeats,
    ExternalId,
    Room,
    RoomSeats,
    columns,
    table,
)
from resolvers.storage.tables.events import FOLDED_TEXTS
from resolvers.viewer import Viewer
from resolvers.vocabulary import EventStatus, SourceSystem

NOW, A_MINUTE_AGO = "events_now", "events_a_minute_ago"
FREE_SEATS = "has_free_seats"
SHIFT_IQ = (SourceSystem.SHIFT_IQ_V1, SourceSystem.SHIFT_IQ_V2)
EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), LAST_OF_ROWS
"""Compared instants are clamped to this range: no event is outside of it."""

LATEST_DATE = date(9999, 12, 29)
"""Compared dates are clamped to this one: the days around a later one cannot be computed."""

TEXTS = FOLDED_TEXTS - {"duration_unit_text"} | {"duration_unit"}
INSTANTS = {
    "start": "start_at",
    "end": "end_at",
    "exam_started": "exam_started",
    "last_change_time": "last_change_time",
    "registration_start": "registration_start",
    "registration_deadline": "registration_deadline",
    "registration_locked": "registration_locked",
    "distribution_expected": "distribution_expected",
    "distribution_ordered": "distribution_ordered",
    "distribution_shipped": "distribution_shipped",
    "distribution_tracked": "distribution_tracked",
    "return_shipment_received": "return_shipment_received",
}
AS_THEY_ARE = (
    "identifier",
    "achievement_identifier",
    "learner_registration_group_identifier",
    "mandatory_survey_form_identifier",
    "venue_coordinator_identifier",
    "venue_office_identifier",
    "allow_multiple_registrations",
    "allow_registration_with_link",
    "integration_withhold_distribution",
    "integration_withhold_grades",
    "person_code_is_required",
    "waitlist_enabled",
    "capacity_maximum",
    "capacity_minimum",
    "duration_quantity",
    "exam_duration_in_minutes",
    "invigilator_minimum",
    "credit_hours",
    "kind",
)


@lru_cache(maxsize=1)
def criteria() -> dict[str, Criterion]:
    """Each criterion by its name in the contract, in snake case."""
    c = columns(Event)
    return {
        **{name: in_folded_form(folded_text(name)) for name in TEXTS - {"duration_unit"}},
        # an import stores the source's own text; otherwise the text is the unit's name
        "duration_unit": in_folded_form(
            sa.func.coalesce(
                folded_text("duration_unit_text"),
                sa.func.lower(sa.cast(c.duration_unit, sa.String())),
            )
        ),
        **{name: to_the_second(c[column]) for name, column in INSTANTS.items()},
        **{name: plain(c[name]) for name in AS_THEY_ARE},
        # the expressions of their indexes
        "start": with_nulls_last(to_the_second, c.start_at),
        "end": with_nulls_last(to_the_second, c.end_at),
        "number": with_nulls_last(plain, c.number),
        "organization_identifier": _known_as(c.organization_id, "organization"),
        "centre_id": plain(c.venue_id),
        "venue_identifier": _known_as(c.venue_id, "venue"),
        "status": plain(sa.type_coerce(status_in_sql(), sa.String())),
        "local_date": _local_date,
        FREE_SEATS: plain(sa.type_coerce(has_free_seats_in_sql(), sa.Boolean())),
    }


def event_narrowing(viewer: Viewer, given: Filter, now: datetime) -> Narrowing:
    """Return the condition on `event` of a viewer's filter; statuses are computed at `now`.

    The user of the last change is hidden from agents and candidates: for their filters it is null.
    """
    comparable = _each(
        prepared(given if viewer.is_staff else _each(given, _hidden), TEXTS), _comparable
    )
    shape, values = shape_and_values(canonical(_counting_seats_twice(comparable)), "event")
    return Narrowing(
        ("events", shape),
        lambda: sql(shape, criteria()),
        {
            **_bound(with_following_seconds(values)),
            NOW: now,
            A_MINUTE_AGO: now - UNKNOWN_LENGTH,
        },
    )


def status_in_sql() -> sa.ColumnElement[Any]:
    """`rules.status` in SQL."""
    c = columns(Event)
    now = sa.bindparam(NOW, type_=c.start_at.type)
    a_minute_ago = sa.bindparam(A_MINUTE_AGO, type_=c.start_at.type)
    over = sa.or_(c.end_at <= now, sa.and_(c.end_at.is_(None), c.start_at <= a_minute_ago))
    named = {
        EventStatus.CANCELLED: c.cancelled_at.is_not(None),
        EventStatus.DRAFT: sa.and_(c.start_at.is_(None), sa.not_(c.on_demand)),
        EventStatus.COMPLETED: over,
        EventStatus.IN_PROGRESS: sa.or_(c.exam_started <= now, c.start_at <= now),
        EventStatus.LOCKED: c.registration_locked <= now,
    }
    cases = [(condition, _literal(status)) for status, condition in named.items()]
    return sa.case(*cases, else_=_literal(EventStatus.SCHEDULED))


def has_free_seats_in_sql() -> sa.ColumnElement[bool]:
    """Whether `rules.seats` has free seats or no limit."""
    c, t, r = columns(Event), columns(EventSeats), columns(Room)
    full = (
        sa.exists()
        .where(
            t.organization_id == c.organization_id,
            t.event_id == c.id,
            t.taken >= c.capacity_maximum,
        )
        .correlate(table(Event))
    )
    full_room = (
        sa.exists()
        .where(r.organization_id == c.organization_id, r.id == c.room_id, _room_is_full(c, r))
        .correlate(table(Event))
    )
    return sa.and_(
        sa.or_(c.capacity_maximum.is_(None), sa.not_(full)),
        sa.or_(c.on_demand, c.start_at.is_(None), sa.not_(full_room)),
    )


def _room_is_full(event: Any, room: Any) -> sa.ColumnElement[bool]:
    """Whether every seat is taken at the event's start, or when a booking starts during the event.

    The number of taken seats can peak only at these times.
    """
    begins = table(RoomSeats).alias("begins")
    while_it_lasts = (
        sa.exists()
        .where(
            begins.c.organization_id == room.organization_id,
            begins.c.room_id == room.id,
            begins.c.taken > sa.literal_column("0"),
            begins.c.start_at > event.start_at,
            sa.or_(
                begins.c.start_at < event.end_at,
                begins.c.start_at < a_minute_after(event.start_at),
            ),
            _taken_at(begins.c.start_at, room, begins) >= room.capacity,
        )
        .correlate(table(Event), table(Room))
    )
    return sa.or_(_taken_at(event.start_at, room, table(Event)) >= room.capacity, while_it_lasts)


def _taken_at(
    instant: sa.ColumnElement[Any], room: Any, outer: sa.FromClause
) -> sa.ColumnElement[int]:
    """Count the bookings that take a seat of the room at an instant; null if there is none."""
    busy = table(RoomSeats).alias("busy")
    return (
        sa.select(sa.func.sum(busy.c.taken))
        .select_from(busy)
        .where(
            busy.c.organization_id == room.organization_id,
            busy.c.room_id == room.id,
            busy.c.start_at <= instant,
            busy.c.busy_until_at > instant,
        )
        .correlate(table(Room), outer)
        .scalar_subquery()
    )


def _literal(status: EventStatus) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{status}'", sa.String())


def _known_as(column: sa.ColumnElement[Any], kind: str) -> Criterion:
    """Compare a UUID with our own key and with Shift iQ's."""
    own = plain(column)
    x = columns(ExternalId)

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        if operator is Operator.IS_NULL:
            return own(operator, name)
        theirs = (
            sa.select(x.object_id)
            .where(
                x.organization_id == columns(Event).organization_id,
                sa.or_(*(x.system == system for system in SHIFT_IQ)),
                x.kind == sa.literal_column(f"'{kind}'", sa.String()),
                one_of(x.value, f"{name}_texts"),
            )
            .correlate(table(Event))
        )
        return sa.or_(own(operator, name), column.in_(theirs))

    return criterion


def _local_date(operator: Operator, name: str) -> sa.ColumnElement[bool]:
    """Compare the date at the event's place; the instants around it use the index on the start."""
    c = columns(Event)

    def bound(suffix: str, column: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
        return sa.bindparam(f"{name}_{suffix}", type_=column.type)

    return sa.and_(
        c.local_start >= bound("begins", c.local_start),
        c.local_start < bound("ends", c.local_start),
        nulls_last(c.start_at) > bound("after", c.start_at),
        nulls_last(c.start_at) < bound("before", c.start_at),
    )


def _each(given: Filter, change: Callable[[Condition], Filter]) -> Filter:
    match given:
        case AllOf(parts):
            return AllOf(tuple(_each(part, change) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_each(part, change) for part in parts))
        case Not(part):
            return Not(_each(part, change))
        case Condition():
            return change(given)


def _counting_seats_twice(given: Filter) -> Filter:
    """Return an equivalent filter with at most two conditions on free seats.

    Each such condition counts bookings for each event. The equivalent filter has two alternatives:
    the filter for events with free seats, and for those without.
    """
    if _count(given, FREE_SEATS) <= 2:
        return given
    return AnyOf(
        tuple(
            AllOf((_assuming(given, free), Condition(FREE_SEATS, Operator.EQ, free)))
            for free in (True, False)
        )
    )


def _assuming(given: Filter, free: bool) -> Filter:
    """Return the filter for events with (or without) free seats."""

    def known(condition: Condition) -> Filter:
        if condition.field != FREE_SEATS:
            return condition
        return NO_FILTER if condition.value == free else Not(NO_FILTER)

    return _each(given, known)


def _count(given: Filter, field: str) -> int:
    """Count the conditions of a filter on a field."""
    match given:
        case AllOf(parts) | AnyOf(parts):
            return sum(_count(part, field) for part in parts)
        case Not(part):
            return _count(part, field)
        case Condition():
            return int(given.field == field)


def _hidden(condition: Condition) -> Filter:
    """Treat a field that is hidden from the viewer as null."""
    if condition.field != "last_change_user":
        return condition
    found = condition.operator is Operator.IS_NULL and condition.value
    return NO_FILTER if found else Not(NO_FILTER)


def _comparable(condition: Condition) -> Condition:
    """Clamp instants to the comparable range; equality compares whole seconds."""
    value = condition.value
    if not isinstance(value, datetime):
        return condition
    value = min(max(value, EARLIEST), LATEST)
    if condition.operator is Operator.EQ:
        value = value.replace(microsecond=0)
    return Condition(condition.field, condition.operator, value)


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values, with further values that the comparisons of dates and UUIDs bind."""
    return {**values, **dict(pair for item in values.items() for pair in _beside(*item))}


def _beside(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case datetime():
            return
        case date():
            day = min(max(value, EARLIEST.date()), LATEST_DATE)
            begins = datetime.combine(day, time())
            yield f"{name}_begins", begins
            yield f"{name}_ends", begins + timedelta(days=1)
            yield f"{name}_after", (begins - timedelta(days=1)).replace(tzinfo=UTC)
            yield f"{name}_before", (begins + timedelta(days=2)).replace(tzinfo=UTC)
        case UUID():
            yield f"{name}_texts", [str(value)]
        case [] | [UUID(), *_]:
            yield f"{name}_texts", [str(one) for one in value]
