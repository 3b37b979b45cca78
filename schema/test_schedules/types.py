"""Test schedules: windows in which candidates may take tests, and their results."""

from datetime import date, datetime, time
from typing import Any

from resolvers.bookings.clock import current_status
from resolvers.test_schedules.transitions import schedule_status
from resolvers.vocabulary import (
    AccommodationScope,
    BookingKind,
    BookingStatus,
    Permission,
    TestScheduleStatus,
)
from schema.bookings.types import Booking
from schema.grammar.context import Context
from schema.grammar.declaring import object_type
from schema.grammar.fields import Fixed, column, computed, embedded, relation
from schema.grammar.scalars import LanguageTag
from schema.organizations.types import Actor
from schema.tests.types import Subject, Test, TestForm

DETAIL = "test_schedule_of_booking"


async def _schedule_status(row: Any, context: Context) -> TestScheduleStatus:
    """The status; that of a completed schedule depends on whether it is marked externally."""
    completed = row.status is BookingStatus.COMPLETED
    detail = await context.loaders.load(DETAIL, row.id) if completed else None
    return schedule_status(
        row.status,
        row.opens_at,
        row.closes_at,
        context.now,
        marked_externally=detail is not None and detail.marked_externally,
    )


async def _unscheduled_break_minutes(row: Any, context: Context) -> int:
    if not row.accommodation_count:
        return 0
    granted = await context.loaders.load("accommodations_of_booking", row.id)
    breaks = AccommodationScope.UNSCHEDULED_BREAK
    return sum(one.effective_minutes for one in granted if one.scope is breaks)


def _user(role: str, *, description: str) -> Any:
    return embedded(
        description=description,
        present=f"{role}_user_id",
        through=DETAIL,
        user_id=f"{role}_user_id",
        name=f"{role}_name",
        proxy=Fixed(None),
    )


@object_type(
    description="A candidate's test at a centre, to be sat in a window of dates and times of day."
)
class TestSchedule(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    status: BookingStatus = computed(
        "status",
        "closes_at",
        by=lambda row, context: current_status(
            BookingKind.TEST_SCHEDULE, row.status, row.closes_at, context.now
        ),
        description="The common status; EXPIRED from the second at which its window has closed.",
    )
    keycode: str | None = column(
        mask=Permission.VIEW_SECRETS,
        through=DETAIL,
        description="What the session is found by. Null after deletion, and without VIEW_SECRETS.",
    )
    pin: str | None = column(
        mask=Permission.VIEW_SECRETS,
        through=DETAIL,
        description="What the session starts with, the same for the same centre, test and first "
        "date. Only where invigilated, and only for VIEW_SECRETS.",
    )
    schedule_status: TestScheduleStatus = computed(
        "id",
        "status",
        "opens_at",
        "closes_at",
        by=_schedule_status,
        description="Where the schedule stands now; OPEN and EXPIRED follow from the clock.",
    )
    test: Test = relation("test_by_id", key="test_id", description="What is sat.")
    subject: Subject | None = relation(
        "subject_by_id",
        key="subject_id",
        hidden_when=("status", BookingStatus.DELETED.value),
        description="The subject of the test; null without one, and after deletion.",
    )
    test_form: TestForm | None = relation(
        "test_form_by_id",
        key="test_form_id",
        through=DETAIL,
        description="The form that is sat; null where the test has none in this language.",
    )
    test_form_auto_selected: bool = column(
        through=DETAIL, description="Whether the gateway chose the form."
    )
    start_date: date = column(through=DETAIL, description="The first date.")
    end_date: date = column(through=DETAIL, description="The last date.")
    start_time: time = column(
        through=DETAIL, description="From when on each date, as the centre's clock shows it."
    )
    end_time: time = column(
        through=DETAIL, description="Until when on each date, as the centre's clock shows it."
    )
    enforce_times: bool = column(
        through=DETAIL, description="Whether the window is meant exactly, without the buffer."
    )
    requires_invigilation: bool = column(
        through=DETAIL, description="Whether the session starts with a PIN or unlocked only."
    )
    marked_externally: bool = column(
        through=DETAIL, description="Whether the test bypasses marking here."
    )
    allow_multiple_open_sessions: bool = column(
        through=DETAIL, description="Whether another open schedule for the test was no obstacle."
    )
    test_tags: list[str] = column(through=DETAIL, description="What invigilators see beside it.")
    marker: Actor | None = _user("marker", description="Who marks it; null without.")
    moderator: Actor | None = _user("moderator", description="Who moderates it; null without.")
    purchase_order: str | None = column(
        through=DETAIL, description="The number of an external invoice; null without."
    )
    language: LanguageTag = column(through=DETAIL, description="In which language it is delivered.")
    unscheduled_break_minutes: int = computed(
        "id",
        "accommodation_count",
        by=_unscheduled_break_minutes,
        description="Granted minutes of unscheduled breaks.",
    )
    session_started_at: datetime | None = column(
        description="When the session started; null before."
    )
    session_completed_at: datetime | None = column(
        through=DETAIL, description="When the session was completed; null before."
    )
