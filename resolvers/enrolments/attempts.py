"""What a batch knows of candidates' earlier attempts, for the rules of duplicates and resits."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.bookings.desk import Desk
from resolvers.bookings.diaries import Diaries
from resolvers.bookings.loading import Keys
from resolvers.enrolments import rules
from resolvers.refusals import Complaints
from resolvers.storage.read import Read
from resolvers.storage.tables import Booking, Enrolment, Event, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, EnrolmentResult


def diaries_with_results(candidates: Keys) -> Read[Any] | None:
    """As `loading.read_diaries`; each entry has the `result` of the enrolment."""
    return loading.read_diaries(candidates, _select_with_results)


def _select_with_results() -> sa.Select[Any]:
    b, e = columns(Booking), columns(Enrolment)
    same = sa.and_(e.organization_id == b.organization_id, e.id == b.id)
    return (
        loading.select_diaries()
        .add_columns(e.result)
        .select_from(sa.outerjoin(table(Booking), table(Enrolment), same))
    )


def results_in(work: UnitOfWork, diaries: Diaries) -> list[Any]:
    """The completed enrolments in diaries, which may have been entered since a desk read them."""
    completed = [
        (booking.organization_id, booking.id)
        for booking in diaries.everything()
        if booking.status is BookingStatus.COMPLETED
    ]
    return loading.of_keys(work, Enrolment, "id", completed)


class Attempts:
    """The results of the candidates' completed enrolments."""

    def __init__(self, work: UnitOfWork, desk: Desk, results: Iterable[Any]) -> None:
        """`results` are the rows of `diaries_with_results` or of `results_in`."""
        self._desk = desk
        self._now: datetime = work.now
        self._results: dict[UUID, EnrolmentResult | None] = {row.id: row.result for row in results}

    def rules(
        self, wanted: Booking, event: Event, *, moving: Booking | None = None
    ) -> Callable[[Complaints], None]:
        """The rules about duplicates and resits for an enrolment that is wanted at an event."""

        def ask(stage: Complaints) -> None:
            desk, but = self._desk, None if moving is None else moving.id
            candidate_id = wanted.candidate_id
            others = [b for b in desk.diaries.of(candidate_id) if b.id != but]
            stage.of(
                rules.require_no_duplicate, desk.diaries, candidate_id, event, self._now, but=but
            )
            stage.of(
                rules.require_resit_allowed,
                others,
                self._results,
                event,
                start_at=wanted.start_at,
                test=desk.test_of(event),
                settings=desk.settings[event.organization_id],
                now=self._now,
            )

        return ask
