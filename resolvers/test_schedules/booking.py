"""Schedules candidates for tests: a batch, in the order lock, load, ask, write, record."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypedDict

from resolvers.bookings.accommodations import InitialAccommodation, accommodation_for, extra
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.sittings import ambiguous_time
from resolvers.changes import Cause, record_booking
from resolvers.links import CANDIDATE_CENTRES, CANDIDATE_SUBJECTS
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.refusals import Refused, ValidationErrors, attempt
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Organization,
    TestSchedule,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules import rules
from resolvers.test_schedules.choosing import ScheduleChoice, choose
from resolvers.test_schedules.commands import Adjustment, BookTestSchedule
from resolvers.test_schedules.facts import schedule_facts
from resolvers.test_schedules.preloaded import (
    PreloadedBatch,
    ScheduleRefs,
    Sitting,
    keycodes,
    references,
    schedule_key,
)
from resolvers.test_schedules.windows import (
    Dates,
    Window,
    ambiguous_edges,
    windows,
)
from resolvers.vocabulary import (
    AccommodationScope,
    BookingKind,
    ChangeType,
    Permission,
)

EXTRA_TEST_TIME = "extra-test-time"
EXTRA_BREAK_TIME = "extra-break-time"
UNSCHEDULED_BREAK = "unscheduled-break"


@dataclass(slots=True)
class PendingSchedule:
    """A test schedule that was made in this batch, before it is written."""

    booking: Booking
    schedule: TestSchedule
    accommodations: list[Accommodation]
    cause: Cause
    warnings: list[Warning] = field(default_factory=list)


@requires(Permission.SCHEDULE_TEST)
def book(work: UnitOfWork, commands: Sequence[BookTestSchedule]) -> list[Outcome | Refused]:
    """Schedule each candidate; the outcomes are in the order of the commands.

    A refusal leaves no trace of its command and does not touch the others. Refusals, of the input:
    PermissionRefusal, NotFoundRefusal, AmbiguousReference, Invalid, OutOfRange, NonexistentTime,
    WrongLength, PurchaseOrderRequired, EnforceTimesRequired, InvigilationRequiredByTest,
    MultiDaySchedulingDisabled, MarkerNotEnabled, ModeratorNotEnabled; then OpenScheduleExists,
    CentreSubjectNotAssociated, CandidateNotAssociated.
    """
    preloaded = PreloadedBatch(work, [_wanted(command) for command in commands])
    results = [attempt(_book, work, preloaded, command) for command in commands]
    _write(work, preloaded, [result for result in results if isinstance(result, PendingSchedule)])
    return [
        Outcome(result.booking.id, created=True, warnings=tuple(result.warnings))
        if isinstance(result, PendingSchedule)
        else result
        for result in results
    ]


def _wanted(command: BookTestSchedule) -> ScheduleRefs:
    return ScheduleRefs(
        viewer=command.viewer,
        test=command.test,
        centre=command.centre,
        candidate=command.candidate,
        on_date=command.start_date,
        subject=command.subject,
        test_form=command.test_form,
        users=(command.marker, command.moderator),
    )


def _book(
    work: UnitOfWork, preloaded: PreloadedBatch, command: BookTestSchedule
) -> PendingSchedule:
    chosen = choose(preloaded, command)
    _check_what_stands_in_the_way(work, preloaded, command, chosen)
    draft = _draft(work, preloaded, command, chosen)
    preloaded.candidate_schedules.write(draft.booking)
    if chosen.form is not None:
        preloaded.forms_used(chosen.candidate)[chosen.form.id] += 1
    return draft


def _check_what_stands_in_the_way(
    work: UnitOfWork, preloaded: PreloadedBatch, command: BookTestSchedule, chosen: ScheduleChoice
) -> None:
    """An open schedule, or a missing association. Raises: Refused."""
    stage, candidate, centre, test = (
        ValidationErrors(),
        chosen.candidate,
        chosen.centre,
        chosen.test,
    )
    at, until = work.now, None
    if command.imported:  # what matters is whether another one was open during this one
        made = _windows(preloaded, chosen)
        at, until = made[0].buffered_start, made[-1].buffered_end
    stage.of(
        rules.require_none_open,
        preloaded.candidate_schedules.of(candidate.id),
        test.id,
        at,
        "candidate",
        until=until,
        several_allowed=command.allow_multiple_open_sessions,
    )
    stage.of(
        rules.require_centre_has_subject,
        test.subject_id,
        preloaded.subjects_of_centre(centre),
        "centre",
    )
    if not command.associate:
        stage.of(
            rules.require_associated,
            centre.id,
            test.subject_id,
            "candidate",
            centres=preloaded.associated(candidate, CANDIDATE_CENTRES),
            subjects=preloaded.associated(candidate, CANDIDATE_SUBJECTS),
        )
    stage.settle()
    if command.associate:
        preloaded.associate(
            candidate, {CANDIDATE_CENTRES: centre.id, CANDIDATE_SUBJECTS: test.subject_id}
        )


def _buffer_hours(preloaded: PreloadedBatch, chosen: ScheduleChoice) -> int:
    settings: Organization = preloaded.settings[chosen.centre.organization_id]
    return 0 if chosen.enforced else settings.window_buffer_hours


def _windows(preloaded: PreloadedBatch, chosen: ScheduleChoice) -> list[Window]:
    buffer_hours = _buffer_hours(preloaded, chosen)
    return windows(chosen.dates, chosen.centre.time_zone, buffer_hours=buffer_hours)


def _draft(
    work: UnitOfWork, preloaded: PreloadedBatch, command: BookTestSchedule, chosen: ScheduleChoice
) -> PendingSchedule:
    """The rows of a schedule as they will be written, but for its reference and keycode."""
    centre, test, dates = chosen.centre, chosen.test, chosen.dates
    made = _windows(preloaded, chosen)
    cause = Cause(command.viewer, command.origin)
    booking = new_row(
        Booking,
        organization_id=centre.organization_id,
        id=schedule_key(),
        kind=BookingKind.TEST_SCHEDULE,
        reference="",
        status=rules.status_of_new(made[-1].buffered_end, work.now),
        candidate_id=chosen.candidate.id,
        centre_id=centre.id,
        test_id=test.id,
        subject_id=test.subject_id,
        time_zone=centre.time_zone,
        duration_minutes=test.duration_minutes,
        created_at=work.now,
        updated_at=work.now,
        **cause.as_columns("created_by"),
        **when(made),
    )
    granted = [
        accommodation_for(
            one, booking, cause, key=new_key(), break_minutes=test.break_minutes, now=work.now
        )
        for one in _granted(command)
    ]
    total = extra(granted)
    booking = lengthened(
        changed(
            booking,
            extra_time_minutes=total.time_minutes,
            extra_break_minutes=total.break_minutes,
            accommodation_count=len(granted),
        )
    )
    schedule = new_row(
        TestSchedule,
        organization_id=booking.organization_id,
        id=booking.id,
        pin=preloaded.pin(sitting(booking, dates)) if chosen.invigilated else None,
        test_form_id=None if chosen.form is None else chosen.form.id,
        test_form_auto_selected=chosen.form is not None and command.test_form is None,
        start_date=dates.start_date,
        end_date=dates.end_date,
        start_time=dates.start_time,
        end_time=dates.end_time,
        enforce_times=chosen.enforced,
        buffer_hours=_buffer_hours(preloaded, chosen),
        requires_invigilation=chosen.invigilated,
        marked_externally=command.marked_externally,
        allow_multiple_open_sessions=command.allow_multiple_open_sessions,
        test_tags=chosen.tags,
        marker_user_id=None if chosen.marker is None else chosen.marker.id,
        marker_name=None if chosen.marker is None else chosen.marker.name,
        moderator_user_id=None if chosen.moderator is None else chosen.moderator.id,
        moderator_name=None if chosen.moderator is None else chosen.moderator.name,
        purchase_order=command.purchase_order,
        language=chosen.language,
    )
    warnings = [ambiguous_time(name) for name in ambiguous_edges(dates, centre.time_zone)]
    if made[-1].buffered_end <= work.now:
        warnings.append(rules.window_is_over())
    cause = replace(cause, warnings=tuple(warnings))
    return PendingSchedule(booking, schedule, granted, cause, warnings)


class WhenScheduled(TypedDict):
    """The times of a booking."""

    local_start: datetime
    local_end: datetime
    start_at: datetime
    end_at: datetime
    busy_until_at: datetime
    opens_at: datetime
    closes_at: datetime


def when(made: Sequence[Window]) -> WhenScheduled:
    """The windows of a schedule as its booking's columns, without extra time."""
    first, last = made[0], made[-1]
    return {
        "local_start": first.local_start,
        "local_end": last.local_end,
        "start_at": first.start,
        "end_at": last.end,
        "busy_until_at": last.end,
        "opens_at": first.buffered_start,
        "closes_at": last.buffered_end,
    }


def lengthened(booking: Booking) -> Booking:
    """The booking busy for the extra time, too, that it was granted."""
    minutes = booking.extra_time_minutes + booking.extra_break_minutes
    assert booking.end_at is not None
    return changed(booking, busy_until_at=booking.end_at + timedelta(minutes=minutes))


def sitting(booking: Booking, dates: Dates) -> Sitting:
    """Who has the same PIN: those at the same centre, for the same test, from the same day."""
    assert booking.centre_id is not None
    assert booking.test_id is not None
    return booking.organization_id, booking.centre_id, booking.test_id, dates.start_date


def _granted(command: BookTestSchedule) -> list[InitialAccommodation]:
    """The adjustments as what a booking begins with."""
    given: list[tuple[str, AccommodationScope, Adjustment]] = [
        (EXTRA_TEST_TIME, AccommodationScope.TEST_TIME, command.reasonable_adjustments),
        (EXTRA_BREAK_TIME, AccommodationScope.BREAK_TIME, command.break_adjustments),
        (
            UNSCHEDULED_BREAK,
            AccommodationScope.UNSCHEDULED_BREAK,
            Adjustment(extra_time_minutes=command.unscheduled_break_minutes),
        ),
    ]
    return [
        InitialAccommodation(
            type=kind,
            scope=scope,
            time_extension_minutes=one.extra_time_minutes,
            extra_time_percentage=one.extra_time_percentage,
            extra_breaks_per_section=one.extra_breaks_per_section,
            reason=one.reason,
        )
        for kind, scope, one in given
        if one.says_something
    ]


def _write(work: UnitOfWork, preloaded: PreloadedBatch, scheduled: list[PendingSchedule]) -> None:
    if not scheduled:
        return
    owners = [(one.booking.organization_id, one.booking.id) for one in scheduled]
    codes = keycodes(work, [organization_id for organization_id, _ in owners], len(owners))
    names = references(work, owners)
    for one, keycode, reference in zip(scheduled, codes, names, strict=True):
        one.booking = changed(one.booking, reference=reference)
        one.schedule = changed(one.schedule, keycode=keycode)
    preloaded.write()
    work.insert(Booking, [one.booking for one in scheduled])
    work.insert(TestSchedule, [one.schedule for one in scheduled])
    work.insert(Accommodation, [a for one in scheduled for a in one.accommodations])
    for one in scheduled:
        record_booking(
            work,
            ChangeType.CREATED,
            one.cause,
            before=None,
            after=one.booking,
            facts_before=None,
            facts_after=schedule_facts(one.booking, one.schedule, work.now)
            | accommodation_facts(one.accommodations),
        )
