"""What a batch knows of candidates' earlier attempts, for the rules of duplicates and resits."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.desk import Desk
from resolvers.enrolments import rules
from resolvers.refusals import Complaints
from resolvers.storage.tables import Booking, Enrolment, Event
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, EnrolmentResult


class Attempts:
    """The results of the candidates' completed enrolments."""

    def __init__(self, work: UnitOfWork, desk: Desk) -> None:
        self._desk = desk
        self._now: datetime = work.now
        completed = [
            (booking.organization_id, booking.id)
            for booking in desk.diaries.everything()
            if booking.status is BookingStatus.COMPLETED
        ]
        self._results: dict[UUID, EnrolmentResult | None] = {
            row.id: row.result for row in loading.of_keys(work, Enrolment, "id", completed)
        }

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
