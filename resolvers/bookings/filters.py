"""The criteria of bookings, over the booking's own columns or over those of its changes."""

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
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingStatus, Permission

Of = Mapping[str, sa.ColumnElement[Any]]
"""The columns that stand for a booking's, by the booking's names."""

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
    """What each field of a booking filter compares.

    `by_the_clock` judges statuses at the instant that is bound as `now`; else they are as stored.
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
    """`clock.current_status`; the stored status is compared by itself, as statistics know it."""
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
    """What a filter finds. Deleted bookings are found only where its `status` names DELETED.

    Statuses are judged at `now`; without it they count as they were stored. Raises:
    PermissionRefusal (a filter by email without VIEW_PII would tell whose address it is).
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
    """Whether a filter finds deleted bookings."""
    return any(
        part.field == "status" and BookingStatus.DELETED in part.value
        for part in conditions_of(condition)
        if part.operator is Operator.IN
    )


def visible_to(viewer: Viewer, *, of: Callable[[], Of] = own_columns) -> Narrowing:
    """Which bookings a viewer may see; `Scope.missing` says the same of one."""
    scope = viewer.scope
    if scope.everything:
        return UNRESTRICTED
    if scope.nothing:
        return Narrowing("nothing", sa.false)

    def narrow() -> sa.ColumnElement[bool]:
        booking = of()
        ways = []
        if scope.candidate is not None:
            own = sa.bindparam("own_candidate", type_=booking["candidate_id"].type)
            ways.append(booking["candidate_id"] == own)
        if scope.centres is not None:
            ways.append(one_of(booking["centre_id"], "own_centres"))
        if scope.agent_offices is not None:
            ways.append(one_of(booking["agent_office_id"], "own_agent_offices"))
        if scope.subjects is not None:
            theirs = one_of(booking["subject_id"], "own_subjects")
            without = booking["subject_id"].is_(None) if scope.centres is not None else sa.false()
            ways.append(sa.or_(theirs, without))
        inside = sa.and_(*ways)
        return inside if scope.marker is None else sa.or_(inside, _marked_by_viewer(booking))

    values = {
        "own_candidate": scope.candidate,
        "own_centres": sorted(scope.centres or ()),
        "own_subjects": sorted(scope.subjects or ()),
        "own_agent_offices": sorted(scope.agent_offices or ()),
        "own_user": scope.marker,
    }
    confined_by = (
        scope.candidate,
        scope.centres,
        scope.subjects,
        scope.agent_offices,
        scope.marker,
    )
    kinds = tuple(each is None for each in confined_by)
    return Narrowing(("scope", kinds), narrow, values)


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
