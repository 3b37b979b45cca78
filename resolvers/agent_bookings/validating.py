"""Stage 2 in the worker: claims received bookings and validates them `[004]`.

It takes two transactions. If a worker dies between them, its lease expires, and another worker
claims the booking. A newer submission ends the lease.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.agent_bookings import stage_two
from resolvers.agent_bookings.catalogues import Catalogues
from resolvers.agent_bookings.dates import busy, times
from resolvers.agent_bookings.facts import agent_booking_facts
from resolvers.agent_bookings.numbers import BackendNumbers
from resolvers.agent_bookings.places import Places
from resolvers.agent_bookings.reads import held_by_nobody
from resolvers.agent_bookings.stage_two import Catalogue
from resolvers.agent_bookings.submission import stays_in
from resolvers.bookings import loading
from resolvers.bookings.versions import next_version
from resolvers.changes import THE_CLOCK, record_booking
from resolvers.leases import NOT_LEASED, leased
from resolvers.outcomes import Outcome
from resolvers.reading import ORGANIZATION, of_organization
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import AgentBooking, Booking, Candidate, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import AgentBookingStatus, BookingStatus, ChangeType

NOBODY = UUID(int=0)


@frozen(kw_only=True)
class ClaimWaiting:
    """Claim up to `most` waiting bookings of an organization for `lease_seconds`."""

    organization_id: UUID
    most: int
    lease_seconds: float


@frozen(kw_only=True)
class Validate:
    """Validate a claimed booking."""

    organization_id: UUID
    booking_id: UUID
    lease: UUID


def take_up(work: UnitOfWork, commands: Sequence[ClaimWaiting]) -> list[Outcome]:
    """Make received bookings VALIDATING, oldest first, including those with an expired lease.

    `facts["taken"]` has for each booking its organization, its key and its lease, as hex text.
    """
    return [_take_up(work, command) for command in commands]


def validate(work: UnitOfWork, commands: Sequence[Validate]) -> list[Outcome]:
    """Confirm each booking, or record why it is not possible.

    If the lease is no longer valid, the result is discarded and `changed` is False.
    """
    batch = _ValidationBatch(work, commands)
    return [batch.validate(command) for command in commands]


def _take_up(work: UnitOfWork, command: ClaimWaiting) -> Outcome:
    bookings: Read[Any] = Read(
        ("agent bookings that wait", command.most),
        lambda dialect: _waiting(dialect, command.most),
        {"now": work.now, ORGANIZATION: command.organization_id},
    )
    keys = [(row.organization_id, row.id) for row in work.rows(bookings)]
    held = _held(work, keys)
    taken = []
    for booking, detail in held.values():
        if not _waits(detail, work):
            continue
        after = changed(
            detail,
            status=AgentBookingStatus.VALIDATING,
            **leased(work.now, command.lease_seconds),
        )
        taken.append([after.organization_id.hex, after.id.hex, _hex(after.lease)])
        if detail.status is AgentBookingStatus.VALIDATING:
            work.save(AgentBooking, [(detail, after)])
        else:
            _write(work, (booking, detail), (booking, after), ChangeType.UPDATED)
    return Outcome(NOBODY, changed=bool(taken), facts={"taken": taken})


def _waits(detail: AgentBooking, work: UnitOfWork) -> bool:
    """Whether the locked booking has no valid lease."""
    if detail.status is AgentBookingStatus.VALIDATING:
        return detail.leased_until is not None and detail.leased_until <= work.now
    return detail.status is AgentBookingStatus.RECEIVED


def _hex(lease: UUID | None) -> str:
    assert lease is not None
    return lease.hex


Held = tuple[Booking, AgentBooking]


class _ValidationBatch:
    """A batch in the order lock, load, check, write. Locks offers, candidates, then bookings."""

    def __init__(self, work: UnitOfWork, commands: Sequence[Validate]) -> None:
        self._work = work
        keys = [(c.organization_id, c.booking_id) for c in commands]
        details = loading.of_keys(work, AgentBooking, "id", keys)
        students = [
            (row.organization_id, row.candidate_id)
            for row in loading.of_keys(work, Booking, "id", keys)
        ]
        self._catalogues = Catalogues(work, details)
        loading.lock(work, Candidate, students)
        self._held = _held(work, keys)
        self._places = Places(work, self._catalogues.offers, keys)
        self._numbers = BackendNumbers(work, students)

    def validate(self, command: Validate) -> Outcome:
        held = self._held.get(command.booking_id)
        if held is None or held[1].lease != command.lease:
            return Outcome(command.booking_id, changed=False)
        catalogue = self._catalogues.of(held[1], self._places)
        messages = stage_two.check(held[1].content, catalogue)
        if messages:
            self._invalidate(held, messages)
        else:
            self._confirm(held, catalogue)
        return Outcome(command.booking_id)

    def _invalidate(self, held: Held, messages: Sequence[stage_two.Message]) -> None:
        booking, detail = held
        _write(
            self._work,
            held,
            (
                changed(booking, status=BookingStatus.INVALID),
                changed(
                    detail,
                    status=AgentBookingStatus.INVALID,
                    validation_messages=[message.as_kept() for message in messages],
                    **NOT_LEASED,
                ),
            ),
            ChangeType.INVALIDATED,
        )

    def _confirm(self, held: Held, known: Catalogue) -> None:
        """Put the revision in force, with its places instead of those of the previous revision.

        Codes may have become known after the submission.
        """
        booking, detail = held
        assert known.office is not None
        assert known.school is not None
        courses = stays_in(detail.content, "courses")
        self._places.take(
            (booking.organization_id, booking.id),
            [(known.offers[course.code].offer.id, course.date_from) for course in courses],
        )
        stays = [*courses, *stays_in(detail.content, "lodging")]
        confirmed = changed(
            booking,
            status=BookingStatus.CONFIRMED,
            centre_id=known.school.id,
            agent_office_id=known.office.id,
            **times(stays, known.school.time_zone),
        )
        after = changed(
            detail,
            status=AgentBookingStatus.CONFIRMED,
            confirmed_revision=detail.revision,
            agent_office_id=known.office.id,
            backend_booking_id=self._numbers.of_booking(detail),
            backend_student_id=self._numbers.of_student(booking),
            **NOT_LEASED,
        )
        _write(self._work, held, (busy(confirmed), after), ChangeType.CONFIRMED)


def _held(work: UnitOfWork, keys: loading.Keys) -> dict[UUID, Held]:
    """The bookings with these keys and their details, locked."""
    pairs = list(keys)
    bookings = loading.lock(work, Booking, pairs)
    details = loading.lock(work, AgentBooking, pairs)
    return {key: (booking, details[key]) for key, booking in bookings.items()}


def _write(work: UnitOfWork, before: Held, after: Held, kind: ChangeType) -> None:
    """Save a booking with its details, and record the change."""
    booking = next_version(after[0], work.now)
    work.save(Booking, [(before[0], booking)])
    work.save(AgentBooking, [(before[1], after[1])])
    record_booking(
        work,
        kind,
        THE_CLOCK,
        before=before[0],
        after=booking,
        facts_before=agent_booking_facts(*before),
        facts_after=agent_booking_facts(booking, after[1]),
    )


def _waiting(dialect: str, most: int) -> sa.Executable:
    """The bookings without a valid lease in the order of their keys; locked ones are skipped."""
    a, b = columns(AgentBooking), columns(Booking)
    mine = of_organization(AgentBooking)
    if dialect == "sqlite":  # the sign keeps it from reading all bookings of the organization
        mine = sa.literal_column("+agent_booking.organization_id", a.organization_id.type) == (
            sa.bindparam(ORGANIZATION, type_=a.organization_id.type)
        )
    statement = (
        sa.select(b.organization_id, b.id)
        .select_from(table(AgentBooking))
        .join(table(Booking), sa.and_(b.organization_id == a.organization_id, b.id == a.id))
        .where(mine, held_by_nobody())
        .order_by(a.id)
        .limit(sa.literal_column(str(most)))
    )
    if dialect != "postgresql":
        return statement
    both = (table(Booking), table(AgentBooking))
    return statement.with_for_update(key_share=True, of=both, skip_locked=True)
