"""The filter criteria of bookings, over the booking's own columns or over those of its changes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.bookings.candidate_search import candidate_texts
from resolvers.bookings.clock import has_closed, status_once_closed
from resolvers.refusals import PermissionRefusal
from resolvers.storage.canonical_filters import canonical
from resolvers.storage.columns import one_of
from resolvers.storage.filters import (
    Criterion,
    Filter,
    Operator,
    any_case,
    conditions_of,
    fields_of,
    lower,
    plain,
    prepared,
    shape_and_values,
    sql,
    to_the_second,
    with_following_seconds,
)
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.tables import (
    Booking,
    Candidate,
    Enrolment,
    TestSchedule,
    columns,
    table,
)
from resolvers.viewer import Association, Viewer
from resolvers.vocabulary import AccessScope, BookingStatus, Permission

Of = Mapping[str, sa.ColumnElement[Any]]
"""The columns that replace a booking's, by the booking's names."""

REFERENCE = frozenset({"reference"})
TEXTS = frozenset({"candidate_name", "candidate_email", "candidate_reference"})
PLAIN = {
    "kind": "kind",
    "status": "status",
    "candidate_id": "candidate_id",
    "centre_id": "centre_id",
    "room_id": "room_id",
    "event_id": "event_id",
    "test_id": "test_id",
}
NOW = "now"
INSTANTS = {"start": "start_at", "created_at": "created_at", "updated_at": "updated_at"}


def own_columns() -> Of:
    return dict(columns(Booking).items())


def criteria(of: Of, *, by_the_clock: bool = False) -> dict[str, Criterion]:
    """Return the column that each field of a booking filter compares.

    With `by_the_clock`, statuses are computed at the instant bound as `now`; else stored ones
    count.
    """
    by_clock = {"status": _current_status(of)} if by_the_clock else {}
    return {
        **{name: plain(of[column]) for name, column in PLAIN.items()},
        **by_clock,
        **{name: to_the_second(of[column]) for name, column in INSTANTS.items()},
        "reference": any_case(of["reference"]),
        **{name: _of_candidate(of, compare) for name, compare in candidate_texts().items()},
        "has_accommodations": _has_accommodations(of),
        "module_id": _of_enrolment_module(of),
    }


def _current_status(of: Of) -> Criterion:
    """`clock.current_status` in SQL; it compares the bare stored status, for which statistics
    exist.
    """
    stored = plain(of["status"])

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        closed, by_then = has_closed(of, NOW), status_once_closed(of)
        return sa.or_(
            sa.and_(stored(operator, name), sa.not_(closed)),
            sa.and_(closed, plain(by_then)(operator, name)),
        )

    return criterion


def _of_candidate(of: Of, compare: Criterion) -> Criterion:
    c = columns(Candidate)

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        return (
            sa.select(sa.literal_column("1"))
            .select_from(table(Candidate))
            .where(
                c.organization_id == of["organization_id"],
                c.id == of["candidate_id"],
                compare(operator, name),
            )
            .exists()
        )

    return criterion


def _has_accommodations(of: Of) -> Criterion:
    def criterion(_: Operator, name: str) -> sa.ColumnElement[bool]:
        return (of["accommodation_count"] > 0) == sa.bindparam(name, type_=sa.Boolean())

    return criterion


def _of_enrolment_module(of: Of) -> Criterion:
    x = columns(Enrolment)
    compare = plain(x.module_id)

    def criterion(operator: Operator, name: str) -> sa.ColumnElement[bool]:
        return (
            sa.select(sa.literal_column("1"))
            .select_from(table(Enrolment))
            .where(
                x.organization_id == of["organization_id"],
                x.id == of["id"],
                compare(operator, name),
            )
            .exists()
        )

    return criterion


def narrowed_to(
    condition: Filter,
    viewer: Viewer,
    *,
    now: datetime | None = None,
    of: Callable[[], Of] = own_columns,
    prefix: str = "f",
) -> Narrowing:
    """Return the condition of a filter. It matches deleted bookings only if its `status` names
    DELETED.

    Statuses are computed at `now`; without it, the stored ones count. Raises: PermissionRefusal (a
    filter by email without VIEW_PII would reveal whose address it is).
    """
    require_may_filter(condition, viewer)
    comparable = prepared(prepared(condition, REFERENCE, lower), TEXTS)
    shape, values = shape_and_values(canonical(comparable), prefix)
    with_deleted = names_deleted(condition)
    by_the_clock = now is not None and "status" in fields_of(condition)
    if by_the_clock:
        values[NOW] = now

    def narrow() -> sa.ColumnElement[bool]:
        found = sql(shape, criteria(of(), by_the_clock=by_the_clock))
        if with_deleted:
            return found
        return sa.and_(found, of()["status"] != sa.literal_column("'DELETED'"))

    return Narrowing(
        ("filter", shape, with_deleted, by_the_clock), narrow, with_following_seconds(values)
    )


def require_may_filter(condition: Filter, viewer: Viewer) -> None:
    """Raises: PermissionRefusal."""
    if "candidate_email" in fields_of(condition) and not viewer.may(Permission.VIEW_PII):
        raise PermissionRefusal("filter", "candidateEmail", required=Permission.VIEW_PII)


def names_deleted(condition: Filter) -> bool:
    """Whether a filter matches deleted bookings."""
    return any(
        part.field == "status" and BookingStatus.DELETED in part.value
        for part in conditions_of(condition)
        if part.operator is Operator.IN
    )


def visible_to(viewer: Viewer, *, of: Callable[[], Of] = own_columns) -> Narrowing:
    """Return the condition on the bookings that a viewer may see: all associations of the scope.

    A marker also sees the bookings that they mark or moderate.
    """
    scope = viewer.scope
    if scope.everything:
        return UNRESTRICTED
    if scope.nothing:
        return Narrowing("nothing", sa.false)

    associations = scope.associations

    def narrow() -> sa.ColumnElement[bool]:
        booking = of()
        inside = sa.and_(sa.true(), *(_has(booking, each) for each in associations))
        return inside if scope.marker is None else sa.or_(inside, _marked_by_viewer(booking))

    kinds = tuple((each.column, each.or_none) for each in associations)
    values = {f"own_{each.column}": _value(each) for each in associations}
    if scope.marker is not None:
        values["own_user"] = scope.marker
    return Narrowing(("scope", kinds, scope.marker is None), narrow, values)


def _value(association: Association) -> Any:
    keys = sorted(association.keys)
    return keys[0] if association.kind is AccessScope.OWN else keys


def _has(of: Of, association: Association) -> sa.ColumnElement[bool]:
    """`Association.holds` as SQL."""
    column, name = of[association.column], f"own_{association.column}"
    if association.kind is AccessScope.OWN:  # comparing a single key keeps an index's order
        return column == sa.bindparam(name, type_=column.type)
    held = one_of(column, name)
    return sa.or_(held, column.is_(None)) if association.or_none else held


def _marked_by_viewer(of: Of) -> sa.ColumnElement[bool]:
    """Whether the viewer is the marker or the moderator of a booking, or of a change's booking."""
    s = columns(TestSchedule)
    user = sa.bindparam("own_user", type_=s.marker_user_id.type)
    return (
        sa.select(sa.literal_column("1"))
        .select_from(table(TestSchedule))
        .where(
            s.organization_id == of["organization_id"],
            s.id == of.get("booking_id", of["id"]),
            sa.or_(s.marker_user_id == user, s.moderator_user_id == user),
        )
        .exists()
    )
