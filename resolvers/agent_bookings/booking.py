"""Receives agent bookings: a batch, in the order lock, load, check, write, record."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from resolvers import checks
from resolvers.agent_bookings import stage_one
from resolvers.agent_bookings.agencies import Agencies, Party
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.agent_bookings.dates import busy, times
from resolvers.agent_bookings.facts import agent_booking_facts
from resolvers.agent_bookings.known_students import StudentOf
from resolvers.agent_bookings.students import Students
from resolvers.agent_bookings.submission import (
    Content,
    RequestedProduct,
    Submission,
    content_of,
    stays_in,
    tidied,
)
from resolvers.agent_bookings.transitions import TRANSITIONS
from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, may_touch, require
from resolvers.bookings.checks import state_of
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.leases import NOT_LEASED
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import (
    AlreadyExists,
    Refusal,
    Refused,
    StaleBooking,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import (
    AgentBooking,
    AgentBookingItem,
    AgentBookingRevision,
    Booking,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    AgentBookingStatus,
    BookingKind,
    BookingStatus,
    ChangeType,
    Permission,
    ProductKind,
)

MOST_REVISIONS = 2**31 - 1

NOT_CANCELLED: dict[str, Any] = {
    "cancel_reason": None,
    "cancel_message": None,
    "cancelled_at": None,
    "cancelled_by_user_id": None,
    "cancelled_by_name": None,
    "cancelled_on_behalf": False,
}

Name = tuple[UUID, str, str]
"""An organization, an agency's key and an id that is unique inside it."""


@frozen
class CheckedCommand:
    """A command, its submission without blank texts, and the errors of its fields.

    `content` is the submission as it is stored; empty if there are errors.
    """

    command: BookAgentBooking
    submission: Submission
    mistakes: list[Refusal]
    content: Content

    @property
    def organization_id(self) -> UUID:
        return self.command.viewer.organization_id

    @classmethod
    def of(cls, command: BookAgentBooking, today: date) -> "CheckedCommand":
        submission = tidied(command.submission)
        mistakes = stage_one.check(submission, today=today)
        return cls(command, submission, mistakes, {} if mistakes else content_of(submission))


@frozen
class CurrentBooking:
    """The current state of an agent booking during the batch."""

    booking: Booking
    detail: AgentBooking


@requires(Permission.BOOK)
def book(work: UnitOfWork, commands: Sequence[BookAgentBooking]) -> list[Outcome | Refused]:
    """Receive each submission: a new booking, or a new revision of one.

    The same content does not make a new revision, unless the booking was cancelled. Stage 2 later
    checks whether the booking is possible; until then a confirmed revision stays in force.
    Refusals, all that apply: PermissionRefusal, Required, WrongLength, Invalid, InvalidEmail,
    InvalidCountryCode, OutOfRange; then AlreadyExists (the id is that of a booking that the caller
    cannot see), StaleBooking; then IllegalState.
    """
    today = work.now.date()
    asked = [CheckedCommand.of(command, today) for command in commands]
    batch = _SubmissionBatch(work, asked)
    outcomes = [attempt(batch.receive, one) for one in asked]
    batch.write()
    return outcomes


class _SubmissionBatch:
    def __init__(self, work: UnitOfWork, asked: Sequence[CheckedCommand]) -> None:
        self._work = work
        self._agencies = Agencies(work, ((one.command.viewer, one.submission) for one in asked))
        in_order = [one for one in asked if not one.mistakes]
        self._students = Students(
            work,
            [
                _student(one, party)
                for one in in_order
                if (party := self._agencies.permitted(one.command.viewer, one.submission))
            ],
        )
        organizations = {one.organization_id for one in asked}
        self._settings = loading.settings(work, organizations)
        self._before = _held(work, in_order)
        self._now = dict(self._before)
        self._names: dict[Name, UUID] = {
            (row.organization_id, row.agency_key, row.agent_booking_id): row.id
            for row in (held.detail for held in self._before.values())
        }
        self._revisions: list[AgentBookingRevision] = []
        self._items: list[AgentBookingItem] = []

    def receive(self, asked: CheckedCommand) -> Outcome:
        """Raises: Refused, or a refusal."""
        command, submission = asked.command, asked.submission
        party = self._check_input(asked)
        held = self._known(command.viewer, submission, party)
        self._require_revision(held, command)
        if held is None:
            return self._create(asked, party)
        cancelled = held.booking.status is BookingStatus.CANCELLED
        if asked.content == held.detail.content and not cancelled:
            return Outcome(held.booking.id, changed=False)
        if not (cancelled and command.imported):
            name = "reopen" if cancelled else "resubmit"
            at = ("agent_booking_id",)
            require(TRANSITIONS, name, self._situation(held), command.viewer, *at)
        return self._replace(asked, party, held)

    def write(self) -> None:
        """Write the newest state of each booking, and all revisions."""
        work, before = self._work, self._before
        self._students.write()
        new = [held for key, held in self._now.items() if key not in before]
        work.insert(Booking, [held.booking for held in new])
        work.insert(AgentBooking, [held.detail for held in new])
        known = [(held, self._now[key]) for key, held in before.items()]
        work.save(Booking, [(old.booking, now.booking) for old, now in known])
        work.save(AgentBooking, [(old.detail, now.detail) for old, now in known])
        work.insert(AgentBookingRevision, self._revisions)
        work.insert(AgentBookingItem, self._items)

    def _check_input(self, asked: CheckedCommand) -> Party:
        """Raises: Refused."""
        command, stage = asked.command, ValidationErrors()
        stage.refusals += asked.mistakes
        path = ("expected_revision",)
        stage.of(checks.number, command.expected_revision, *path, least=0, most=MOST_REVISIONS)
        party: Party | None = None
        if asked.submission.agent_office_code is not None:
            party = stage.of(self._agencies.party, command.viewer, asked.submission)
        stage.settle()
        assert party is not None
        return party

    def _situation(self, held: CurrentBooking) -> ActionContext:
        settings = self._settings[held.booking.organization_id]
        return ActionContext(held.booking, settings, self._work.now)

    def _require_revision(self, held: CurrentBooking | None, command: BookAgentBooking) -> None:
        """Raises: StaleBooking, with version 0 if the booking does not exist."""
        expected = command.expected_revision
        if expected is None or expected == (0 if held is None else held.detail.revision):
            return
        path = ("expected_revision",)
        if held is None:
            raise StaleBooking(*path, version=0)
        raise StaleBooking(*path, **state_of(self._situation(held), command.viewer))

    def _known(self, viewer: Viewer, submission: Submission, party: Party) -> CurrentBooking | None:
        """The booking with this id in the agency, also if it was made while the office was unknown.

        Raises: AlreadyExists (the viewer cannot see it, and an agency has an id only once).
        """
        for agency_key in party.agency_keys:
            name = (viewer.organization_id, agency_key, submission.agent_booking_id or "")
            held = self._now.get(self._names[name]) if name in self._names else None
            if held is not None and may_touch(viewer, held.booking):
                return held
            if held is not None and agency_key == party.agency_keys[0]:
                raise AlreadyExists("agent_booking_id")
        return None

    def _create(self, asked: CheckedCommand, party: Party) -> Outcome:
        now, key = self._work.now, new_key()
        organization_id, cause = asked.organization_id, _cause(asked)
        agent_booking_id = asked.submission.agent_booking_id
        assert agent_booking_id is not None
        booking = new_row(
            Booking,
            organization_id=organization_id,
            id=key,
            kind=BookingKind.AGENT_BOOKING,
            reference=agent_booking_id,
            status=BookingStatus.PENDING,
            created_at=now,
            updated_at=now,
            **cause.as_columns("created_by"),
            **self._of_submission(asked, party),
        )
        detail = new_row(
            AgentBooking,
            organization_id=organization_id,
            id=key,
            agent_booking_id=agent_booking_id,
            revision=1,
            **_received(asked, party),
        )
        self._keep(asked, CurrentBooking(busy(booking), detail), None)
        return Outcome(key, created=True)

    def _replace(self, asked: CheckedCommand, party: Party, held: CurrentBooking) -> Outcome:
        booking = next_version(
            held.booking,
            self._work.now,
            status=BookingStatus.PENDING,
            **NOT_CANCELLED,
            **self._of_submission(asked, party),
        )
        received = _received(asked, party)
        detail = changed(held.detail, revision=held.detail.revision + 1, **received)
        self._keep(asked, CurrentBooking(busy(booking), detail), held)
        return Outcome(booking.id)

    def _of_submission(self, asked: CheckedCommand, party: Party) -> dict[str, Any]:
        """The common columns of a booking from its submission."""
        organization_id, school = asked.organization_id, party.school
        zone = self._settings[organization_id].time_zone if school is None else school.time_zone
        return {
            "candidate_id": self._students.candidate(_student(asked, party)).id,
            "centre_id": None if school is None else school.id,
            "agent_office_id": party.owner_id,
            **times(stays_in(asked.content, "courses", "lodging"), zone),
        }

    def _keep(
        self, asked: CheckedCommand, held: CurrentBooking, before: CurrentBooking | None
    ) -> None:
        booking, detail, cause = held.booking, held.detail, _cause(asked)
        if before is not None:
            old = before.detail
            del self._names[old.organization_id, old.agency_key, old.agent_booking_id]
        self._names[booking.organization_id, detail.agency_key, detail.agent_booking_id] = detail.id
        self._now[booking.id] = held
        self._revisions.append(
            new_row(
                AgentBookingRevision,
                organization_id=booking.organization_id,
                booking_id=booking.id,
                revision=detail.revision,
                content=detail.content,
                received_at=self._work.now,
                **cause.as_columns("received_by"),
            )
        )
        self._items += [
            _item(detail, kind, n, requested)
            for kind, requested_products in asked.submission.requested_products.items()
            for n, requested in enumerate(requested_products)
        ]
        record_booking(
            self._work,
            ChangeType.CREATED if before is None else ChangeType.RESUBMITTED,
            cause,
            before=None if before is None else before.booking,
            after=booking,
            facts_before=None if before is None else _facts(before),
            facts_after=_facts(held),
        )


def _item(
    detail: AgentBooking, kind: ProductKind, position: int, requested: RequestedProduct
) -> AgentBookingItem:
    assert requested.code is not None  # stage 1 requires it
    return new_row(
        AgentBookingItem,
        organization_id=detail.organization_id,
        booking_id=detail.id,
        revision=detail.revision,
        kind=kind,
        position=position,
        code=requested.code,
        date_from=requested.date_from,
        number_of_weeks=requested.number_of_weeks,
        quantity=requested.quantity,
    )


def _student(asked: CheckedCommand, party: Party) -> StudentOf:
    command, student = asked.command, asked.submission.student
    assert student is not None
    return StudentOf(command.viewer, party.agency_keys[0], student, imported=command.imported)


def _facts(held: CurrentBooking) -> dict[str, Any]:
    return agent_booking_facts(held.booking, held.detail)


def _cause(asked: CheckedCommand) -> Cause:
    return Cause(asked.command.viewer, asked.command.origin)


def _received(asked: CheckedCommand, party: Party) -> dict[str, Any]:
    """The agent booking's own columns from its submission."""
    return {
        "agency_key": party.agency_keys[0],
        "agent_office_id": None if party.office is None else party.office.id,
        "status": AgentBookingStatus.RECEIVED,
        "content": asked.content,
        "validation_messages": [],
        **NOT_LEASED,
    }


def _held(work: UnitOfWork, asked: Sequence[CheckedCommand]) -> dict[UUID, CurrentBooking]:
    """The bookings with one of the ids, in all agencies; locked, by key."""
    ids = [(one.organization_id, one.submission.agent_booking_id) for one in asked]
    found = loading.of_keys(work, AgentBooking, "agent_booking_id", ids)
    keys = [(row.organization_id, row.id) for row in found]
    bookings = loading.lock(work, Booking, keys)
    details = loading.lock(work, AgentBooking, keys)
    return {key: CurrentBooking(booking, details[key]) for key, booking in bookings.items()}
