"""Moving test schedules; domain.md, section 8.2."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest

from resolvers.every_kind.cancelling import cancel
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import IllegalState, Refused, StaleBooking
from resolvers.test_schedules.commands import Adjustment, MoveTestSchedule
from resolvers.test_schedules.moving import move
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.viewer import Scope
from resolvers.vocabulary import BookingStatus, Role
from tests.conftest import SettableClock
from tests.resolvers.asking import Statements, cancelling, in_role, places, warned
from tests.resolvers.test_schedules.conftest import Schedules
from tests.resolvers.world import codes


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def another_centre(world: Schedules, zone: str = "America/New_York") -> UUID:
    """Another centre with the subject and the candidate."""
    centre = await world.centre("NYC", zone)
    both = (ByKey(world.centre_key), ByKey(centre))
    subject = UpsertSubject(viewer=world.viewer, reference="SUM", name="Sums", centre_ids=both)
    await world.made(upsert_subjects, subject)
    await world.candidate("C1", centre_ids=both)
    return centre


async def test_a_schedule_gets_another_window(world: Schedules) -> None:
    """Omitted values, the keycode and extra time stay, and one MOVED change is recorded."""
    key = await world.scheduled(reasonable_adjustments=Adjustment(extra_time_minutes=30))
    before = await world.detail(key)

    moved = await world.move(key, end_date=date(2027, 2, 5), start_time=time(8), reason="snow")

    row, detail = await world.row(key), await world.detail(key)
    assert isinstance(moved, Outcome)
    assert moved.changed
    assert (row.start_at, row.end_at) == (at("2027-02-01T08:00"), at("2027-02-05T17:00"))
    assert (row.opens_at, row.closes_at) == (at("2027-01-31T20:00"), at("2027-02-06T05:00"))
    assert (row.version, row.extra_time_minutes) == (2, 30)
    assert (detail.start_time, detail.end_time) == (time(8), time(17))
    assert detail.keycode == before.keycode
    change = (await world.changes())[-1]
    assert (change.booking_type, change.reason) == ("MOVED", "snow")
    assert set(change.changed_fields) == {"startTime", "endDate", "times"}


async def test_a_schedule_goes_to_another_centre(world: Schedules) -> None:
    """The local time stays; the instant and the PIN are those of the other centre."""
    centre = await another_centre(world)
    key = await world.scheduled(requires_invigilation=True)
    there = await world.scheduled(
        centre=centre, requires_invigilation=True, allow_multiple_open_sessions=True
    )
    await world.made(cancel, cancelling(world, there))

    moved = await world.move(key, to_centre=centre)

    row, detail = await world.row(key), await world.detail(key)
    assert codes(moved) == []
    assert (row.centre_id, row.time_zone) == (centre, "America/New_York")
    assert row.start_at == at("2027-02-01T14:00")
    assert detail.pin == (await world.detail(there)).pin


async def test_moving_to_the_same_place_changes_nothing(world: Schedules) -> None:
    """The move succeeds and records nothing."""
    key = await world.scheduled()
    before = await world.booking_changes()

    moved = await world.move(key, to_centre=world.centre_key, start_time=time(9))

    assert isinstance(moved, Outcome)
    assert not moved.changed
    assert (await world.row(key)).version == 1
    assert await world.booking_changes() == before


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"start_time": time(18)}, "OUT_OF_RANGE", "start_time"),
        ({"end_time": time(8)}, "OUT_OF_RANGE", "end_time"),
        ({"start_date": date(2027, 3, 1)}, "OUT_OF_RANGE", "start_date"),
        ({"end_date": date(2027, 1, 1)}, "OUT_OF_RANGE", "end_date"),
        ({"start_date": date(2025, 1, 1)}, "OUT_OF_RANGE", "start_date"),
    ],
)
async def test_an_error_names_the_argument_that_was_sent(
    world: Schedules, changes: dict[str, Any], code: str, path: str
) -> None:
    """An unchanged part of the window is not reported, since the caller did not send it."""
    key = await world.scheduled()

    refused = await world.move(key, **changes)

    assert places(refused) == [(code, path)]


async def test_mistakes_of_a_move_come_back_together(world: Schedules) -> None:
    """An invalid target, a long reason and a window over several days are reported together."""
    key = await world.scheduled()
    await world.set(test_scheduling_over_multiple_days=False)

    nowhere = await world.move(key)
    wrong = await world.move(key, to_centre=uuid4(), end_time=time(8), reason="x" * 501)
    unknown = await world.move(uuid4(), start_time=time(8))

    assert places(nowhere) == [
        ("REQUIRED", "to_centre"),
        ("MULTI_DAY_SCHEDULING_DISABLED", "end_date"),
    ]
    assert isinstance(nowhere, Refused)
    assert nowhere.refusals[0].message == (
        "one of 'to_centre', 'start_date', 'end_date', 'start_time', 'end_time' is required"
    )
    assert places(wrong) == [
        ("STRING_LENGTH", "reason"),
        ("NOT_FOUND", "to_centre"),
        ("OUT_OF_RANGE", "end_time"),
        ("MULTI_DAY_SCHEDULING_DISABLED", "end_date"),
    ]
    assert places(unknown) == [("NOT_FOUND", "test_schedule")]


async def test_the_rules_of_booking_hold_at_the_target(world: Schedules) -> None:
    """The target centre must have the subject and the candidate."""
    key = await world.scheduled()
    without_subject = await world.centre("OXF")

    refused = await world.move(key, to_centre=without_subject)

    assert places(refused) == [
        ("CENTRE_SUBJECT_NOT_ASSOCIATED", "to_centre"),
        ("CANDIDATE_NOT_ASSOCIATED", "to_centre"),
    ]


async def test_another_open_schedule_stands_in_the_way(world: Schedules) -> None:
    """Another open schedule prevents the move, unless several were allowed; the schedule itself
    does not.
    """
    first = await world.scheduled()
    several = await world.scheduled(allow_multiple_open_sessions=True)

    assert codes(await world.move(first, start_time=time(8))) == ["OPEN_SCHEDULE_EXISTS"]
    assert codes(await world.move(several, start_time=time(8))) == []


async def test_what_has_expired_is_not_moved(world: Schedules, clock: SettableClock) -> None:
    """A schedule can move until the instant at which its window closes."""
    key = await world.scheduled()

    clock.now = at("2027-02-04T05:00")
    refused = await world.move(key, end_date=date(2027, 2, 9))
    clock.now = at("2027-02-04T04:59:59.999999")
    moved = await world.move(key, end_date=date(2027, 2, 9))

    assert codes(refused) == ["ILLEGAL_STATE"]
    assert isinstance(refused, Refused)
    [refusal] = refused.refusals
    assert isinstance(refusal, IllegalState)
    assert (refusal.status, refusal.allowed) == (BookingStatus.EXPIRED, ())
    assert codes(moved) == []


async def test_a_schedule_may_move_into_the_past(world: Schedules) -> None:
    """A move into the past adds a warning, and the schedule expires immediately."""
    key = await world.scheduled()

    moved = await world.move(key, start_date=date(2027, 1, 4), end_date=date(2027, 1, 5))

    assert warned(moved) == ["WINDOW_IS_OVER"]
    assert (await world.row(key)).status is BookingStatus.EXPIRED
    assert codes(await world.move(key, start_time=time(8))) == ["ILLEGAL_STATE"]


async def test_a_stale_version_is_refused(world: Schedules) -> None:
    """The caller's version must be current; the refusal has the allowed actions."""
    key = await world.scheduled()

    stale = await world.move(key, start_time=time(8), expected_version=2)

    assert codes(stale) == ["STALE_BOOKING"]
    assert isinstance(stale, Refused)
    [refusal] = stale.refusals
    assert isinstance(refusal, StaleBooking)
    assert (refusal.status, refusal.version) == (BookingStatus.CONFIRMED, 1)
    assert refusal.allowed == ("CANCEL", "DELETE", "GRANT_ACCOMMODATION", "MOVE")
    assert codes(await world.move(key, start_time=time(8), expected_version=1)) == []


async def test_only_who_is_associated_with_the_target_may_move_there(world: Schedules) -> None:
    """A scheduler of one centre cannot move a schedule to another."""
    centre = await another_centre(world)
    key = await world.scheduled()
    here = Scope(centres=frozenset({world.centre_key}), subjects=frozenset({world.subject_key}))
    scheduler = in_role(world, Role.SCHEDULER, here)

    there = await world.move(key, viewer=scheduler, to_centre=centre)
    marker = await world.move(key, viewer=in_role(world, Role.MARKER), start_time=time(8))

    assert places(there) == [("FORBIDDEN", "to_centre")]
    assert places(marker) == [("FORBIDDEN", "")]
    assert codes(await world.move(key, viewer=scheduler, start_time=time(8))) == []


async def test_two_moves_of_one_batch_follow_each_other(world: Schedules) -> None:
    """The second move starts from the first one's target."""
    key = await world.scheduled()
    first = MoveTestSchedule(
        viewer=world.viewer, test_schedule=ByKey(key), start_date=date(2027, 2, 2)
    )
    second = replace(first, start_date=None, start_time=time(8))

    results = await world.storage.write(move, [first, second])

    assert [codes(result) for result in results] == [[], []]
    row = await world.row(key)
    assert (row.start_at, row.version) == (at("2027-02-02T08:00"), 3)


async def test_statements_do_not_grow_with_the_moves(world: Schedules) -> None:
    """Twenty moves take as many statements as two."""
    statements = Statements()
    keys = [
        await world.scheduled(candidate=c, associate=True, requires_invigilation=True)
        for c in await world.candidates(22)
    ]

    def commands(some: list[UUID]) -> list[MoveTestSchedule]:
        return [
            MoveTestSchedule(
                viewer=world.viewer, test_schedule=ByKey(key), start_date=date(2027, 2, 2)
            )
            for key in some
        ]

    few = await statements.needed(world, move, commands(keys[:2]))
    many = await statements.needed(world, move, commands(keys[2:]))

    assert many <= few
