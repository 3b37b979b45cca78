"""Sessions and clock-dependent statuses of test schedules; domain.md, section 8.2."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.actions import ActionContext, allowed
from resolvers.bookings.clock import current_status
from resolvers.bookings.kinds import kind_of
from resolvers.bookings.reads import bookings_count, bookings_order, bookings_page
from resolvers.outcomes import Outcome
from resolvers.storage.filters import AllOf, Condition, Not, Operator
from resolvers.storage.paging import page_request
from resolvers.storage.tables import Organization
from resolvers.test_schedules.commands import Adjustment
from resolvers.test_schedules.transitions import schedule_status
from resolvers.vocabulary import BookingAction, BookingKind, BookingStatus, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import in_role, places
from tests.resolvers.test_schedules.conftest import Schedules
from tests.resolvers.world import codes

OPENS = datetime(2027, 1, 31, 21, tzinfo=UTC)
CLOSES = datetime(2027, 2, 4, 5, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOON = datetime(2027, 2, 2, 12, tzinfo=UTC)
A = BookingAction


@pytest.mark.parametrize(
    ("now", "common", "fine"),
    [
        (OPENS - MICROSECOND, "CONFIRMED", "SCHEDULED"),
        (OPENS, "CONFIRMED", "OPEN"),
        (datetime(2027, 2, 2, 3, tzinfo=UTC), "CONFIRMED", "OPEN"),
        (CLOSES - MICROSECOND, "CONFIRMED", "OPEN"),
        (CLOSES, "EXPIRED", "EXPIRED"),
    ],
)
async def test_the_clock_opens_and_expires_a_schedule(
    world: Schedules, clock: SettableClock, now: datetime, common: str, fine: str
) -> None:
    """Status, filters and allowed actions change at the exact instants."""
    key = await world.scheduled()
    row = await world.row(key)
    clock.now = now

    async def found(*statuses: str) -> list[UUID]:
        return await found_by(world, now, Condition("status", Operator.IN, statuses))

    assert current_status(row.kind, row.status, row.closes_at, now) == common
    assert schedule_status(row.status, row.opens_at, row.closes_at, now) == fine
    expired = common == "EXPIRED"
    assert await found("EXPIRED") == ([key] if expired else [])
    assert await found("CONFIRMED") == ([] if expired else [key])
    assert await found("EXPIRED", "CONFIRMED", "CANCELLED") == [key]
    assert await found("CANCELLED") == []
    [settings] = await world.rows(Organization, "id", world.viewer.organization_id)
    actions = allowed(kind_of(row).transitions, ActionContext(row, settings, now), world.viewer)
    assert set(actions) == (
        set() if expired else {A.MOVE, A.CANCEL, A.DELETE, A.GRANT_ACCOMMODATION}
    )


async def found_by(world: Schedules, now: datetime, condition: Any) -> list[UUID]:
    """Return the schedules that a filter finds at an instant; the count must agree."""
    page = page_request(bookings_order(None), first=10, after=None, last=None, before=None)
    kind = BookingKind.TEST_SCHEDULE
    rows = await world.storage.read(bookings_page(world.viewer, page, condition, kind, now=now))
    [count] = await world.storage.read(bookings_count(world.viewer, condition, kind, now=now))
    assert count.total == len(rows)
    return [row.id for row in rows]


async def test_filters_that_deny_or_combine_follow_the_clock(
    world: Schedules, clock: SettableClock
) -> None:
    """`not` and `and` use the displayed status."""
    key = await world.scheduled()
    expired = Condition("status", Operator.IN, (BookingStatus.EXPIRED,))
    of_test = Condition("test_id", Operator.EQ, world.maths)

    assert await found_by(world, NOON, Not(expired)) == [key]
    assert await found_by(world, CLOSES, Not(expired)) == []
    assert await found_by(world, CLOSES, AllOf((expired, of_test))) == [key]


async def test_a_session_starts_and_is_completed(world: Schedules, clock: SettableClock) -> None:
    """The schedule is in progress, then completed; a repeat changes nothing."""
    key = await world.scheduled()
    clock.now = NOON

    started = [await world.started(key), await world.started(key)]
    in_progress = await world.row(key)
    clock.now = NOON + timedelta(minutes=90)
    completed = [await world.completed(key), await world.completed(key)]

    row, detail = await world.row(key), await world.detail(key)
    assert [r.changed for r in started] == [True, False]  # type: ignore[union-attr]
    assert [r.changed for r in completed] == [True, False]  # type: ignore[union-attr]
    assert in_progress.status is BookingStatus.IN_PROGRESS
    assert in_progress.session_started_at == NOON
    assert in_progress.busy_until_at == NOON + timedelta(minutes=100)
    assert (row.status, row.version) == (BookingStatus.COMPLETED, 3)
    assert detail.session_completed_at == NOON + timedelta(minutes=90)
    assert (await world.booking_changes())[-2:] == ["STARTED", "COMPLETED"]
    start, end = [change.changed_fields for change in await world.changes()][-2:]
    assert start == ["scheduleStatus", "sessionStartedAt", "status"]
    assert end == ["scheduleStatus", "sessionCompletedAt", "status"]


async def test_a_test_that_is_marked_elsewhere_bypasses_marking(
    world: Schedules, clock: SettableClock
) -> None:
    """Completed, it is MARKED_EXTERNALLY."""
    key = await world.scheduled(marked_externally=True)
    clock.now = NOON
    await world.started(key)

    await world.completed(key)

    assert (await world.row(key)).status is BookingStatus.COMPLETED
    assert (await world.changes())[-1].after["scheduleStatus"] == "MARKED_EXTERNALLY"


async def test_an_invigilated_session_needs_its_pin_or_to_be_unlocked(
    world: Schedules, clock: SettableClock
) -> None:
    """A wrong PIN and a missing one give the same error, by keycode or id."""
    key = await world.scheduled(requires_invigilation=True)
    other = await world.scheduled(
        requires_invigilation=True, candidate=await world.associated("C2")
    )
    detail = await world.detail(key)
    wrong = "000000" if detail.pin != "000000" else "000001"
    clock.now = NOON

    refused = [await world.started(key, pin=pin) for pin in (None, wrong, "", "\ud800")]
    by_keycode = await world.started(detail.keycode, pin=detail.pin)  # type: ignore[arg-type]
    unlocked = await world.started(other, unlocked=True)

    assert [places(r) for r in refused] == [[("INVALID_VALUE", "pin")]] * 4
    assert codes(by_keycode) == codes(unlocked) == []


async def test_a_session_starts_in_a_window(world: Schedules, clock: SettableClock) -> None:
    """A session can start in a buffer, but not between windows, in the future or out of order."""
    key = await world.scheduled()
    clock.now = datetime(2027, 2, 2, 3, tzinfo=UTC)

    at_night = await world.started(key)
    ahead = await world.started(key, at=NOON)
    long_ago = await world.started(key, at=OPENS - MICROSECOND)
    in_buffer = await world.started(key, at=OPENS)
    early_end = await world.completed(key, at=OPENS - MICROSECOND)
    late_end = await world.completed(key, at=NOON)

    assert places(at_night) == [("OUT_OF_RANGE", "at")]
    assert set(places(ahead)) == {("OUT_OF_RANGE", "at")}
    assert places(long_ago) == [("OUT_OF_RANGE", "at")]
    assert codes(in_buffer) == []
    assert (await world.row(key)).session_started_at == OPENS
    assert places(early_end) == places(late_end) == [("OUT_OF_RANGE", "at")]


@pytest.mark.parametrize("now", [OPENS - MICROSECOND, CLOSES])
async def test_only_an_open_schedule_is_started(
    world: Schedules, clock: SettableClock, now: datetime
) -> None:
    """A schedule cannot start before its window opens or from the instant at which it closes."""
    key = await world.scheduled()
    clock.now = now

    assert places(await world.started(key)) == [("ILLEGAL_STATE", "state")]
    assert places(await world.completed(key)) == [("ILLEGAL_STATE", "state")]


async def test_a_session_in_progress_does_not_expire(
    world: Schedules, clock: SettableClock
) -> None:
    """A session started in the last second can be completed after the window closes."""
    key = await world.scheduled()
    clock.now = CLOSES - MICROSECOND
    await world.started(key)
    clock.now = CLOSES + timedelta(hours=1)

    completed = await world.completed(key)

    assert isinstance(completed, Outcome)
    assert completed.changed


async def test_a_started_session_conflicts_and_a_window_does_not(
    world: Schedules, clock: SettableClock
) -> None:
    """Section 8.4: only a started session occupies the candidate, including extra time."""
    key = await world.scheduled(
        reasonable_adjustments=Adjustment(extra_time_minutes=20), unscheduled_break_minutes=10
    )
    room = await world.room(world.centre_key)

    async def event(start: datetime) -> UUID:
        return await world.event(centre=world.centre_key, room=room, start_at=start)

    inside = await event(NOON + timedelta(hours=4))
    assert codes(await world.book(world.candidate_key, inside)) == []
    clock.now = NOON
    await world.started(key)
    during = await event(NOON + timedelta(minutes=129))
    after = await event(NOON + timedelta(minutes=130))

    assert codes(await world.book(world.candidate_key, during)) == ["CANDIDATE_TIME_CONFLICT"]
    assert codes(await world.book(world.candidate_key, after)) == []


async def test_recording_needs_the_permission_and_the_version(
    world: Schedules, clock: SettableClock
) -> None:
    """An invigilator records sessions; a scheduler does not."""
    key = await world.scheduled()
    clock.now = NOON

    scheduler = await world.started(key, viewer=in_role(world, Role.SCHEDULER))
    stale = await world.started(key, expected_version=2)
    invigilator = await world.started(key, viewer=in_role(world, Role.INVIGILATOR))

    assert places(scheduler) == [("FORBIDDEN", "")]
    assert codes(stale) == ["STALE_BOOKING"]
    assert codes(invigilator) == []


async def test_windows_of_one_day_follow_enforced_times(
    world: Schedules, clock: SettableClock
) -> None:
    """Without a buffer, a session can start from nine until before five."""
    day = date(2027, 2, 2)
    key = await world.scheduled(
        start_date=day, end_date=day, start_time=time(9), end_time=time(17), enforce_times=True
    )

    clock.now = datetime(2027, 2, 2, 8, 59, 59, tzinfo=UTC)
    early = await world.started(key)
    clock.now = datetime(2027, 2, 2, 17, tzinfo=UTC)
    late = await world.started(key)
    clock.now = datetime(2027, 2, 2, 16, 59, 59, tzinfo=UTC)
    in_time = await world.started(key)

    assert codes(early) == codes(late) == ["ILLEGAL_STATE"]
    assert codes(in_time) == []
