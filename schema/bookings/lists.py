"""Lists of bookings, at the root and on other objects, with their filter and sort order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.bookings import reads
from resolvers.storage.filters import AllOf, Condition, Filter, Operator
from resolvers.storage.paging import PageRequest
from resolvers.vocabulary import BookingKind, BookingSortField, BookingStatus, SortDirection
from schema.grammar.connections import Connection
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute
from schema.grammar.filters import DateTimeFilter, IdFilter, StringFilter, filter_of
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listing
from schema.grammar.node import show_booking

BOOKING_IDS: dict[str, tuple[str, ...]] = {
    "candidate_id": ("Candidate",),
    "centre_id": ("Centre",),
    "room_id": ("Room",),
    "event_id": ("Event",),
    "test_id": ("Test",),
}
"""The types of the ids that each criterion accepts."""


@input_type(
    description="Criteria for bookings. If you give several, all must match. A filter "
    "has at most 100 conditions and 100 `and`, `or` and `not` terms, nested "
    "at most 5 deep."
)
class BookingFilter:
    and_: list["BookingFilter"] | None = attribute(
        name="and", default=UNSET, description="All of these filters must match."
    )
    or_: list["BookingFilter"] | None = attribute(
        name="or",
        default=UNSET,
        description="At least one of these filters must match. An empty list matches nothing.",
    )
    not_: "BookingFilter | None" = attribute(
        name="not", default=UNSET, description="This filter must not match."
    )
    kind: list[BookingKind] | None = attribute(
        default=UNSET, description="Bookings of one of these kinds."
    )
    status: list[BookingStatus] | None = attribute(
        default=UNSET,
        description="Bookings with one of these statuses at the time of the query. "
        "Deleted bookings are found only with DELETED.",
    )
    reference: StringFilter | None = attribute(
        default=UNSET, description="Conditions on the booking's reference."
    )
    candidate_id: IdFilter | None = attribute(
        default=UNSET, description="Conditions on the id of the candidate."
    )
    candidate_name: StringFilter | None = attribute(
        default=UNSET,
        description="Conditions on the candidate's name: first names, a space, and last name.",
    )
    candidate_email: StringFilter | None = attribute(
        default=UNSET, description="Conditions on the candidate's email address. Needs VIEW_PII."
    )
    candidate_reference: StringFilter | None = attribute(
        default=UNSET, description="Conditions on the candidate's reference."
    )
    centre_id: IdFilter | None = attribute(
        default=UNSET, description="Conditions on the id of the centre."
    )
    room_id: IdFilter | None = attribute(
        default=UNSET, description="Conditions on the id of the room."
    )
    event_id: IdFilter | None = attribute(
        default=UNSET, description="Conditions on the id of the event."
    )
    test_id: IdFilter | None = attribute(
        default=UNSET, description="Conditions on the id of the test."
    )
    start: DateTimeFilter | None = attribute(default=UNSET, description="Conditions on the start.")
    created_at: DateTimeFilter | None = attribute(
        default=UNSET, description="Conditions on the time when the booking was created."
    )
    updated_at: DateTimeFilter | None = attribute(
        default=UNSET, description="Conditions on the time of the last change to the booking."
    )
    has_accommodations: bool | None = attribute(
        default=UNSET,
        description="True finds bookings with an exam accommodation, false those without.",
    )


@input_type(description="A field to sort bookings by, with a direction.")
class BookingSort:
    field: BookingSortField = attribute(description="Field to sort by.")
    direction: SortDirection = attribute(
        default=SortDirection.ASC, description="Direction of the sort order."
    )


BOOKING_FILTER = Annotated[
    BookingFilter | None,
    strawberry.argument(
        description="Criteria that the bookings must match. Without a filter, all bookings "
        "that are not deleted."
    ),
]
BOOKING_SORT = Annotated[
    list[BookingSort] | None,
    strawberry.argument(
        description="Sort order, by the first field, then by the next. Defaults to the "
        "start, ascending."
    ),
]


def booking_filter(filter: BookingFilter | None) -> Filter:
    """Return the conditions of a booking filter."""
    return filter_of(filter, BOOKING_IDS, "filter")


def bookings_request(page: PageArguments, sort: Sequence[BookingSort] | None) -> PageRequest:
    """Return the page of a list of bookings. Raises: as PageArguments.request."""
    terms = [(term.field, term.direction) for term in given(sort) or ()]
    return page.request(reads.bookings_order(terms))


def bookings_list(
    page: PageArguments,
    *,
    filter: BookingFilter | None,
    sort: Sequence[BookingSort] | None = None,
    kind: BookingKind | None = None,
    now: datetime | None = None,
) -> Connection[Any]:
    """Return the list of the organization's bookings that the viewer may see.

    Statuses are computed as of `now`; without it, the stored statuses count.
    """
    conditions = booking_filter(filter)
    request = bookings_request(page, sort)
    return listing(
        request,
        ("bookings", kind, conditions),
        show_booking,
        lambda viewer, _: reads.bookings_page(viewer, request, conditions, kind, now=now),
        lambda viewer, _: reads.bookings_count(viewer, conditions, kind, now=now),
    )


def bookings_of(
    column: str,
    page: PageArguments,
    *,
    filter: BookingFilter | None = None,
    kind: BookingKind | None = None,
    also: Filter = AllOf(),  # noqa: B008 - frozen
    now: datetime | None = None,
) -> Connection[Any]:
    """Return the bookings of parents, whose key is in `column`, by start; `now` as in
    `bookings_list`.
    """
    conditions = AllOf((booking_filter(filter), also))
    request = page.request(reads.bookings_order(None))
    return listing(
        request,
        ("bookings", column, kind, conditions),
        show_booking,
        lambda viewer, keys: reads.bookings_of_each(
            column, viewer, keys, request, conditions, kind, now=now
        ),
        lambda viewer, keys: reads.count_of_bookings_of_each(
            column, viewer, keys, conditions, kind, now=now
        ),
        key=column,
    )


def enrolments_of(column: str, page: PageArguments, **arguments: Any) -> Connection[Any]:
    """Return the enrolments of parents; as `bookings_of`."""
    return bookings_of(column, page, kind=BookingKind.ENROLMENT, **arguments)


BOOKED = (
    BookingStatus.PENDING,
    BookingStatus.CONFIRMED,
    BookingStatus.IN_PROGRESS,
    BookingStatus.COMPLETED,
    BookingStatus.NO_SHOW,
)
"""The statuses in which a candidate counts as booked at an event `[000]`."""


def booked_at(modules: Sequence[UUID] | None, page: PageArguments) -> Connection[Any]:
    """Return the enrolments of events that are not cancelled, limited to `modules` if given."""
    parts: list[Filter] = [Condition("status", Operator.IN, BOOKED)]
    if modules is not None:
        parts.append(Condition("module_id", Operator.IN, tuple(modules)))
    return enrolments_of("event_id", page, also=AllOf(tuple(parts)))
