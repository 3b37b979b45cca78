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
from schema.bookings.types import Booking, Payment
from schema.centres.types import Centre, Room
from schema.events.types import Event
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
    description="One or more windows in which a candidate may take a test at a centre "
    "(Surpass TestSchedule)."
)
class TestSchedule(Booking):
    @classmethod
    def of(cls, row: Any) -> Any:
        return cls(row=row)

    centre: Centre = relation(
        "centre_by_id", key="centre_id", description="Centre where the candidate takes the test."
    )
    room: Room | None = relation(
        "room_by_id", key="room_id", description="Always null: test schedules have no room."
    )
    event: Event | None = relation(
        "event_by_id", key="event_id", description="Always null: test schedules have no event."
    )
    payment: Payment | None = relation(
        "payment_of_booking", description="Always null: test schedules have no payment."
    )
    status: BookingStatus = computed(
        "status",
        "closes_at",
        by=lambda row, context: current_status(
            BookingKind.TEST_SCHEDULE, row.status, row.closes_at, context.now
        ),
        description="Status shared by all kinds of booking. A test schedule expires when "
        "its last window closes without a session.",
    )
    keycode: str | None = column(
        mask=Permission.VIEW_SECRETS,
        through=DETAIL,
        description="Key with which the candidate starts the session, 8 characters. Null "
        "after deletion, and without VIEW_SECRETS.",
    )
    pin: str | None = column(
        mask=Permission.VIEW_SECRETS,
        through=DETAIL,
        description="PIN that unlocks an invigilated session, the same for all "
        "candidates of the same centre, test and first date. Null without "
        "invigilation, and without VIEW_SECRETS.",
    )
    schedule_status: TestScheduleStatus = computed(
        "id",
        "status",
        "opens_at",
        "closes_at",
        by=_schedule_status,
        description="Detailed status of the test schedule at the time of the query.",
    )
    test: Test = relation(
        "test_by_id", key="test_id", description="The test the candidate will take."
    )
    subject: Subject | None = relation(
        "subject_by_id",
        key="subject_id",
        hidden_when=("status", BookingStatus.DELETED.value),
        description="Subject of the test. Null if the test has none, or the test "
        "schedule was deleted.",
    )
    test_form: TestForm | None = relation(
        "test_form_by_id",
        key="test_form_id",
        through=DETAIL,
        description="Form of the test the candidate will take. Null if the test has no "
        "form in this language.",
    )
    test_form_auto_selected: bool = column(
        through=DETAIL, description="True if the gateway chose the form."
    )
    start_date: date = column(
        through=DETAIL, description="First date on which the test can be taken."
    )
    end_date: date = column(through=DETAIL, description="Last date on which the test can be taken.")
    start_time: time = column(
        through=DETAIL,
        description="Time from which the test can be started on each date, in the "
        "centre's local time.",
    )
    end_time: time = column(
        through=DETAIL,
        description="Time until which the test can be started on each date, in the "
        "centre's local time.",
    )
    enforce_times: bool = column(
        through=DETAIL, description="True if the windows apply exactly, without the buffer."
    )
    requires_invigilation: bool = column(
        through=DETAIL,
        description="True if the session needs a PIN, or an invigilator who unlocks it.",
    )
    marked_externally: bool = column(
        through=DETAIL, description="True if another system marks the test."
    )
    allow_multiple_open_sessions: bool = column(
        through=DETAIL,
        description="True if the candidate may have another open schedule for the same test.",
    )
    test_tags: list[str] = column(through=DETAIL, description="Notes for invigilators.")
    marker: Actor | None = _user("marker", description="User who marks the test.")
    moderator: Actor | None = _user("moderator", description="User who moderates the marking.")
    purchase_order: str | None = column(
        through=DETAIL, description="Number of an external invoice."
    )
    language: LanguageTag = column(through=DETAIL, description="Language of the test.")
    unscheduled_break_minutes: int = computed(
        "id",
        "accommodation_count",
        by=_unscheduled_break_minutes,
        description="Minutes of unscheduled breaks.",
    )
    session_started_at: datetime | None = column(
        description="Time when the candidate started the session. Null until then."
    )
    session_completed_at: datetime | None = column(
        through=DETAIL, description="Time when the candidate finished the session. Null until then."
    )
