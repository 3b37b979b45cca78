"""A test schedule's values as the log keeps them. Its keycode and PIN are secrets and stay out."""

from datetime import datetime
from typing import Any

from resolvers.bookings.facts import booking_facts, instant, reference
from resolvers.storage.tables import Booking, TestSchedule
from resolvers.test_schedules.transitions import schedule_status


def schedule_facts(
    booking: Booking, schedule: TestSchedule | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """What the schedule's fields show at `now`, as far as its rows are given.

    Without `now`: when the booking was last changed.
    """
    status = schedule_status(
        booking.status,
        booking.opens_at,
        booking.closes_at,
        now or booking.updated_at,
        marked_externally=schedule is not None and schedule.marked_externally,
    )
    started = instant(booking.session_started_at)
    facts = {**booking_facts(booking), "scheduleStatus": status, "sessionStartedAt": started}
    if schedule is not None:
        facts |= {
            "test": reference("Test", booking.test_id),
            "subject": reference("Subject", booking.subject_id),
            "testForm": reference("TestForm", schedule.test_form_id),
            "testFormAutoSelected": schedule.test_form_auto_selected,
            "startDate": schedule.start_date.isoformat(),
            "endDate": schedule.end_date.isoformat(),
            "startTime": schedule.start_time.isoformat(),
            "endTime": schedule.end_time.isoformat(),
            "enforceTimes": schedule.enforce_times,
            "requiresInvigilation": schedule.requires_invigilation,
            "markedExternally": schedule.marked_externally,
            "allowMultipleOpenSessions": schedule.allow_multiple_open_sessions,
            "testTags": schedule.test_tags,
            "marker": reference("User", schedule.marker_user_id),
            "moderator": reference("User", schedule.moderator_user_id),
            "purchaseOrder": schedule.purchase_order,
            "language": schedule.language,
            "sessionCompletedAt": instant(schedule.session_completed_at),
        }
    return facts
