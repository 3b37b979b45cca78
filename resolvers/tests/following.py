"""What follows a test: its events take over a new duration, its bookings keep the one they have."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.changes import Cause, record_event
from resolvers.events import rules
from resolvers.events.facts import event_facts
from resolvers.outcomes import Warning
from resolvers.refusals import Refusal
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import (
    Accommodation,
    Booking,
    Event,
    Test,
    TestSchedule,
    columns,
    table,
)
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.upserts import Change, PartContext
from resolvers.vocabulary import EventChangeType, WarningCode

COPIED = ("duration_minutes", "break_minutes", "requires_invigilation")
"""The values of a test that its bookings keep."""


class FollowingEvents:
    """The part of an upsert of tests that keeps the events that follow them.

    An event follows its test until its own duration is set, and until it starts. The events are
    locked; so a booking has the duration of before, and is counted, or it has the new one.
    """

    def __init__(self, loading_of: PartContext) -> None:
        self._work = loading_of.work
        owners = loading_of.owners
        self._before = _following(self._work, owners)
        self._events = dict(self._before)
        self._causes: dict[UUID, Cause] = {}
        self._owners = owners

    def refusals(self, change: Change[Any, Any]) -> Iterable[Refusal]:
        return ()

    def take(self, change: Change[Any, Any]) -> bool:
        test: Test = change.after
        for key, event in self._events.items():
            if event.test_id != test.id or event.duration_minutes == test.duration_minutes:
                continue
            self._causes[key] = Cause(change.command.viewer, change.command.origin)
            self._events[key] = changed(
                event,
                duration_minutes=rules.duration_minutes(event, test),
                end_at=rules.end_of(event, test),
                version=self._before[key].version + 1,
                last_change_time=self._work.now,
                last_change_type="Updated",
                last_change_user=change.command.viewer.name,
            )
        return False

    def warnings(self, change: Change[Any, Any]) -> Sequence[Warning]:
        """How many bookings keep another value than the test has now."""
        before, after = change.before, change.after
        if before is None:
            return ()
        new = {name for name in COPIED if getattr(before, name) != getattr(after, name)}
        kept = self._kept.get(after.id, ()) if new else ()
        count = sum(_keeps(row, before, after, new) for row in kept)
        if count == 0:
            return ()
        which = "1 existing booking keeps" if count == 1 else f"{count} existing bookings keep"
        return [Warning(WarningCode.BOOKINGS_KEEP_VALUES, f"{which} earlier values of the test.")]

    @cached_property
    def _kept(self) -> dict[UUID, list[Any]]:
        return _kept(self._work, self._owners)

    def save(self, work: UnitOfWork) -> None:
        versions = [(self._before[key], self._events[key]) for key in self._causes]
        work.save(Event, versions)
        for before, after in versions:
            record_event(
                work,
                EventChangeType.UPDATED,
                self._causes[after.id],
                event=after,
                facts_before=event_facts(before, ()),
                facts_after=event_facts(after, ()),
            )


def _keeps(row: Any, before: Test, after: Test, new: set[str]) -> bool:
    """Whether a booking has one of the values that are `new` in its test as it was before."""
    return (
        (
            ("duration_minutes" in new and not row.own_duration)
            and row.duration_minutes != after.duration_minutes
        )
        or ("break_minutes" in new and row.shares_breaks)
        or (
            ("requires_invigilation" in new)
            and row.requires_invigilation == before.requires_invigilation
        )
    )


def _following(work: UnitOfWork, tests: Sequence[tuple[UUID, UUID]]) -> dict[UUID, Event]:
    """The events that follow these tests, locked."""
    if not tests:
        return {}
    c = columns(Event)
    read: Read[Any] = Read(
        "events that follow tests",
        lambda _: sa.select(c.organization_id, c.id).where(
            one_of(c.organization_id, "organizations"),
            one_of(c.test_id, "tests"),
            c.exam_duration_in_minutes.is_(None),
            c.cancelled_at.is_(None),
            sa.or_(c.start_at.is_(None), c.start_at > sa.bindparam("now", type_=c.start_at.type)),
        ),
        {**_keys(tests), "now": work.now},
    )
    found = [(row.organization_id, row.id) for row in work.rows(read)]
    return {
        key: event
        for key, event in loading.lock(work, Event, found).items()
        if event.exam_duration_in_minutes is None
        and event.cancelled_at is None
        and event.test_id in {test for _, test in tests}
    }


def _kept(work: UnitOfWork, tests: Sequence[tuple[UUID, UUID]]) -> dict[UUID, list[Any]]:
    """By test, the live bookings that are not over, with what they keep of the test."""
    if not tests:
        return {}
    read: Read[Any] = Read(
        "kept of tests", lambda _: _select_kept(), {**_keys(tests), "now": work.now}
    )
    by_test: dict[UUID, list[Any]] = {}
    for row in work.rows(read):
        by_test.setdefault(row.test_id, []).append(row)
    return by_test


def _keys(tests: Sequence[tuple[UUID, UUID]]) -> dict[str, Any]:
    return {
        "organizations": list({organization for organization, _ in tests}),
        "tests": [test for _, test in tests],
    }


def _select_kept() -> sa.Select[Any]:
    b, e, s = columns(Booking), columns(Event), columns(TestSchedule)
    a = columns(Accommodation)
    over = sa.func.coalesce(b.closes_at, b.busy_until_at)
    of_breaks = sa.exists().where(
        a.organization_id == b.organization_id,
        a.booking_id == b.id,
        sa.text("accommodation.scope IN ('BREAK_TIME', 'UNSCHEDULED_BREAK')"),
        a.extra_time_percentage.is_not(None),
        a.time_extension_minutes.is_(None),
    )
    return (
        sa.select(
            b.test_id,
            b.duration_minutes,
            e.exam_duration_in_minutes.is_not(None).label("own_duration"),
            of_breaks.label("shares_breaks"),
            s.requires_invigilation,
        )
        .select_from(table(Booking))
        .join(table(Event), _same(e, b, b.event_id), isouter=True)
        .join(table(TestSchedule), _same(s, b, b.id), isouter=True)
        .where(
            one_of(b.organization_id, "organizations"),
            one_of(b.test_id, "tests"),
            sa.text(f"booking.{TAKES_A_SEAT}"),
            over > sa.bindparam("now", type_=b.start_at.type),
        )
    )


def _same(columns_of: Any, booking: Any, key: Any) -> sa.ColumnElement[bool]:
    return sa.and_(columns_of.organization_id == booking.organization_id, columns_of.id == key)
