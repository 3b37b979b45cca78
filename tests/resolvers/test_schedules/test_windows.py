"""Windows of test schedules across changes of clocks; domain.md, sections 2.3, 8.8 and 9."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from resolvers.refusals import ValidationErrors
from resolvers.test_schedules.windows import (
    Dates,
    ambiguous_edges,
    check_windows,
    window_at,
    windows,
)
from resolvers.times import NonexistentTime

LONDON = "Europe/London"
NINE_TO_FIVE = (time(9), time(17))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dates(first: str, last: str, start: time = time(9), end: time = time(17)) -> Dates:
    return Dates(date.fromisoformat(first), date.fromisoformat(last), start, end)


def test_every_date_has_its_own_window():
    """18 to 21 December, 9 to 5, are four windows; the buffer extends only the first and last."""
    made = windows(dates("2015-12-18", "2015-12-21"), LONDON, buffer_hours=12)

    assert [window.date.day for window in made] == [18, 19, 20, 21]
    assert {(w.start.time(), w.end.time()) for w in made} == {(time(9), time(17))}
    assert made[0].buffered_start == at("2015-12-17T21:00")
    assert made[0].buffered_end == at("2015-12-18T17:00")
    assert made[1].buffered_start == at("2015-12-19T09:00")
    assert made[3].buffered_end == at("2015-12-22T05:00")


def test_a_window_of_one_date_has_both_buffers():
    """A single date has the buffer at both ends."""
    [only] = windows(dates("2027-02-01", "2027-02-01"), LONDON, buffer_hours=2)

    assert (only.buffered_start, only.buffered_end) == (
        at("2027-02-01T07:00"),
        at("2027-02-01T19:00"),
    )


def test_the_wall_stays_the_same_when_clocks_change():
    """Across a clock change, 9 o'clock stays 9, an hour earlier or later in UTC."""
    spring = windows(dates("2027-03-27", "2027-03-28"), LONDON, buffer_hours=0)
    autumn = windows(dates("2027-10-30", "2027-10-31"), LONDON, buffer_hours=0)

    assert [window.start.hour for window in spring] == [9, 8]
    assert [window.start.hour for window in autumn] == [8, 9]


def test_the_buffer_counts_hours_that_pass():
    """Twelve hours before 9 on the morning after clocks go forward is 20:00 local time."""
    [window] = windows(dates("2027-03-28", "2027-03-28"), LONDON, buffer_hours=12)

    before = window.buffered_start.astimezone(ZoneInfo(LONDON))
    assert before.replace(tzinfo=None) == datetime(2027, 3, 27, 20)


def test_a_skipped_time_is_refused_with_the_nearest_valid_ones():
    """If 01:30 is skipped on one of several dates, the refusal names the nearest valid times."""
    stage = ValidationErrors()

    check_windows(dates("2027-03-27", "2027-03-29", time(1, 30), time(3)), LONDON, stage)

    [refusal] = stage.refusals
    assert isinstance(refusal, NonexistentTime)
    assert refusal.path == ("start_time",)
    assert (refusal.before, refusal.after) == (
        datetime(2027, 3, 28, 0, 59),
        datetime(2027, 3, 28, 2, 0),
    )


def test_skipped_starts_and_ends_are_told_together():
    """A window from 01:10 to 01:50 has neither limit on the date of the gap."""
    stage = ValidationErrors()

    check_windows(dates("2027-03-28", "2027-03-28", time(1, 10), time(1, 50)), LONDON, stage)

    assert [r.path[-1] for r in stage.refusals] == ["start_time", "end_time"]


def test_a_time_that_comes_twice_is_the_first_of_them():
    """01:30 on the night when clocks go back is in summer time, and adds a warning."""
    given = dates("2027-10-30", "2027-11-01", time(1, 30), time(3))

    made = windows(given, LONDON, buffer_hours=0)

    assert made[1].start == at("2027-10-31T00:30")
    assert ambiguous_edges(given, LONDON) == ["start_time"]
    assert ambiguous_edges(dates("2027-10-30", "2027-11-01"), LONDON) == []


def test_a_schedule_that_was_made_has_windows_whatever_its_clock_does():
    """A later change of a zone's rules does not remove existing windows."""
    given = dates("2027-03-28", "2027-03-28", time(1, 30), time(3))

    [window] = windows(given, LONDON, buffer_hours=0, strict=False)

    assert window.start == at("2027-03-28T01:30")
    with pytest.raises(NonexistentTime):
        windows(given, LONDON, buffer_hours=0)


@pytest.mark.parametrize(
    ("instant", "found"),
    [
        ("2027-02-01T08:59:59", False),
        ("2027-02-01T09:00", True),
        ("2027-02-01T16:59:59.999999", True),
        ("2027-02-01T17:00", False),
        ("2027-02-02T03:00", False),
        ("2027-02-02T12:00", True),
    ],
)
def test_an_instant_is_in_a_window_from_its_start_until_before_its_end(instant, found):
    """A window includes its start and excludes its end; the nights between windows are outside."""
    made = windows(dates("2027-02-01", "2027-02-02"), LONDON, buffer_hours=0)

    assert (window_at(made, at(instant)) is not None) is found


@cache
def changes_of(zone_name: str) -> list[date]:
    """Return the dates from 2020 to 2035 on which a zone's clock changes, at most one per week."""
    zone, changes = ZoneInfo(zone_name), []
    noon, week, day = datetime(2020, 1, 1, 12), timedelta(days=7), timedelta(days=1)
    while noon.year < 2036:
        offset, later = noon.replace(tzinfo=zone).utcoffset(), noon + week
        if later.replace(tzinfo=zone).utcoffset() != offset:
            while noon.replace(tzinfo=zone).utcoffset() == offset:
                noon += day
            changes.append(noon.date())
        noon = later
    return changes


def test_in_every_zone_a_window_is_nine_to_five_on_the_wall():
    """Local times hold from 2020 to 2035, around each clock change and at both ends of the
    years.
    """
    changed = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        around = [*changes_of(name), date(2020, 1, 2), date(2035, 12, 30)]
        changed += len(around) - 2
        for day in around:
            given = Dates(day - timedelta(days=1), day + timedelta(days=1), *NINE_TO_FIVE)
            for window in windows(given, name, buffer_hours=12):
                on_wall = [
                    e.astimezone(zone).replace(tzinfo=None) for e in (window.start, window.end)
                ]
                assert on_wall == [
                    datetime.combine(window.date, time(9)),
                    datetime.combine(window.date, time(17)),
                ], (name, window)
    assert changed > 1000


def test_in_every_zone_a_gap_is_refused_and_a_fold_is_read_once():
    """No window begins at a skipped time, at any hour of a change.

    An ambiguous time means its first occurrence.
    """
    gaps = folds = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for day in changes_of(name):
            for minutes in range(0, 24 * 60, 30):
                local = datetime.combine(day, time()) + timedelta(minutes=minutes)
                first = local.replace(tzinfo=zone)
                second = local.replace(tzinfo=zone, fold=1)
                early, late = first.utcoffset(), second.utcoffset()
                if early == late or local.time() >= time(23, 58):
                    continue
                given = Dates(local.date(), local.date(), local.time(), time(23, 59))
                stage = ValidationErrors()
                check_windows(given, name, stage)
                if early < late:
                    gaps += 1
                    [refusal] = stage.refusals
                    assert refusal.before < local < refusal.after
                    check_valid(name, refusal)
                else:
                    folds += 1
                    assert stage.refusals == []
                    [window] = windows(given, name, buffer_hours=0)
                    assert window.start == first.astimezone(UTC) < second.astimezone(UTC)
                    assert "start_time" in ambiguous_edges(given, name)
    assert gaps > 100
    assert folds > 100


ZONES = sorted(available_timezones())
MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
EDGES = st.lists(MINUTES, min_size=2, max_size=2, unique=True).map(sorted)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@settings(deadline=None, max_examples=200)
@property_of(st.sampled_from(ZONES), DAYS, st.integers(0, 365), EDGES)
def test_any_window_in_any_zone_stays_on_the_wall(zone_name, first, days, edges):
    """Every date keeps the local times, for any dates and times; a skipped time is refused."""
    start, end = edges
    given = Dates(first, first + timedelta(days=days), start, end)
    stage = ValidationErrors()

    check_windows(given, zone_name, stage)

    skipped = {
        name
        for name, at in (("start_time", start), ("end_time", end))
        if any(not is_shown(datetime.combine(day, at), zone_name) for day in given.days())
    }
    assert {refusal.path[-1] for refusal in stage.refusals} == skipped
    for refusal in stage.refusals:
        check_valid(zone_name, refusal)
    if not skipped:
        made = windows(given, zone_name, buffer_hours=12)
        assert len(made) == days + 1
        zone = ZoneInfo(zone_name)
        on_wall = [
            [e.astimezone(zone).replace(tzinfo=None) for e in (w.start, w.end)] for w in made
        ]
        assert on_wall == [[datetime.combine(day, at) for at in edges] for day in given.days()]


def is_shown(local: datetime, zone_name: str) -> bool:
    """Return whether a zone's clock ever shows a local time."""
    zone = ZoneInfo(zone_name)
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def check_valid(zone_name: str, refusal: NonexistentTime) -> None:
    """Require that the times in a refusal exist."""
    assert is_shown(refusal.before, zone_name)
    assert is_shown(refusal.after, zone_name)
