"""Times and cancellations, shared by events and bookings."""

import datetime as dt
from datetime import datetime
from typing import Any

import strawberry

from resolvers.times import wall_time_of
from resolvers.vocabulary import CancellationReason
from schema.grammar.context import Context
from schema.grammar.declaring import object_type
from schema.grammar.fields import Computed, Fixed, OverRow, column, embedded, relation
from schema.grammar.scalars import LocalDateTime, TimeZone
from schema.organizations.types import Actor


@object_type(description="The opening hours of a test schedule on one date.")
class TimeWindow(OverRow):
    row: strawberry.Private[Any]

    date: dt.date = column(description="Date of the window.")
    local_start: LocalDateTime = column(
        description="Start of the window in the centre's local time."
    )
    local_end: LocalDateTime = column(description="End of the window in the centre's local time.")
    start: datetime = column(description="Start of the window.")
    end: datetime = column(description="End of the window. A session must start before it.")
    buffered_start: datetime = column(
        description="Earliest time to start a session: `start` minus the buffer on the first date."
    )
    buffered_end: datetime = column(
        description="Latest time to start a session: `end` plus the buffer on the last date."
    )


@object_type(
    description="When a booking takes place, as local time of the centre and as "
    "instants. The local time is binding: if the rules of a time zone "
    "change, the instants change."
)
class BookingTimes(OverRow):
    row: strawberry.Private[Any]

    time_zone: TimeZone = column(description="Time zone of the centre.")
    local_start: LocalDateTime | None = column(
        description="Start in the centre's local time, e.g. 2027-03-01T09:00:00. Print "
        "this one on letters; use `start` to compare across centres."
    )
    local_end: LocalDateTime | None = column(
        description="End in the centre's local time, e.g. 2027-03-01T11:00:00."
    )
    start: datetime | None = column("start_at", description="Start as an instant.")
    end: datetime | None = column("end_at", description="End as an instant.")
    duration_minutes: int | None = column(
        description="Working time in minutes, without extra time."
    )
    extra_time_minutes: int = column(
        description="Extra working time in minutes, from the booking's accommodations."
    )
    extra_break_minutes: int = column(
        description="Extra break time in minutes, from the booking's accommodations."
    )
    windows: list[TimeWindow] = relation(
        "windows_of_booking",
        description="For test schedules, the opening hours on each date. Empty for other kinds.",
    )


def _local_end(row: Any, _: Context) -> datetime | None:
    return None if row.end_at is None else wall_time_of(row.end_at, row.time_zone)


def event_times(*, description: str) -> Any:
    """The times of an event, without any candidate's extra time."""
    return embedded(
        description=description,
        local_end=Computed(("end_at", "time_zone"), _local_end),
        extra_time_minutes=Fixed(0),
        extra_break_minutes=Fixed(0),
    )


@object_type(description="Reason, time and author of a cancellation.")
class Cancellation(OverRow):
    row: strawberry.Private[Any]

    reason: CancellationReason = column("cancel_reason", description="Reason for the cancellation.")
    message: str | None = column("cancel_message", description="Explanation of the reason.")
    cancelled_at: datetime = column(description="Time of the cancellation.")
    cancelled_by: Actor = embedded(
        description="The user who cancelled the booking.",
        user_id="cancelled_by_user_id",
        name="cancelled_by_name",
        proxy=Fixed(None),
    )
    on_behalf: bool = column(
        "cancelled_on_behalf",
        description="True if another person cancelled on behalf of the candidate.",
    )


def cancellation(*, description: str) -> Any:
    """The cancellation of a booking or an event; null if it is not cancelled."""
    return embedded(description=description, present="cancel_reason")
