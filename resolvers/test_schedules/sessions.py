"""Records what a delivery system reports: sessions that start and that are completed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from resolvers import checks
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import require_version
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import Invalid, OutOfRange, Refused, ValidationErrors, attempt
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, TestSchedule
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules.codes import is_pin
from resolvers.test_schedules.commands import RecordSession
from resolvers.test_schedules.facts import schedule_facts
from resolvers.test_schedules.finding import LockedSchedules, find_schedules
from resolvers.test_schedules.transitions import TRANSITIONS
from resolvers.test_schedules.windows import window_at, windows_of
from resolvers.vocabulary import BookingStatus, ChangeType, Permission, SessionState

AFTER = {
    SessionState.STARTED: frozenset({BookingStatus.IN_PROGRESS}),
    SessionState.COMPLETED: frozenset({BookingStatus.COMPLETED}),
}
"""The statuses in which a report is known already."""

STEPS = {SessionState.STARTED: "start", SessionState.COMPLETED: "complete"}
CHANGES = {
    SessionState.STARTED: ChangeType.STARTED,
    SessionState.COMPLETED: ChangeType.COMPLETED,
}


@requires(Permission.RECORD_SESSION)
def record_sessions(work: UnitOfWork, commands: Sequence[RecordSession]) -> list[Outcome | Refused]:
    """Start and complete sessions; what is known already changes nothing.

    Refusals: PermissionRefusal, NotFoundRefusal, Invalid, WrongLength; StaleBooking; IllegalState;
    Invalid (the PIN), OutOfRange (the time).
    """
    found = find_schedules(work, commands)
    return [attempt(_record, work, found, command) for command in commands]


def _record(work: UnitOfWork, found: LockedSchedules, command: RecordSession) -> Outcome:
    stage, viewer = ValidationErrors(), command.viewer
    booking = stage.of(found.one, viewer, command.test_schedule)
    stage.of(checks.code, command.pin, "pin", least=0)
    stage.settle()
    assert booking is not None
    situation = ActionContext(booking, found.settings[booking.organization_id], work.now)
    require_version(situation, viewer, command.expected_version)
    if booking.status in AFTER[command.state]:
        return Outcome(booking.id, changed=False)
    require(TRANSITIONS, STEPS[command.state], situation, viewer, "state")
    schedule, at = found.schedules[booking.id], command.at or work.now
    if at > work.now:
        stage.add(OutOfRange("at", rule="must not be in the future"))
    if command.state is SessionState.STARTED:
        _check_start(command, booking, schedule, at, stage)
        stage.settle()
        after, schedule_after = _started(booking, at), schedule
    else:
        if booking.session_started_at is not None and at < booking.session_started_at:
            stage.add(OutOfRange("at", rule="must not be before the session started"))
        stage.settle()
        after = changed(booking, status=BookingStatus.COMPLETED)
        schedule_after = changed(schedule, session_completed_at=at)
    after = next_version(after, work.now)
    found.bookings[booking.id], found.schedules[booking.id] = after, schedule_after
    work.save(Booking, [(booking, after)])
    work.save(TestSchedule, [(schedule, schedule_after)])
    record_booking(
        work,
        CHANGES[command.state],
        Cause(viewer, command.origin),
        before=booking,
        after=after,
        facts_before=schedule_facts(booking, schedule, work.now),
        facts_after=schedule_facts(after, schedule_after, work.now),
    )
    return Outcome(booking.id)


def _check_start(
    command: RecordSession,
    booking: Booking,
    schedule: TestSchedule,
    at: datetime,
    stage: ValidationErrors,
) -> None:
    """Refusals: Invalid (an invigilated session needs its PIN, or to be unlocked), OutOfRange."""
    admitted = command.unlocked or is_pin(command.pin, schedule.pin)
    if schedule.requires_invigilation and not admitted:
        rule = "must be the PIN of the session, unless it was unlocked"
        stage.add(Invalid("pin", rule=rule))
    if window_at(windows_of(schedule, booking.time_zone), at) is None:
        stage.add(OutOfRange("at", rule="must be inside a window of the schedule"))


def _started(booking: Booking, at: datetime) -> Booking:
    """The booking busy from its start for as long as the candidate may work."""
    minutes = (booking.duration_minutes or 0) + booking.extra_time_minutes
    minutes += booking.extra_break_minutes
    return changed(
        booking,
        status=BookingStatus.IN_PROGRESS,
        session_started_at=at,
        busy_until_at=at + timedelta(minutes=max(minutes, 1)),
    )
