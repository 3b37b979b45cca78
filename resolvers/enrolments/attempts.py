"""The candidates' earlier attempts, for the rules about duplicates and resits."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.bookings.candidate_schedules import CandidateSchedules
from resolvers.bookings.loading import Keys
from resolvers.bookings.preloaded import PreloadedBatch
from resolvers.enrolments import rules
from resolvers.refusals import ValidationErrors
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Enrolment, Event, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, EnrolmentResult


def schedules_with_results(candidates: Keys) -> Read[Any] | None:
    """As `loading.read_candidate_schedules`; each entry has the `result` of the enrolment."""
    return loading.read_candidate_schedules(candidates, _select_with_results)


def _select_with_results() -> sa.Select[Any]:
    b, e = columns(Booking), columns(Enrolment)
    same = sa.and_(e.organization_id == b.organization_id, e.id == b.id)
    return (
        loading.select_candidate_schedules()
        .add_columns(e.result)
        .select_from(sa.outerjoin(table(Booking), table(Enrolment), same))
    )


def results_in(work: UnitOfWork, candidate_schedules: CandidateSchedules) -> list[Any]:
    """The completed enrolments in the schedules, including those that the batch added."""
    completed = [
        (booking.organization_id, booking.id)
        for booking in candidate_schedules.everything()
        if booking.status is BookingStatus.COMPLETED
    ]
    return loading.of_keys(work, Enrolment, "id", completed)


class Attempts:
    """The results of the candidates' completed enrolments."""

    def __init__(self, work: UnitOfWork, preloaded: PreloadedBatch, results: Iterable[Any]) -> None:
        """`results` are the rows of `schedules_with_results` or of `results_in`."""
        self._preloaded = preloaded
        self._now: datetime = work.now
        self._results: dict[UUID, EnrolmentResult | None] = {row.id: row.result for row in results}

    def rules(
        self, wanted: Booking, event: Event, *, moving: Booking | None = None
    ) -> Callable[[ValidationErrors], None]:
        """The rules about duplicates and resits for a new enrolment at an event."""

        def ask(stage: ValidationErrors) -> None:
            preloaded, but = self._preloaded, None if moving is None else moving.id
            candidate_id = wanted.candidate_id
            others = [b for b in preloaded.candidate_schedules.of(candidate_id) if b.id != but]
            stage.of(
                rules.require_no_duplicate,
                preloaded.candidate_schedules,
                candidate_id,
                event,
                self._now,
                but=but,
            )
            stage.of(
                rules.require_resit_allowed,
                others,
                self._results,
                event,
                start_at=wanted.start_at,
                test=preloaded.test_of(event),
                settings=preloaded.settings[event.organization_id],
                now=self._now,
            )

        return ask
