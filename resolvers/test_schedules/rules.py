"""What a test schedule may be like. Pure: rows, values and `now` in, nothing or a refusal out."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Unpack
from uuid import UUID

from resolvers import checks
from resolvers.bookings.accommodations import BREAKS, PERCENT
from resolvers.outcomes import Warning
from resolvers.refusals import (
    Invalid,
    OneRequired,
    OutOfRange,
    PermissionRefusal,
    ValidationErrors,
    WrongLength,
)
from resolvers.storage.tables import Booking, Organization, Test, User
from resolvers.test_schedules.commands import Adjustment, BookTestSchedule
from resolvers.test_schedules.refusals import (
    CandidateNotAssociated,
    CentreSubjectNotAssociated,
    EnforceTimesRequired,
    InvigilationRequiredByTest,
    MarkerNotEnabled,
    ModeratorNotEnabled,
    MultiDaySchedulingDisabled,
    OpenScheduleExists,
    PurchaseOrderRequired,
)
from resolvers.test_schedules.windows import Dates
from resolvers.texts import distinct, normalized
from resolvers.viewer import Keys, Scope
from resolvers.vocabulary import AccessScope, BookingKind, BookingStatus, Permission, WarningCode

LONGEST_WINDOW = 366
LONGEST_TAG = 250
MOST_TAGS = 50
YEARS = (1900, 9998)
"""The years of dates whose instants every part can hold, buffer included."""

DATES = ("start_date", "end_date", "start_time", "end_time")
"""The names under which callers send the dates and times of a window."""

BEGUN_OR_AHEAD = frozenset({BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS})


# ---------------------------------------------------------------- fields


def sent(given: Collection[str], *names: str) -> str:
    """The first of these names that the caller sent; the first of all if none was."""
    return next((name for name in names if name in given), names[0])


def check_dates(
    dates: Dates, settings: Organization, stage: ValidationErrors, given: Collection[str] = DATES
) -> bool:
    """Check the dates and times. Returns whether windows can be made of them.

    `given` are the names of those that the caller sent; a refusal names one of them.
    Refusals: OutOfRange, MultiDaySchedulingDisabled.
    """
    last_day, last_time = (
        sent(given, "end_date", "start_date"),
        sent(given, "end_time", "start_time"),
    )
    before = len(stage.refusals)
    for name, day in (("start_date", dates.start_date), ("end_date", dates.end_date)):
        stage.of(checks.number, day.year, name, least=YEARS[0], most=YEARS[1])
    by_end = last_day == "end_date"
    if dates.count < 1:
        rule = "must not be before the start date" if by_end else "must not be after the end date"
        stage.add(OutOfRange(last_day, rule=rule))
    elif dates.count > LONGEST_WINDOW:
        other = "after the start date" if by_end else "before the end date"
        rule = f"must be at most {LONGEST_WINDOW} days {other}, both included"
        stage.add(OutOfRange(last_day, rule=rule))
    if dates.end_time <= dates.start_time:
        by_end = last_time == "end_time"
        rule = "must be later than the start time" if by_end else "must be before the end time"
        stage.add(OutOfRange(last_time, rule=rule))
    possible = len(stage.refusals) == before
    if dates.count > 1 and not settings.test_scheduling_over_multiple_days:
        stage.add(MultiDaySchedulingDisabled(last_day))
    return possible


def check_adjustments(command: BookTestSchedule, stage: ValidationErrors) -> None:
    """Refusals: OutOfRange, WrongLength, Invalid."""
    _check_adjustment(command.reasonable_adjustments, "reasonable_adjustments", stage)
    _check_adjustment(command.break_adjustments, "break_adjustments", stage)
    minutes, path = command.unscheduled_break_minutes, ("unscheduled_break_minutes",)
    stage.of(checks.number, minutes, *path, least=0, most=checks.EXTRA_MINUTES)


def _check_adjustment(given: Adjustment, name: str, stage: ValidationErrors) -> None:
    for field, value, most in (
        ("extra_time_minutes", given.extra_time_minutes, checks.EXTRA_MINUTES),
        ("extra_time_percentage", given.extra_time_percentage, PERCENT),
        ("extra_breaks_per_section", given.extra_breaks_per_section, BREAKS),
    ):
        stage.of(checks.number, value, name, field, least=0, most=most)
    stage.of(checks.text, given.reason, name, "reason", most=checks.REASON)


def tidy_tags(given: Sequence[str], stage: ValidationErrors) -> list[str]:
    """The tags trimmed, each once, in their order. Refusals: WrongLength, Invalid, OutOfRange."""
    tags = [normalized(tag) for tag in given]
    for n, tag in enumerate(tags):
        path = ("test_tags", str(n))
        if not tag:
            stage.add(WrongLength(*path, min_length=1, max_length=LONGEST_TAG))
        else:
            stage.of(checks.text, tag, *path, least=1, most=LONGEST_TAG)
    tags = distinct(tags)
    stage.of(checks.size, tags, "test_tags", most=MOST_TAGS)
    return tags


def check_purchase_order(given: str | None, settings: Organization) -> None:
    """Raises: PurchaseOrderRequired, WrongLength, Invalid."""
    path = ("purchase_order",)
    if settings.purchase_order_number_for_scheduling and not normalized(given or ""):
        raise PurchaseOrderRequired(*path)
    checks.code(given, *path)


def choose_enforced(given: bool | None, settings: Organization) -> bool:
    """Whether the window is meant exactly: not, unless said so. Raises: EnforceTimesRequired."""
    if given is None and settings.enforce_times_required:
        raise EnforceTimesRequired("enforce_times")
    return bool(given)


def choose_invigilated(given: bool | None, test: Test) -> bool:
    """As the test has it unless given `[001]`. Raises: InvigilationRequiredByTest."""
    if given is False and test.requires_invigilation:
        raise InvigilationRequiredByTest("requires_invigilation")
    return test.requires_invigilation if given is None else given


def choose_language(given: str | None, test: Test) -> str:
    """One of the test's languages, in any case; its default unless given. Raises: Invalid."""
    if given is None:
        return test.default_language
    languages: list[str] = [test.default_language, *test.languages]
    for language in languages:
        if language.casefold() == given.casefold():
            return language
    allowed = dict.fromkeys(languages)
    raise Invalid("language", rule="is not one of the test's languages", allowed=allowed)


def require_subject(test: Test, subject_id: UUID | None) -> None:
    """Raises: Invalid."""
    if subject_id is not None and test.subject_id != subject_id:
        raise Invalid("subject", rule="is not the subject of the test")


def require_marker(test: Test, user: User) -> None:
    """Raises: MarkerNotEnabled, Invalid."""
    if not test.allows_markers:
        raise MarkerNotEnabled("marker")
    if not (user.active and user.may_mark):
        raise Invalid("marker", rule="is not permitted to mark")


def require_moderator(test: Test, user: User) -> None:
    """Raises: ModeratorNotEnabled, Invalid."""
    if not test.allows_moderators:
        raise ModeratorNotEnabled("moderator")
    if not (user.active and user.may_moderate):
        raise Invalid("moderator", rule="is not permitted to moderate")


def require_target(*given: object) -> None:
    """A move needs somewhere to go. Raises: OneRequired."""
    if all(value is None for value in given):
        names = ("to_centre", "start_date", "end_date", "start_time", "end_time")
        raise OneRequired("to_centre", names=names)


# ---------------------------------------------------------------- who may


def check_scope(
    scope: Scope,
    permission: Permission,
    stage: ValidationErrors,
    *,
    paths: dict[AccessScope, str],
    **keys: Unpack[Keys],
) -> None:
    """Check that a schedule with these keys is in scope.

    Refusals: PermissionRefusal, one for each association that is missing `[001]`.
    """
    for missing in scope.all_missing(**keys):
        path = (paths[missing],) if missing in paths else ()
        stage.add(PermissionRefusal(*path, required=permission, missing_scope=missing))


# ---------------------------------------------------------------- what stands in the way


def open_schedules(
    bookings: Iterable[Booking],
    test_id: UUID,
    now: datetime,
    *,
    until: datetime | None = None,
    but: UUID | None = None,
) -> list[Booking]:
    """The candidate's schedules for a test whose window, buffer included, closes after `now`.

    `until` is given for a schedule of the past, whose window began at `now` and ended at `until`:
    then only those that open before its end, also those that have expired since. An import gives
    the same result on whichever day it runs.
    """
    statuses = BEGUN_OR_AHEAD if until is None else BEGUN_OR_AHEAD | {BookingStatus.EXPIRED}
    return [
        b
        for b in bookings
        if b.kind is BookingKind.TEST_SCHEDULE
        and b.id != but
        and b.test_id == test_id
        and b.status in statuses
        and b.closes_at is not None
        and b.closes_at > now
        and (until is None or b.opens_at is None or b.opens_at < until)
    ]


def require_none_open(
    bookings: Iterable[Booking],
    test_id: UUID,
    now: datetime,
    *path: str,
    several_allowed: bool,
    until: datetime | None = None,
    but: UUID | None = None,
) -> None:
    """Raises: OpenScheduleExists."""
    found = open_schedules(bookings, test_id, now, until=until, but=but)
    if found and not several_allowed:
        raise OpenScheduleExists(*path, conflicting=[b.id for b in found])


def require_centre_has_subject(
    subject_id: UUID | None, subjects: Collection[UUID], *path: str
) -> None:
    """Raises: CentreSubjectNotAssociated."""
    if subject_id is not None and subject_id not in subjects:
        raise CentreSubjectNotAssociated(*path)


def require_associated(
    centre_id: UUID,
    subject_id: UUID | None,
    *path: str,
    centres: Collection[UUID],
    subjects: Collection[UUID],
) -> None:
    """The candidate is the centre's, and the subject's where the test has one.

    Raises: CandidateNotAssociated.
    """
    if centre_id not in centres or (subject_id is not None and subject_id not in subjects):
        raise CandidateNotAssociated(*path)


# ---------------------------------------------------------------- worth knowing


def status_of_new(closes_at: datetime, now: datetime) -> BookingStatus:
    """A window that is over already is accepted, and EXPIRED at once."""
    return BookingStatus.EXPIRED if closes_at <= now else BookingStatus.CONFIRMED


def window_is_over(given: Collection[str] = DATES) -> Warning:
    message = "The window is already over: the test schedule has expired."
    path = (sent(given, "end_date", "end_time", "start_date", "start_time"),)
    return Warning(WarningCode.WINDOW_IS_OVER, message, path)
