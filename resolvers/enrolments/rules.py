"""The rules for seats. Pure: they take rows and `now`, and return nothing or raise a refusal."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.refusals import (
    AttemptsExhausted,
    DuplicateBooking,
    Invalid,
    Required,
    ResitAfterPassDisabled,
    ResitResultRequired,
    ResitTooEarly,
)
from resolvers.storage.tables import Booking, Event, Module, Organization, Room, Test
from resolvers.vocabulary import BookingKind, BookingStatus, EnrolmentResult

ATTEMPTED = frozenset({BookingStatus.COMPLETED, BookingStatus.NO_SHOW})
"""The statuses in which an enrolment counts as an attempt."""


def choose_room(
    event: Event, given: Room | None, *, online: bool, own: Room | None, path: str = "room"
) -> Room | None:
    """The room of a booking: the given one, else the event's own; none if it is online.

    Raises: Invalid (a room for an online booking, or one that is not at the centre), Required.
    """
    if online:
        if given is not None:
            raise Invalid(path, rule="cannot be given for an online booking")
        return None
    room = given or own
    if room is None:
        raise Required(path)
    if event.venue_id is not None and room.centre_id != event.venue_id:
        raise Invalid(path, rule="is not at the event's centre")
    return room


def choose_module(
    event: Event, modules: Sequence[UUID], given: Module | None, *path: str
) -> UUID | None:
    """The module of a booking: the given one, else the event's only one.

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


def same_test(booking: Booking, event: Event) -> bool:
    """Whether an enrolment is for the same test as an event; without a test, for the same event."""
    if booking.kind is not BookingKind.ENROLMENT:
        return False
    if event.test_id is not None:
        return booking.test_id == event.test_id
    return booking.event_id == event.id


def awaiting_result(bookings: Iterable[Booking], event: Event, now: datetime) -> list[Booking]:
    """Enrolments for the same test that have started and have no result `[000]`."""
    return [
        b
        for b in bookings
        if same_test(b, event)
        and b.status is BookingStatus.CONFIRMED
        and b.start_at is not None
        and b.start_at <= now
    ]


def require_no_duplicate(
    candidate_schedules: CandidateSchedules,
    candidate_id: UUID,
    event: Event,
    now: datetime,
    *,
    but: UUID | None = None,
) -> None:
    """Allow one live booking for an event, of any kind, and one future enrolment for a test.

    The event may allow several. The resit rule handles enrolments that await a result.
    Raises: DuplicateBooking.
    """
    if event.allow_multiple_registrations:
        return
    live = [b for b in candidate_schedules.live(candidate_id) if b.id != but]
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
    """Allow another attempt only after the result of the previous one, within the rules for resits.

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
