"""Cancels events with their bookings of every kind, in one transaction."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings import loading
from resolvers.bookings.actions import transition
from resolvers.bookings.checks import check_required_reason
from resolvers.bookings.expiry import lock_current
from resolvers.bookings.kinds import KINDS, kind_of
from resolvers.changes import Cause, Origin, record_event
from resolvers.events.facts import event_facts
from resolvers.events.rules import status
from resolvers.every_kind.cancelling import cancelled_booking, write_cancelled
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Lookup, Ref, look_up
from resolvers.refusals import (
    IllegalState,
    PermissionRefusal,
    Refused,
    StaleBooking,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import Booking, Event, Test, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    BookingStatus,
    CancellationReason,
    EventChangeType,
    EventStatus,
    Permission,
)

CANCELLABLE = frozenset({EventStatus.DRAFT, EventStatus.SCHEDULED, EventStatus.LOCKED})


@frozen(kw_only=True)
class CancelEvent:
    """Cancel an event and, by default, its bookings.

    `happened`: the command is an import, so permissions and rules about the present do not apply.
    """

    viewer: Viewer = field(repr=False)
    event: Ref
    reason: str
    cancel_bookings: bool = True
    expected_version: int | None = None
    origin: Origin | None = None
    imported: bool = False


@requires(Permission.MANAGE_EVENTS)
def cancel_events(work: UnitOfWork, commands: Sequence[CancelEvent]) -> list[Outcome | Refused]:
    """Cancel each event. Its bookings get the reason EVENT_CANCELLED and one change each.

    It cancels bookings of every kind whose status allows it. The cut-off before the start does not
    apply. Cancelling again changes nothing.
    `facts["affectedBookings"]` counts the bookings. Refusals: PermissionRefusal, EventNotFound,
    Invalid, ReasonRequired, WrongLength; StaleBooking; IllegalState.
    """
    found = look_up(work, Event, ((c.viewer, c.event) for c in commands))
    keys = [(row.organization_id, row.id) for row in found.rows()]
    events = loading.lock(work, Event, keys)
    tests = [(e.organization_id, e.test_id) for e in events.values() if e.test_id is not None]
    subjects = {row.id: row.subject_id for row in loading.of_keys(work, Test, "id", tests)}
    bookings = _cancellable_bookings(work, keys)

    def cancel(command: CancelEvent) -> Outcome:
        event = _check(command, found, events, subjects, work.now)
        if event.cancelled_at is not None:
            return Outcome(event.id, changed=False, facts={"affectedBookings": 0}, row=event)
        cause = Cause(command.viewer, command.origin, command.reason)
        events[event.id] = _cancel_event(work, event, cause)
        affected = bookings.pop(event.id, []) if command.cancel_bookings else []
        for booking, status_after in affected:
            after = cancelled_booking(
                booking,
                status_after,
                CancellationReason.EVENT_CANCELLED,
                command.reason,
                cause,
                now=work.now,
            )
            write_cancelled(work, booking, after, cause)
        return Outcome(event.id, facts={"affectedBookings": len(affected)}, row=events[event.id])

    return [attempt(cancel, command) for command in commands]


def _check(
    command: CancelEvent,
    found: Lookup[Event],
    events: dict[UUID, Event],
    subjects: dict[UUID, UUID | None],
    now: datetime,
) -> Event:
    stage = ValidationErrors()
    viewer = command.viewer
    path = ("event",)
    row = stage.of(found.one, viewer, command.event, *path)
    check_required_reason(command.reason, stage)
    event = None if row is None else events[row.id]
    if event is not None:
        missing = viewer.scope.missing(
            centre_id=event.venue_id,
            subject_id=None if event.test_id is None else subjects.get(event.test_id),
            candidate_id=viewer.scope.candidate,
        )
        if missing is not None:
            required = Permission.MANAGE_EVENTS
            stage.add(PermissionRefusal(*path, required=required, missing_scope=missing))
    stage.settle()
    assert event is not None
    now_is = status(event, now)
    if command.expected_version not in {None, event.version}:
        raise StaleBooking("expected_version", version=event.version, event_status=now_is)
    closed = now_is not in CANCELLABLE and not command.imported
    if event.cancelled_at is None and closed:
        raise IllegalState("event", version=event.version, event_status=now_is)
    return event


def _cancel_event(work: UnitOfWork, event: Event, cause: Cause) -> Event:
    after = changed(
        event,
        cancel_reason=CancellationReason.OTHER,
        cancel_message=cause.reason,
        cancelled_at=work.now,
        cancelled_by_user_id=cause.user_id,
        cancelled_by_name=cause.name,
        cancelled_on_behalf=True,
        sitting_key=None,
        version=event.version + 1,
        last_change_time=work.now,
        last_change_type="Cancelled",
        last_change_user=cause.name,
    )
    work.save(Event, [(event, after)])
    record_event(
        work,
        EventChangeType.CANCELLED,
        cause,
        event=after,
        facts_before=event_facts(event, ()),
        facts_after=event_facts(after, ()),
    )
    return after


def _status_after(booking: Booking) -> BookingStatus | None:
    """The status after cancelling a booking; None if its status does not allow it."""
    row = transition(kind_of(booking).transitions, "cancel")
    return None if row is None or booking.status not in row.sources else row.target


def _cancellable_statuses() -> list[BookingStatus]:
    """The statuses in which a booking of some kind can be cancelled."""
    rows = (transition(kind.transitions, "cancel") for kind in KINDS.values())
    return sorted({status for row in rows if row is not None for status in row.sources})


def _cancellable_bookings(
    work: UnitOfWork, events: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, list[tuple[Booking, BookingStatus]]]:
    """The cancellable bookings of each event, locked, with their new statuses.

    Overdue bookings expire first.
    """
    c = columns(Booking)
    found: Read[Booking] = Read(
        "cancellable bookings of events",
        lambda _: sa.select(c.organization_id, c.id).where(
            one_of(c.organization_id, "organizations"),
            one_of(c.event_id, "events"),
            one_of(c.status, "statuses"),
        ),
        {
            "organizations": list({organization for organization, _ in events}),
            "events": [event for _, event in events],
            "statuses": _cancellable_statuses(),
        },
    )
    keys = [(row.organization_id, row.id) for row in work.rows(found)]
    by_event: dict[UUID, list[tuple[Booking, BookingStatus]]] = {}
    for booking in lock_current(work, keys).values():
        after = _status_after(booking)
        if booking.event_id is not None and after is not None:
            by_event.setdefault(booking.event_id, []).append((booking, after))
    return by_event
