"""Reads of the log of changes: pages, changes after a cursor, the history of one booking."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.filters import Of, narrowed_to, visible_to
from resolvers.reading import (
    ORGANIZATION,
    count_of,
    count_of_each,
    first_of_each,
    of_organization,
    page_of,
    rows_by,
)
from resolvers.storage.columns import one_of
from resolvers.storage.filters import NO_FILTER, Filter
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.nulls import BIGGEST
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Candidate,
    ChangeLog,
    LogPosition,
    TestSchedule,
    columns,
    table,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import ChangeType

IN_COMMIT_ORDER = Ordering("changes", (Term("position", int),))
"""A change's cursor is its position: strictly increasing in commit order."""

_CHANGING = ("status", "centre_id", "room_id", "event_id", "test_id", "subject_id", "start_at")
_BEFORE = (*_CHANGING, "agent_office_id", "updated_at", "accommodation_count")


def after_the_change() -> Of:
    return dict(columns(ChangeLog).items())


def before_the_change() -> Of:
    c = columns(ChangeLog)
    return {**dict(c.items()), **{name: c[f"was_{name}"] for name in _BEFORE}}


def _changes(
    viewer: Viewer, filter: Filter = NO_FILTER, types: Sequence[ChangeType] | None = None
) -> Narrowing:
    """Return the changes of bookings that the viewer could see and that matched the filter, each
    before or after the change.

    So a client that watches an event also receives the bookings that leave it, and the result does
    not depend on the time of the read.
    """
    narrowing = _either(
        visible_to(viewer, of=after_the_change), visible_to(viewer, of=before_the_change)
    )
    if filter != NO_FILTER:
        narrowing = narrowing & _either(
            narrowed_to(filter, viewer, of=after_the_change),
            narrowed_to(filter, viewer, of=before_the_change),
        )
    narrowing = narrowing & Narrowing(
        "of bookings", lambda: columns(ChangeLog).booking_id.is_not(None)
    )
    if types is not None:
        of_types: Callable[[], Any] = lambda: one_of(columns(ChangeLog).booking_type, "types")  # noqa: E731
        narrowing = narrowing & Narrowing("of types", of_types, {"types": list(types)})
    return narrowing


def _either(one: Narrowing, other: Narrowing) -> Narrowing:
    if not (one.restricts and other.restricts):
        return UNRESTRICTED
    first, second = one.narrow, other.narrow
    return Narrowing(
        ("either", one.shape, other.shape),
        lambda: sa.or_(first(), second()),
        {**one.values, **other.values},
    )


def changes_page(
    viewer: Viewer,
    page: PageRequest,
    filter: Filter = NO_FILTER,
    types: Sequence[ChangeType] | None = None,
) -> Read[ChangeLog]:
    """Return a page of the changes of bookings, in commit order."""
    return page_of(ChangeLog, viewer, page, _changes(viewer, filter, types))


def changes_count(
    viewer: Viewer, filter: Filter = NO_FILTER, types: Sequence[ChangeType] | None = None
) -> Read[Any]:
    """Return the number of changes, as `total`."""
    return count_of(ChangeLog, viewer, _changes(viewer, filter, types))


def changes_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[ChangeLog]:
    return rows_by(ChangeLog, "id", viewer, keys, _changes(viewer))


def history_of_each(viewer: Viewer, keys: Sequence[UUID], page: PageRequest) -> Read[ChangeLog]:
    """Return the page's changes of each booking; the bookings must be visible to the viewer."""
    return first_of_each(ChangeLog, "booking_id", viewer, keys, page, UNRESTRICTED)


def count_of_history_of_each(viewer: Viewer, keys: Sequence[UUID]) -> Read[Any]:
    """Return the number of changes of each booking, as `parent_id` and `total`."""
    return count_of_each(ChangeLog, "booking_id", viewer, keys, UNRESTRICTED)


def newest_position(viewer: Viewer) -> Read[LogPosition]:
    """Return the current end of the organization's log."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(LogPosition)
        return sa.select(c.position).where(
            c.organization_id == sa.bindparam(ORGANIZATION, type_=c.organization_id.type)
        )

    return Read("newest position", build, {ORGANIZATION: viewer.organization_id}, by_key=True)


def log_bounds(viewer: Viewer) -> Read[Any]:
    """Return the newest position of the organization's log, and the one after which changes are
    kept.

    The row has `newest` and `kept_after`, which is 0 if no change was ever deleted: positions are
    dense.
    """

    def build(_: str) -> sa.Select[Any]:
        c, log = columns(ChangeLog), columns(LogPosition)
        oldest = (
            sa.select(sa.func.min(c.position))
            .where(c.organization_id == log.organization_id)
            .scalar_subquery()
        )
        return sa.select(
            log.position.label("newest"),
            sa.func.coalesce(oldest - 1, log.position).label("kept_after"),
        ).where(log.organization_id == sa.bindparam(ORGANIZATION, type_=log.organization_id.type))

    return Read("log bounds", build, {ORGANIZATION: viewer.organization_id}, by_key=True)


def touched_since(viewer: Viewer, position: int) -> Read[Any]:
    """Return the events and rooms of changes after a position, each with its newest position."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(ChangeLog)
        return (
            sa.select(
                c.event_id,
                c.was_event_id,
                c.room_id,
                c.was_room_id,
                sa.func.max(c.position).label("position"),
                sa.func.max(c.at).label("at"),
            )
            .select_from(table(ChangeLog))
            .where(
                c.organization_id == sa.bindparam(ORGANIZATION, type_=c.organization_id.type),
                # PostgreSQL estimates a range with two ends as narrow, and one with a single end as
                # a third of the log, which it would then read whole
                c.position > sa.bindparam("position", type_=c.position.type),
                c.position <= sa.bindparam("last", type_=c.position.type),
            )
            .group_by(c.event_id, c.was_event_id, c.room_id, c.was_room_id)
        )

    return Read(
        "touched since",
        build,
        {ORGANIZATION: viewer.organization_id, "position": position, "last": BIGGEST},
        by_key=True,
    )


def slice_after(organization_id: UUID, position: int, most: int) -> Read[ChangeLog]:
    """Return the next changes of an organization's log after a position, in commit order."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(ChangeLog)
        return (
            sa.select(table(ChangeLog))
            .where(
                of_organization(ChangeLog),
                c.position > sa.bindparam("position", type_=c.position.type),
                c.position <= sa.bindparam("last", type_=c.position.type),
            )
            .order_by(c.position)
        )

    values = {ORGANIZATION: organization_id, "position": position, "last": position + most}
    return Read("slice of changes", build, values, by_key=True)


def candidate_texts_of(organization_id: UUID, keys: Sequence[UUID]) -> Read[Candidate]:
    """Return the texts of candidates that filters of bookings compare, in their folded form."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(Candidate)
        return sa.select(c.id, c.name_folded, c.email_folded, c.reference_folded).where(
            of_organization(Candidate), one_of(c.id, "keys")
        )

    values = {ORGANIZATION: organization_id, "keys": list(keys)}
    return Read("candidate texts", build, values, by_key=True)


def markers_of(organization_id: UUID, keys: Sequence[UUID]) -> Read[TestSchedule]:
    """Return the markers and moderators of test schedules, by their bookings' keys."""

    def build(_: str) -> sa.Select[Any]:
        s = columns(TestSchedule)
        return sa.select(s.id, s.marker_user_id, s.moderator_user_id).where(
            of_organization(TestSchedule), one_of(s.id, "keys")
        )

    values = {ORGANIZATION: organization_id, "keys": list(keys)}
    return Read("markers", build, values, by_key=True)
