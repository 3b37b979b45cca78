"""Deletes test schedules, by id or by keycode `[001]`: only the record remains."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import Refused, ValidationErrors, attempt
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, TestSchedule
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules.commands import DeleteTestSchedule
from resolvers.test_schedules.facts import schedule_facts
from resolvers.test_schedules.finding import LockedSchedules, find_schedules
from resolvers.test_schedules.transitions import TRANSITIONS
from resolvers.vocabulary import BookingStatus, ChangeType, Permission


@requires(Permission.DELETE)
def delete(work: UnitOfWork, commands: Sequence[DeleteTestSchedule]) -> list[Outcome | Refused]:
    """Take each schedule back; one that is deleted already is left as it is.

    Its keycode, PIN, accommodations and values are gone from its fields; history keeps the values.
    Refusals: PermissionRefusal, NotFoundRefusal, Invalid; IllegalState.
    """
    found = find_schedules(work, commands, deleted=True)
    granted = loading.accommodations(
        work,
        [(b.organization_id, b.id) for b in found.bookings.values() if b.accommodation_count],
    )
    return [attempt(_delete, work, found, granted, command) for command in commands]


def _delete(
    work: UnitOfWork,
    found: LockedSchedules,
    granted: dict[UUID, list[Accommodation]],
    command: DeleteTestSchedule,
) -> Outcome:
    stage, viewer = ValidationErrors(), command.viewer
    booking = stage.of(found.one, viewer, command.test_schedule)
    stage.settle()
    assert booking is not None
    if booking.status is BookingStatus.DELETED:
        return Outcome(booking.id, changed=False)
    situation = ActionContext(booking, found.settings[booking.organization_id], work.now)
    require(TRANSITIONS, "delete", situation, viewer, "test_schedule")
    schedule = found.schedules[booking.id]
    after = next_version(
        booking,
        work.now,
        status=BookingStatus.DELETED,
        accommodation_count=0,
        extra_time_minutes=0,
        extra_break_minutes=0,
    )
    emptied = _emptied(schedule)
    found.bookings[booking.id], found.schedules[booking.id] = after, emptied
    work.save(Booking, [(booking, after)])
    work.save(TestSchedule, [(schedule, emptied)])
    accommodations = granted.pop(booking.id, [])
    keys = [{"organization_id": a.organization_id, "id": a.id} for a in accommodations]
    work.delete(Accommodation, keys)
    record_booking(
        work,
        ChangeType.DELETED,
        Cause(viewer, command.origin),
        before=booking,
        after=after,
        facts_before=schedule_facts(booking, schedule, work.now)
        | accommodation_facts(accommodations),
        facts_after=schedule_facts(after, emptied, work.now) | accommodation_facts([]),
    )
    return Outcome(booking.id)


def _emptied(schedule: TestSchedule) -> TestSchedule:
    """What the source answers: the schedule with its values null `[001]`."""
    return changed(
        schedule,
        keycode=None,
        deleted_keycode=schedule.keycode,
        pin=None,
        test_form_id=None,
        test_form_auto_selected=False,
        marker_user_id=None,
        marker_name=None,
        moderator_user_id=None,
        moderator_name=None,
        purchase_order=None,
        test_tags=[],
    )
