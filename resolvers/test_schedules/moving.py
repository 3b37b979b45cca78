"""Moves test schedules to another window or centre."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resolvers import checks
from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import find, require_version, state_of
from resolvers.bookings.sittings import ambiguous_time
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.links import CANDIDATE_CENTRES, CANDIDATE_SUBJECTS
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.references import ByKey, Lookup, look_up
from resolvers.refusals import Refused, StaleBooking, ValidationErrors, attempt
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Centre, TestSchedule
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.test_schedules import rules
from resolvers.test_schedules.booking import lengthened, sitting, when
from resolvers.test_schedules.choosing import PATHS
from resolvers.test_schedules.commands import MoveTestSchedule
from resolvers.test_schedules.facts import schedule_facts
from resolvers.test_schedules.preloaded import PreloadedBatch, ScheduleRefs
from resolvers.test_schedules.transitions import TRANSITIONS
from resolvers.test_schedules.windows import (
    Dates,
    ambiguous_edges,
    check_windows,
    dates_of,
    windows,
)
from resolvers.vocabulary import AccessScope, BookingKind, BookingStatus, ChangeType, Permission

PATHS_OF_TARGET = {**PATHS, AccessScope.CENTRE: "to_centre", AccessScope.SUBJECT: "test_schedule"}


@dataclass(slots=True)
class PendingMove:
    """A schedule that moves in this batch, before it is written."""

    booking: tuple[Booking, Booking]
    schedule: tuple[TestSchedule, TestSchedule]
    cause: Cause
    warnings: tuple[Warning, ...]


@requires(Permission.MOVE)
def move(work: UnitOfWork, commands: Sequence[MoveTestSchedule]) -> list[Outcome | Refused]:
    """Give each schedule its new window and centre; moving to the same place changes nothing.

    The outcomes are in the order of the commands. Refusals: PermissionRefusal, NotFoundRefusal,
    AmbiguousReference, Invalid, Required, WrongLength, OutOfRange, NonexistentTime,
    MultiDaySchedulingDisabled; StaleBooking; IllegalState, OpenScheduleExists,
    CentreSubjectNotAssociated, CandidateNotAssociated.
    """
    movers = _MoveBatch(work, commands)
    results = [attempt(movers.move, command) for command in commands]
    movers.write([result for result in results if isinstance(result, PendingMove)])
    return [
        Outcome(result.booking[1].id, warnings=result.warnings)
        if isinstance(result, PendingMove)
        else result
        for result in results
    ]


class _MoveBatch:
    """The batch: what it needs, and its moves one after the other."""

    def __init__(self, work: UnitOfWork, commands: Sequence[MoveTestSchedule]) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.test_schedule) for c in commands)
        )
        keys = [
            (row.organization_id, row.id)
            for row in self._found.rows()
            if row.kind is BookingKind.TEST_SCHEDULE
        ]
        self._schedules: dict[UUID, TestSchedule] = {
            row.id: row for row in loading.of_keys(work, TestSchedule, "id", keys)
        }
        self._preloaded = PreloadedBatch(
            work, [w for c in commands if (w := self._wanted(c)) is not None]
        )
        self._locked = loading.lock(work, Booking, [(b.organization_id, b.id) for b in self._all()])
        # read again: somebody may have moved it before it was locked
        self._schedules.update(
            {row.id: row for row in loading.of_keys(work, TestSchedule, "id", keys)}
        )
        for key in self._schedules:
            self._preloaded.candidate_schedules.write(self._locked[key])

    def _all(self) -> list[Booking]:
        return self._found.rows()

    def _wanted(self, command: MoveTestSchedule) -> ScheduleRefs | None:
        booking = self._found.first(command.viewer, command.test_schedule)
        if booking is None or booking.kind is not BookingKind.TEST_SCHEDULE:
            return None
        assert booking.centre_id is not None
        assert booking.test_id is not None
        return ScheduleRefs(
            viewer=command.viewer,
            test=ByKey(booking.test_id),
            centre=command.to_centre or ByKey(booking.centre_id),
            candidate=ByKey(booking.candidate_id),
            on_date=command.start_date or self._schedules[booking.id].start_date,
        )

    def move(self, command: MoveTestSchedule) -> PendingMove | Outcome:
        booking, schedule, dates, centre = self._target(command)
        situation = self._situation(booking)
        require_version(situation, command.viewer, command.expected_version)
        here = (booking.centre_id, dates_of(schedule)) == (centre.id, dates)
        if here and situation.status is BookingStatus.CONFIRMED:
            return Outcome(booking.id, changed=False)
        self._check_what_stands_in_the_way(command, booking, schedule, centre)
        return self._moved(command, booking, schedule, dates, centre)

    def _target(self, command: MoveTestSchedule) -> tuple[Booking, TestSchedule, Dates, Centre]:
        """What moves, and where it goes, with every mistake at once. Raises: Refused."""
        stage, viewer, preloaded = ValidationErrors(), command.viewer, self._preloaded
        booking = stage.of(
            find,
            self._found,
            self._locked,
            viewer,
            command.test_schedule,
            "test_schedule",
            kind=BookingKind.TEST_SCHEDULE,
        )
        stage.of(checks.text, command.reason, "reason", most=checks.REASON)
        given = (command.start_date, command.end_date, command.start_time, command.end_time)
        stage.of(rules.require_target, command.to_centre, *given)
        if booking is None:
            raise Refused(stage.refusals)
        schedule = self._schedules[booking.id]
        dates = Dates(
            command.start_date or schedule.start_date,
            command.end_date or schedule.end_date,
            schedule.start_time if command.start_time is None else command.start_time,
            schedule.end_time if command.end_time is None else command.end_time,
        )
        centre = stage.of(self._centre, command, booking)
        if centre is not None:
            rules.check_scope(
                viewer.scope,
                Permission.MOVE,
                stage,
                centre_id=centre.id,
                subject_id=booking.subject_id,
                candidate_id=booking.candidate_id,
                paths=PATHS_OF_TARGET,
            )
        settings = preloaded.settings[viewer.organization_id]
        names = _names_of_given(command)
        if rules.check_dates(dates, settings, stage, names) and centre is not None:
            check_windows(dates, centre.time_zone, stage, _edges(names))
        stage.settle()
        assert centre is not None
        return booking, schedule, dates, centre

    def _centre(self, command: MoveTestSchedule, booking: Booking) -> Centre:
        """Where it goes, or stays.

        Raises: NotFoundRefusal, AmbiguousReference, Invalid, StaleBooking (it went elsewhere).
        """
        viewer, path = command.viewer, ("to_centre",)
        if command.to_centre is not None:
            centre: Centre = self._preloaded.centres.one(viewer, command.to_centre, *path)
            return centre
        assert booking.centre_id is not None
        here: Centre | None = next(
            (row for row in self._preloaded.centres.rows() if row.id == booking.centre_id), None
        )
        if here is None:
            raise StaleBooking(*path, **state_of(self._situation(booking), viewer))
        return here

    def _check_what_stands_in_the_way(
        self, command: MoveTestSchedule, booking: Booking, schedule: TestSchedule, centre: Centre
    ) -> None:
        """Its state; then, as for a new one, an open schedule or a missing association.

        Raises: Refused.
        """
        stage, preloaded, path = ValidationErrors(), self._preloaded, ("test_schedule",)
        stage.of(require, TRANSITIONS, "move", self._situation(booking), command.viewer, *path)
        stage.settle()
        assert booking.test_id is not None
        stage.of(
            rules.require_none_open,
            preloaded.candidate_schedules.of(booking.candidate_id),
            booking.test_id,
            self._work.now,
            *path,
            several_allowed=schedule.allow_multiple_open_sessions,
            but=booking.id,
        )
        stage.of(
            rules.require_centre_has_subject,
            booking.subject_id,
            preloaded.subjects_of_centre(centre),
            "to_centre",
        )
        candidate = preloaded.candidate(command.viewer, ByKey(booking.candidate_id), *path)
        stage.of(
            rules.require_associated,
            centre.id,
            booking.subject_id,
            "to_centre",
            centres=preloaded.associated(candidate, CANDIDATE_CENTRES),
            subjects=preloaded.associated(candidate, CANDIDATE_SUBJECTS),
        )
        stage.settle()

    def _moved(
        self,
        command: MoveTestSchedule,
        booking: Booking,
        schedule: TestSchedule,
        dates: Dates,
        centre: Centre,
    ) -> PendingMove:
        now, preloaded = self._work.now, self._preloaded
        settings = preloaded.settings[booking.organization_id]
        buffer_hours = 0 if schedule.enforce_times else settings.window_buffer_hours
        made = windows(dates, centre.time_zone, buffer_hours=buffer_hours)
        after = next_version(
            booking,
            now,
            status=rules.status_of_new(made[-1].buffered_end, now),
            centre_id=centre.id,
            time_zone=centre.time_zone,
            **when(made),
        )
        after = lengthened(after)
        pin = preloaded.pin(sitting(after, dates)) if schedule.requires_invigilation else None
        schedule_after = changed(
            schedule,
            start_date=dates.start_date,
            end_date=dates.end_date,
            start_time=dates.start_time,
            end_time=dates.end_time,
            buffer_hours=buffer_hours,
            pin=pin,
        )
        names = _names_of_given(command)
        edges = _edges(names)
        twice = ambiguous_edges(dates, centre.time_zone)
        warnings = [ambiguous_time(edges[name]) for name in twice]
        if after.status is BookingStatus.EXPIRED:
            warnings.append(rules.window_is_over(names))
        self._locked[booking.id], self._schedules[booking.id] = after, schedule_after
        preloaded.candidate_schedules.write(after)
        warned = tuple(warnings)
        cause = Cause(command.viewer, command.origin, command.reason, warnings=warned)
        return PendingMove((booking, after), (schedule, schedule_after), cause, warned)

    def _situation(self, booking: Booking) -> ActionContext:
        return ActionContext(
            booking, self._preloaded.settings[booking.organization_id], self._work.now
        )

    def write(self, moved: Sequence[PendingMove]) -> None:
        work = self._work
        self._preloaded.write()
        for one in moved:  # in order, since a schedule may move twice in a batch
            work.save(Booking, [one.booking])
            work.save(TestSchedule, [one.schedule])
            (booking, after), (schedule, schedule_after) = one.booking, one.schedule
            record_booking(
                work,
                ChangeType.MOVED,
                one.cause,
                before=booking,
                after=after,
                facts_before=schedule_facts(booking, schedule, work.now),
                facts_after=schedule_facts(after, schedule_after, work.now),
            )


def _names_of_given(command: MoveTestSchedule) -> tuple[str, ...]:
    """The names of the centre, dates and times that the caller sent."""
    given = {
        "to_centre": command.to_centre,
        "start_date": command.start_date,
        "end_date": command.end_date,
        "start_time": command.start_time,
        "end_time": command.end_time,
    }
    return tuple(name for name, value in given.items() if value is not None)


def _edges(given: Sequence[str]) -> dict[str, str]:
    """Which argument to name for a time of day that is wrong on one of the dates."""
    return {
        name: rules.sent(given, name, "start_date", "end_date", "to_centre")
        for name in ("start_time", "end_time")
    }
