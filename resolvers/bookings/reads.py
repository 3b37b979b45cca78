"""Reads of bookings of every kind and of their details; restricted by the viewer's scope.

The filter of a list computes statuses at `now`; without it, the stored ones count.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.candidate_search import searched_by, with_candidates
from resolvers.bookings.filters import narrowed_to, visible_to
from resolvers.reading import (
    LeadingRows,
    Source,
    count_of,
    count_of_each,
    first_of_each,
    page_of,
    rows_by,
)
from resolvers.storage.filters import NO_FILTER, Filter
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, ordering_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Accommodation, Booking, Payment, columns
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind, BookingSortField, SortDirection

SORT_TERMS: dict[BookingSortField, tuple[str, type, bool]] = {
    BookingSortField.START: ("start_at", datetime, False),
    BookingSortField.CREATED_AT: ("created_at", datetime, False),
    BookingSortField.UPDATED_AT: ("updated_at", datetime, False),
    BookingSortField.REFERENCE: ("reference", str, False),
}

BY_START = ((BookingSortField.START, SortDirection.ASC),)


def bookings_order(sort: Sequence[tuple[BookingSortField, SortDirection]] | None) -> Ordering:
    """Return the order of a list of bookings; by default by start, ascending."""
    return ordering_of("bookings", SORT_TERMS, sort or BY_START)


def _list(
    viewer: Viewer,
    filter: Filter,
    kind: BookingKind | None,
    now: datetime | None,
    prefix: str = "f",
) -> Narrowing:
    narrowing = visible_to(viewer) & narrowed_to(filter, viewer, now=now, prefix=prefix)
    return narrowing if kind is None else narrowing & _of_kind(kind)


def _beginning(
    viewer: Viewer, filter: Filter, kind: BookingKind | None, now: datetime | None, also: Narrowing
) -> LeadingRows | None:
    searched = searched_by(filter)
    if searched is None:
        return None
    condition, rest = searched
    return with_candidates(condition, _list(viewer, rest, kind, now, prefix="rest") & also)


def _of_kind(kind: BookingKind) -> Narrowing:
    of_kind = sa.literal_column(f"'{kind}'", sa.String())
    return Narrowing(kind, lambda: columns(Booking).kind == of_kind)


def bookings_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Booking]:
    """Return bookings, also deleted ones, which stay readable by id."""
    return rows_by(Booking, "id", viewer, keys, visible_to(viewer))


def bookings_of_kind_by_id(
    kind: BookingKind, viewer: Viewer, keys: Sequence[UUID]
) -> Read[Booking]:
    """As `bookings_by_id`, without bookings of another kind."""
    narrowing = visible_to(viewer) & _of_kind(kind)
    return rows_by(Booking, "id", viewer, keys, narrowing)


def bookings_page(
    viewer: Viewer,
    page: PageRequest,
    filter: Filter = NO_FILTER,
    kind: BookingKind | None = None,
    *,
    also: Narrowing = UNRESTRICTED,
    now: datetime | None = None,
    source: Source | None = None,
) -> Read[Booking]:
    """Return a page of the bookings that match a filter, in an order of `bookings_order`.

    `also` is a further condition, on `source`.
    """
    narrowing = _list(viewer, filter, kind, now) & also
    beginning = None if source else _beginning(viewer, filter, kind, now, also)
    return page_of(Booking, viewer, page, narrowing, source=source, beginning=beginning)


def bookings_count(
    viewer: Viewer,
    filter: Filter = NO_FILTER,
    kind: BookingKind | None = None,
    *,
    also: Narrowing = UNRESTRICTED,
    now: datetime | None = None,
    source: Source | None = None,
) -> Read[Any]:
    """Count the bookings that `bookings_page` pages through, as `total`."""
    narrowing = _list(viewer, filter, kind, now) & also
    beginning = None if source else _beginning(viewer, filter, kind, now, also)
    return count_of(Booking, viewer, narrowing, source=source, beginning=beginning)


def bookings_of_each(
    column: str,
    viewer: Viewer,
    keys: Sequence[UUID],
    page: PageRequest,
    filter: Filter = NO_FILTER,
    kind: BookingKind | None = None,
    *,
    now: datetime | None = None,
) -> Read[Booking]:
    """Return the page's bookings of each parent, whose key is in `column`."""
    return first_of_each(Booking, column, viewer, keys, page, _list(viewer, filter, kind, now))


def count_of_bookings_of_each(
    column: str,
    viewer: Viewer,
    keys: Sequence[UUID],
    filter: Filter = NO_FILTER,
    kind: BookingKind | None = None,
    *,
    now: datetime | None = None,
) -> Read[Any]:
    """Count the bookings of each parent, as `parent_id` and `total`."""
    return count_of_each(Booking, column, viewer, keys, _list(viewer, filter, kind, now))


def payments_of_bookings(viewer: Viewer, keys: Sequence[UUID]) -> Read[Payment]:
    return rows_by(Payment, "booking_id", viewer, keys, UNRESTRICTED)


def payments_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Payment]:
    return rows_by(Payment, "id", viewer, keys, _of_visible_booking(viewer, Payment))


def accommodations_of_bookings(viewer: Viewer, keys: Sequence[UUID]) -> Read[Accommodation]:
    """Return the accommodations of bookings, by type."""
    return rows_by(Accommodation, "booking_id", viewer, keys, UNRESTRICTED, order="type")


def accommodations_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Accommodation]:
    narrowing = _of_visible_booking(viewer, Accommodation)
    return rows_by(Accommodation, "id", viewer, keys, narrowing)


def _of_visible_booking(viewer: Viewer, model: type[Payment] | type[Accommodation]) -> Narrowing:
    """Return the condition on rows whose booking the viewer can see."""
    visible = visible_to(viewer)

    def narrow() -> sa.ColumnElement[bool]:
        b, c = columns(Booking), columns(model)
        return (
            sa.select(sa.literal_column("1"))
            .where(b.organization_id == c.organization_id, b.id == c.booking_id, visible.narrow())
            .exists()
        )

    return Narrowing(("of visible booking", model, visible.shape), narrow, visible.values)
