"""The registrations of the term, day by day."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from demo.college import BILLING_CODE, EXAM_FORMAT, EXAM_TYPE, event_ref, learner_ref
from demo.storage import carry_out
from demo.term import (
    CALLED_OFF,
    LATER,
    VENUE,
    RegistrationOutcome,
    Term,
    TermRegistration,
    TermSitting,
)
from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.every_kind.accommodations import (
    GrantAccommodation,
    RevokeAccommodation,
    grant,
    revoke,
)
from resolvers.every_kind.cancelling import CancelBooking, cancel
from resolvers.every_kind.cancelling_events import CancelEvent, cancel_events
from resolvers.outcomes import Outcome
from resolvers.references import ByKey, Ref
from resolvers.registrations.assessments import change_assessments
from resolvers.registrations.booking import book
from resolvers.registrations.commands import (
    BookRegistration,
    ChangeAssessment,
    DeleteRegistration,
    LaxEvent,
    TransferRegistration,
)
from resolvers.registrations.deleting import delete
from resolvers.registrations.transferring import transfer
from resolvers.storage import Storage
from resolvers.storage.batches import Run
from resolvers.viewer import Viewer
from resolvers.vocabulary import CancellationReason

REASONS: Final = ("Has left the trade", "The employer needs them that day", "Has moved away")
BURST: Final = "A water pipe has burst in the workshop"
READER: Final = "reader"
EXTRA_TIME: Final = InitialAccommodation(
    type="extra-test-time", time_extension_minutes=30, reason="English is not the first language"
)

Command = Callable[[TermRegistration], Any]


class DemoRegistrations:
    """Carries out the term day by day."""

    def __init__(self, storage: Storage, viewer: Viewer, term: Term) -> None:
        self._storage, self._viewer, self._term = storage, viewer, term
        self._bookings: dict[int, UUID] = {}
        self._turns: Mapping[RegistrationOutcome, Sequence[tuple[Run, Command]]] = {
            RegistrationOutcome.CANCELLED: [(cancel, self._cancellation)],
            RegistrationOutcome.TRANSFERRED: [(transfer, self._transfer)],
            RegistrationOutcome.REASSESSED: [(change_assessments, self._other_form)],
            RegistrationOutcome.GRANTED: [(grant, self._accommodation)],
            RegistrationOutcome.GRANTED_AND_REVOKED: [
                (grant, self._accommodation),
                (revoke, self._revocation),
            ],
            RegistrationOutcome.DELETED: [(delete, self._deletion)],
        }

    async def run_day(self, day: int) -> None:
        """Make the registrations of a day, then change earlier ones."""
        new = [one for one in self._term.registrations if one.day == day]
        outcomes = await self._do(book, [self._booking(one) for one in new])
        for one, outcome in zip(new, outcomes, strict=True):
            self._bookings[one.number] = outcome.subject
        turning = [one for one in self._term.registrations if one.turns_on == day]
        for turn, steps in self._turns.items():
            for run, command in steps:
                await self._do(run, [command(one) for one in turning if one.turn is turn])
        if day == -1:
            await self._call_off(self._term.sittings[CALLED_OFF])

    async def _call_off(self, sitting: TermSitting) -> None:
        command = CancelEvent(viewer=self._viewer, event=event_ref(sitting), reason=BURST)
        await self._do(cancel_events, [command])

    async def _do(self, run: Run, commands: Sequence[Any]) -> list[Outcome]:
        return await carry_out(self._storage, run, commands)

    def _ref(self, one: TermRegistration) -> ByKey:
        return ByKey(self._bookings[one.number])

    def _booking(self, one: TermRegistration) -> BookRegistration:
        target = _lax(one.sitting) if one.is_lax else event_ref(one.sitting)
        return BookRegistration(
            viewer=self._viewer,
            target=target,
            candidate=learner_ref(one.learner),
            registration=one.identifier,
            test_form=one.sitting.trade.forms[0],
            registrant_type="Apprentice",
            accommodations=(EXTRA_TIME,) if one.is_accommodated else (),
        )

    def _cancellation(self, one: TermRegistration) -> CancelBooking:
        return CancelBooking(
            viewer=self._viewer,
            booking=self._ref(one),
            reason=CancellationReason.OTHER,
            message=REASONS[one.number % len(REASONS)],
        )

    def _transfer(self, one: TermRegistration) -> TransferRegistration:
        later: Ref | LaxEvent = event_ref(self._term.sittings[LATER])
        if one.is_lax:
            later = _lax(self._term.sittings[LATER])
        return TransferRegistration(
            viewer=self._viewer,
            registration=self._ref(one),
            target=later,
            candidate=learner_ref(one.learner),
            reason="Asked for more time to prepare",
        )

    def _other_form(self, one: TermRegistration) -> ChangeAssessment:
        return ChangeAssessment(
            viewer=self._viewer,
            registration=self._ref(one),
            test_form=one.sitting.trade.forms[1],
        )

    def _accommodation(self, one: TermRegistration) -> GrantAccommodation:
        return GrantAccommodation(
            viewer=self._viewer, booking=self._ref(one), type=READER, reason="Dyslexia"
        )

    def _revocation(self, one: TermRegistration) -> RevokeAccommodation:
        return RevokeAccommodation(viewer=self._viewer, booking=self._ref(one), type=READER)

    def _deletion(self, one: TermRegistration) -> DeleteRegistration:
        return DeleteRegistration(viewer=self._viewer, registration=self._ref(one))


def _lax(sitting: TermSitting) -> LaxEvent:
    """An event by its centre and start, with the values that a new event needs."""
    return LaxEvent(
        centre=VENUE,
        start=sitting.start_at.isoformat(),
        exam_type=EXAM_TYPE,
        exam_format=EXAM_FORMAT,
        billing_code=BILLING_CODE,
    )
