"""Who may have a seat, and when. Pure: rows and `now` in, nothing or a refusal out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from resolvers.bookings.diaries import Diaries
from resolvers.bookings.seats import UNKNOWN_LENGTH
from resolvers.refusals import (
    AttemptsExhausted,
    DuplicateBooking,
    Invalid,
    NotEligible,
    OnDemandTimeNotAllowed,
    OnDemandTimeRequired,
    OutOfRange,
    PersonCodeRequired,
    Required,
    ResitAfterPassDisabled,
    ResitResultRequired,
    ResitTooEarly,
)
from resolvers.storage.tables import Booking, Candidate, Event, Module, Organization, Room, Test
from resolvers.times import instant_of, is_ambiguous, wall_time_of
from resolvers.vocabulary import BookingKind, BookingStatus, EnrolmentResult

ATTEMPTED = frozenset({BookingStatus.COMPLETED, BookingStatus.NO_SHOW})
"""The statuses in which an enrolment was an attempt at its test."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """When a booking takes place, on the clock that counts for it."""

    time_zone: str
    local_start: datetime | None
    local_end: datetime | None
    start_at: datetime | None
    end_at: datetime | None
    busy_until_at: datetime | None
    duration_minutes: int | None
    extra_time_minutes: int = 0
    extra_break_minutes: int = 0
    ambiguous: bool = False


def choose_room(
    event: Event, given: Room | None, *, online: bool, own: Room | None, path: str = "room"
) -> Room | None:
    """The room of a booking: the one given, else the event's own; none online.

    Raises: Invalid (a room for an online booking, or one that is not at the venue), Required.
    """
    if online:
        if given is not None:
            raise Invalid("input", path, rule="cannot be given for an online booking")
        return None
    room = given or own
    if room is None:
        raise Required("input", path)
    if event.venue_id is not None and room.centre_id != event.venue_id:
        raise Invalid("input", path, rule="is not at the event's venue")
    return room


def choose_module(
    event: Event, modules: Sequence[UUID], given: Module | None, *path: str
) -> UUID | None:
    """The module of a booking: the one given, else the event's only one.

    Raises: Invalid (not one of the event's), Required (eligibility is configured, and there are
    several).
    """
    if given is not None:
        if given.id not in modules:
            raise Invalid(*path, rule="is not one of the event's modules")
        return given.id
    if len(modules) == 1:
        return modules[0]
    if modules and event.eligibility_configured:
        raise Required(*path)
    return None


def sitting_of(
    event: Event,
    on_demand_time: datetime | None,
    *,
    time_zone: str,
    now: datetime,
    may_be_past: bool = False,
    extra_time_minutes: int = 0,
    extra_break_minutes: int = 0,
    path: str = "onDemandBookingTime",
) -> Sitting:
    """When the booking takes place: the event's times, or its own at an event on demand.

    Raises: OnDemandTimeRequired, OnDemandTimeNotAllowed, OutOfRange (past, or a time that the clock
    skips).
    """
    extra = timedelta(minutes=extra_time_minutes)
    breaks = timedelta(minutes=extra_break_minutes)
    start: datetime | None
    busy_until: datetime | None
    ambiguous = False
    if event.on_demand:
        if on_demand_time is None:
            raise OnDemandTimeRequired("input", path)
        on_demand_time = on_demand_time.replace(microsecond=0)  # a wall time has whole seconds
        start = instant_of(on_demand_time, time_zone, "input", path)
        if start < now and not may_be_past:
            raise OutOfRange("input", path, rule="must not be in the past")
        ambiguous = is_ambiguous(on_demand_time, time_zone)
        minutes = event.duration_minutes
        end = None if minutes is None else start + timedelta(minutes=minutes) + extra
        busy_until = max(end or start, start + UNKNOWN_LENGTH) + breaks
    else:
        if on_demand_time is not None:
            raise OnDemandTimeNotAllowed("input", path)
        start, end = event.start_at, event.end_at
        busy_until = None
        if start is not None:
            busy_until = max(end or start, start + UNKNOWN_LENGTH) + extra + breaks
    return Sitting(
        time_zone=time_zone,
        local_start=None if start is None else wall_time_of(start, time_zone),
        local_end=None if end is None else wall_time_of(end, time_zone),
        start_at=start,
        end_at=end,
        busy_until_at=busy_until,
        duration_minutes=event.duration_minutes,
        extra_time_minutes=extra_time_minutes,
        extra_break_minutes=extra_break_minutes,
        ambiguous=ambiguous,
    )


def same_test(booking: Booking, event: Event) -> bool:
    """Whether an enrolment was for the test of an event; without a test, for the same event."""
    if booking.kind is not BookingKind.ENROLMENT:
        return False
    if event.test_id is not None:
        return booking.test_id == event.test_id
    return booking.event_id == event.id


def awaiting_result(bookings: Iterable[Booking], event: Event, now: datetime) -> list[Booking]:
    """Enrolments for the same test that have begun and have no result `[000]`."""
    return [
        b
        for b in bookings
        if same_test(b, event)
        and b.status is BookingStatus.CONFIRMED
        and b.start_at is not None
        and b.start_at <= now
    ]


def require_no_duplicate(
    diaries: Diaries, candidate_id: UUID, event: Event, now: datetime, *, but: UUID | None = None
) -> None:
    """One live booking for an event, of any kind, and one enrolment ahead for a test.

    Unless the event allows several. One that awaits its result is the resit rule's matter.
    Raises: DuplicateBooking.
    """
    if event.allow_multiple_registrations:
        return
    live = [b for b in diaries.live(candidate_id) if b.id != but]
    awaiting = {b.id for b in awaiting_result(live, event, now)}
    duplicates = [
        b.id
        for b in live
        if b.id not in awaiting and (b.event_id == event.id or same_test(b, event))
    ]
    if duplicates:
        raise DuplicateBooking(conflicting=duplicates)


def attempts(bookings: Iterable[Booking], event: Event) -> list[Booking]:
    """The candidate's earlier attempts at the event's test, in the order given."""
    return [b for b in bookings if b.status in ATTEMPTED and same_test(b, event)]


def require_resit_allowed(
    bookings: Sequence[Booking],
    results: dict[UUID, EnrolmentResult | None],
    event: Event,
    *,
    start_at: datetime | None,
    test: Test | None,
    settings: Organization,
    now: datetime,
) -> None:
    """Another attempt only after the result of the one before, and as the rules of resits say.

    Raises: ResitResultRequired, AttemptsExhausted, ResitAfterPassDisabled, ResitTooEarly.
    """
    if awaiting_result(bookings, event, now):
        raise ResitResultRequired
    earlier = attempts(bookings, event)
    if test is not None and test.max_attempts is not None and len(earlier) >= test.max_attempts:
        raise AttemptsExhausted
    passed = any(results.get(b.id) is EnrolmentResult.PASS for b in earlier)
    if passed and not settings.allow_resit_after_pass:
        raise ResitAfterPassDisabled
    starts = [b.start_at for b in earlier if b.start_at is not None]
    if starts and start_at is not None and settings.min_days_between_attempts:
        earliest = max(starts) + timedelta(days=settings.min_days_between_attempts)
        if start_at < earliest:
            raise ResitTooEarly(deadline=earliest)


def require_eligible(
    event: Event,
    *,
    module_id: UUID | None,
    event_modules: Collection[UUID],
    candidate_modules: Collection[UUID],
    groups: Collection[UUID],
) -> None:
    """The candidate is in the event's learner group and, where that is configured, has its module.

    Raises: NotEligible.
    """
    group = event.learner_registration_group_identifier
    if group is not None and group not in groups:
        raise NotEligible
    if event.eligibility_configured:
        wanted = {module_id} if module_id is not None else set(event_modules)
        if not wanted.intersection(candidate_modules):
            raise NotEligible


def require_person_code(event: Event, candidate: Candidate) -> None:
    """Raises: PersonCodeRequired."""
    if event.person_code_is_required and candidate.reference_generated:
        raise PersonCodeRequired
