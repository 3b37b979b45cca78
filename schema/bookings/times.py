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


@object_type(description="The part of one date in which a test can be sat.")
class TimeWindow(OverRow):
    row: strawberry.Private[Any]

    date: dt.date = column(description="The date.")
    local_start: LocalDateTime = column(description="The start as the centre's clock shows it.")
    local_end: LocalDateTime = column(description="The end as the centre's clock shows it.")
    start: datetime = column(description="The start.")
    end: datetime = column(description="The end; the session starts before it.")
    buffered_start: datetime = column(
        description="The start, on the first date with the buffer before it."
    )
    buffered_end: datetime = column(
        description="The end, on the last date with the buffer after it."
    )


@object_type(
    description="When it takes place. The centre's local wall time is the truth; instants are "
    "derived from it with the centre's zone."
)
class BookingTimes(OverRow):
    row: strawberry.Private[Any]

    time_zone: TimeZone = column(description="The centre's zone.")
    local_start: LocalDateTime | None = column(
        description="The start as the centre's clock shows it; null without a start."
    )
    local_end: LocalDateTime | None = column(
        description="The end as the centre's clock shows it; null without an end."
    )
    start: datetime | None = column("start_at", description="The start; null without one.")
    end: datetime | None = column("end_at", description="The end; null where it is not known.")
    duration_minutes: int | None = column(
        description="Minutes of work, granted extra time not included; null where not known."
    )
    extra_time_minutes: int = column(description="Granted minutes of extra work.")
    extra_break_minutes: int = column(description="Granted minutes of extra breaks.")
    windows: list[TimeWindow] = relation(
        "windows_of_booking",
        description="Test schedules: one window for each date; empty for every other kind.",
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


@object_type(description="How it was called off.")
class Cancellation(OverRow):
    row: strawberry.Private[Any]

    reason: CancellationReason = column("cancel_reason", description="Why.")
    message: str | None = column("cancel_message", description="Why, in words; null without any.")
    cancelled_at: datetime = column(description="When.")
    cancelled_by: Actor = embedded(
        description="Who called it off.",
        user_id="cancelled_by_user_id",
        name="cancelled_by_name",
        proxy=Fixed(None),
    )
    on_behalf: bool = column(
        "cancelled_on_behalf", description="Whether it was done on a candidate's behalf."
    )


def cancellation(*, description: str) -> Any:
    """The cancellation of a booking or an event; null if it is not cancelled."""
    return embedded(description=description, present="cancel_reason")
