"""The test schedules of the demo, with some in every state."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from demo.enrolments import candidate_reference
from demo.places import PAPERS
from demo.plan import place_of
from demo.storage import carry_out
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.references import ByKey, ByReference
from resolvers.storage import Storage
from resolvers.test_schedules.booking import book
from resolvers.test_schedules.commands import (
    Adjustment,
    BookTestSchedule,
    DeleteTestSchedule,
    RecordSession,
)
from resolvers.test_schedules.deleting import delete
from resolvers.test_schedules.sessions import record_sessions
from resolvers.test_schedules.windows import Dates, windows
from resolvers.times import wall_time_of
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import CancellationReason, SessionState

BOOKED_ON: Final = -12
NINE, FIVE = time(9), time(17)
WORK: Final = timedelta(minutes=5)
"""The duration of a session."""


@frozen
class Batch:
    """Schedules with the same dates and the same outcome."""

    count: int
    first_day: int
    last_day: int
    started_on: int | None = None
    completed: bool = False
    cancelled: bool = False
    deleted: bool = False
    more: dict[str, Any] = field(default_factory=dict)


PLAN: Final = (
    Batch(6, 5, 7, more={"test_tags": ("Large print",)}),
    Batch(4, 9, 9, more={"reasonable_adjustments": Adjustment(extra_time_percentage=25)}),
    Batch(5, -1, 2),
    Batch(2, -1, 1, started_on=0),
    Batch(6, -7, -4, started_on=-5, completed=True),
    Batch(3, -7, -4, started_on=-5, completed=True, more={"marked_externally": True}),
    Batch(3, -9, -8),
    Batch(2, 3, 4, cancelled=True),
    Batch(2, 3, 4, deleted=True),
)


@frozen
class Made:
    """A schedule that was made, with its batch and candidate."""

    batch: Batch
    candidate: int
    key: UUID


SCHEDULES: Final = sum(batch.count for batch in PLAN)


class DemoSchedules:
    """Makes the schedules, one for each candidate, and carries out their outcomes day by day."""

    def __init__(self, storage: Storage, viewer: Viewer, today: datetime) -> None:
        self._storage, self._viewer, self._today = storage, viewer, today
        self._made: list[Made] = []

    async def run_day(self, day: int) -> None:
        """Carry out one day. Raises: DemoRefused."""
        if day == BOOKED_ON:
            await self._book()
        started = [one for one in self._made if one.batch.started_on == day]
        await self._report(SessionState.STARTED, started)
        await self._report(SessionState.COMPLETED, [one for one in started if one.batch.completed])
        if day == 0:
            await self._take_back()

    async def _book(self) -> None:
        batches = [batch for batch in PLAN for _ in range(batch.count)]
        commands = [self._command(batch, candidate) for candidate, batch in enumerate(batches)]
        outcomes = await carry_out(self._storage, book, commands)
        self._made = [
            Made(batch, candidate, outcome.subject)
            for candidate, (batch, outcome) in enumerate(zip(batches, outcomes, strict=True))
        ]

    async def _report(self, state: SessionState, made: Sequence[Made]) -> None:
        """Start each session at the latest opening of a window, and complete it after `WORK`."""
        now = self._storage.clock()
        worked = WORK if state is SessionState.COMPLETED else timedelta()
        commands = [
            RecordSession(
                viewer=self._viewer,
                test_schedule=ByKey(one.key),
                state=state,
                at=_began(one, self._today, now) + worked,
                unlocked=True,
            )
            for one in made
        ]
        await carry_out(self._storage, record_sessions, commands)

    async def _take_back(self) -> None:
        viewer, reason = self._viewer, CancellationReason.ILLNESS
        voided = [ByKey(one.key) for one in self._made if one.batch.cancelled]
        deleted = [ByKey(one.key) for one in self._made if one.batch.deleted]
        await carry_out(
            self._storage,
            cancel,
            [CancelBooking(viewer=viewer, booking=one, reason=reason) for one in voided],
        )
        await carry_out(
            self._storage,
            delete,
            [DeleteTestSchedule(viewer=viewer, test_schedule=one) for one in deleted],
        )

    def _command(self, batch: Batch, candidate: int) -> BookTestSchedule:
        dates = _dates(batch, candidate, self._today)
        return BookTestSchedule(
            viewer=self._viewer,
            test=ByReference(PAPERS[candidate % len(PAPERS)].reference),
            centre=ByReference(place_of(candidate).reference),
            candidate=ByReference(candidate_reference(candidate)),
            start_date=dates.start_date,
            end_date=dates.end_date,
            start_time=dates.start_time,
            end_time=dates.end_time,
            purchase_order=f"PO-{8000 + candidate}",
            **batch.more,
        )


def _began(made: Made, today: datetime, now: datetime) -> datetime:
    zone = place_of(made.candidate).time_zone
    opened = windows(_dates(made.batch, made.candidate, today), zone, buffer_hours=0)
    return max(window.start for window in opened if window.start + WORK <= now)


def _dates(batch: Batch, candidate: int, today: datetime) -> Dates:
    there = wall_time_of(today, place_of(candidate).time_zone).date()
    first, last = there + timedelta(days=batch.first_day), there + timedelta(days=batch.last_day)
    return Dates(first, last, NINE, FIVE)
