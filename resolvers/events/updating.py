"""Updates events, and moves their bookings with them: lock, load, check, write, record."""

from collections.abc import Sequence
from typing import Any

from resolvers.bookings.overrides import check_overrides
from resolvers.changes import Cause, Facts, record_booking, record_event
from resolvers.events import fields, rules
from resolvers.events.choices import Choice, require_in_scope
from resolvers.events.commands import UpdateEvent
from resolvers.events.drafts import inconsistencies, plain_columns, settled
from resolvers.events.facts import event_facts
from resolvers.events.gathering import MOVING, Expire, UpdateBatch
from resolvers.events.moving import BookingMove, EventMove, require_seats, reseat, time_conflicts
from resolvers.events.sitting_keys import kept_key
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.refusals import (
    CapacityBelowTaken,
    IllegalState,
    Refused,
    StaleBooking,
    ValidationErrors,
    attempt,
)
from resolvers.storage.rows import changed
from resolvers.storage.tables import Event
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import (
    ChangeType,
    ConflictPolicy,
    EventChangeType,
    EventStatus,
    Permission,
    RuleOverride,
    WarningCode,
)

SEAT_SEEKING = (
    "room",
    "centre",
    "start_at",
    "given_end_at",
    "exam_duration_in_minutes",
    "test",
    "duration_quantity",
    "duration_unit",
)
"""The changes that may need seats in a room; a refusal names the first that was sent."""


@frozen
class PendingUpdate:
    """An event updated in this batch, before it is written."""

    event: Event
    cause: Cause
    facts_before: Facts
    facts_after: Facts
    moved: Sequence[BookingMove] = ()
    warnings: tuple[Warning, ...] = ()


def nothing_expires(work: UnitOfWork, **_: Any) -> None:
    """Expire nothing, for callers without bookings that expire."""


@requires(Permission.MANAGE_EVENTS)
def update_events(
    work: UnitOfWork, commands: Sequence[UpdateEvent], *, expire: Expire = nothing_expires
) -> list[Outcome | Refused]:
    """Update events, and move their live bookings with them; the outcomes are in order.

    `expire` is called, once the rows are locked, to release the seats of overdue bookings.
    Refusals: PermissionRefusal, NotFoundRefusal, AmbiguousReference, Required, Invalid,
    WrongLength, OutOfRange, NonexistentTime, those of listed texts; StaleBooking; IllegalState;
    CapacityBelowTaken, RoomFull.
    """
    gathered = UpdateBatch(work, commands, expire)
    results = [attempt(_update, work, gathered, command) for command in commands]
    gathered.write()
    for result in results:
        if isinstance(result, PendingUpdate):
            _record(work, result)
    return [
        Outcome(
            result.event.id,
            warnings=result.warnings,
            facts={"affectedBookings": len(result.moved)},
            row=result.event,
        )
        if isinstance(result, PendingUpdate)
        else result
        for result in results
    ]


def _update(
    work: UnitOfWork, gathered: UpdateBatch, command: UpdateEvent
) -> PendingUpdate | Outcome:
    """Raises: Refused, or a refusal."""
    event, draft, choice = _draft(gathered, command)
    _require_state(work, event, command)
    same = changed(draft, **command.last_change) == event
    if same and choice.modules == gathered.choice(event).modules:
        return Outcome(event.id, changed=False, facts={"affectedBookings": 0}, row=event)
    after = _next_version(work, command, event, draft)
    moved = _moved(work, gathered, EventMove(event, after, choice, gathered.rooms))
    warnings, used = _require_capacity(gathered, command, event, after, moved)
    facts_before = event_facts(event, gathered.choice(event).modules)
    gathered.change(after, choice, moved)
    reseat(gathered.seats, gathered.candidate_schedules, moved)
    if gathered.settings[event.organization_id].conflict_policy is not ConflictPolicy.ALLOW:
        warnings += time_conflicts(gathered.candidate_schedules, moved, after)
    return PendingUpdate(
        after,
        Cause(command.viewer, command.origin, None, used, tuple(warnings)),
        facts_before,
        event_facts(after, choice.modules),
        moved,
        tuple(warnings),
    )


def _next_version(work: UnitOfWork, command: UpdateEvent, event: Event, draft: Event) -> Event:
    last_change = {
        "last_change_time": work.now,
        "last_change_type": "Updated",
        "last_change_user": command.viewer.name,
        **command.last_change,
    }
    key = kept_key(event, draft)
    return changed(draft, sitting_key=key, version=event.version + 1, **last_change)


def _draft(gathered: UpdateBatch, command: UpdateEvent) -> tuple[Event, Event, Choice]:
    """Return the event, its draft, and its new place and test. Raises: Refused."""
    viewer, changes, validation = command.viewer, command.changes, ValidationErrors()
    check_overrides(command.viewer, command.overrides, validation)
    event = validation.of(gathered.event, viewer, command.event, "event")
    present = Choice() if event is None else gathered.choice(event)
    if event is not None:
        validation.of(require_in_scope, viewer, present, "event")
    choice = gathered.choices.chosen(viewer, changes, present, validation)
    if not validation.refusals:
        validation.of(require_in_scope, viewer, choice)
    validation.refusals += fields.violations(changes, nulls_clear=True)
    settings = gathered.settings.get(viewer.organization_id)
    if event is not None and settings is not None:
        changes = fields.in_settings(changes, settings, validation, present=event)
    if event is None or validation.refusals:
        raise Refused(validation.refusals)
    draft = changed(event, **plain_columns(changes), **choice.columns())
    validation.refusals += inconsistencies(draft, changes)
    validation.settle()
    if MOVING.isdisjoint(changes):
        return event, draft, choice
    draft = changed(draft, time_zone=_zone(gathered, event, choice))
    return event, settled(draft, choice, event), choice


def _zone(gathered: UpdateBatch, event: Event, choice: Choice) -> str:
    """Return the time zone of the centre, or else the organization's; unchanged if the centre
    stays.
    """
    if choice.columns()["venue_id"] == event.venue_id:
        return event.time_zone
    place = choice.centre or gathered.settings[event.organization_id]
    return place.time_zone


def _require_state(work: UnitOfWork, event: Event, command: UpdateEvent) -> None:
    """Raises: StaleBooking, IllegalState."""
    status = rules.status(event, work.now)
    if command.expected_version not in (None, event.version):
        path = ("expected_version",)
        raise StaleBooking(*path, version=event.version, event_status=status)
    if status is EventStatus.CANCELLED:
        raise IllegalState("event", version=event.version, event_status=status)


def _moved(work: UnitOfWork, gathered: UpdateBatch, move: EventMove) -> list[BookingMove]:
    """Return the live bookings that change.

    Raises: IllegalState, Invalid, NonexistentTime.
    """
    before, after, bookings = move.before, move.after, gathered.bookings(move.before)
    status = rules.status(before, work.now)
    if bookings and before.on_demand != after.on_demand:
        raise IllegalState("on_demand", version=before.version, event_status=status)
    if bookings and before.start_at is not None and after.start_at is None:
        raise IllegalState("start_at", version=before.version, event_status=status)
    moved = (
        move.of(booking, gathered.granted(booking), gathered.payment(booking), work.now)
        for booking in bookings
    )
    return [one for one in moved if one is not None]


def _require_capacity(
    gathered: UpdateBatch,
    command: UpdateEvent,
    event: Event,
    after: Event,
    moved: Sequence[BookingMove],
) -> tuple[list[Warning], tuple[RuleOverride, ...]]:
    """Return the warnings, and the rules that were overridden.

    Raises: Refused (CapacityBelowTaken, RoomFull).
    """
    validation, warnings = ValidationErrors(), []
    used: tuple[RuleOverride, ...] = ()
    below = _below_taken(gathered, event, after)
    if below is not None and RuleOverride.CAPACITY in command.overrides:
        message = "The capacity is lower than the number of seats that are taken."
        warnings.append(Warning(WarningCode.OUT_OF_RANGE, message, ("overrides",)))
        used = (RuleOverride.CAPACITY,)
    elif below is not None:
        validation.add(below)
    path = _seat_seeking(command, event, after)
    validation.of(require_seats, gathered.seats, moved, gathered.rooms, *path)
    validation.settle()
    return warnings, used


def _seat_seeking(command: UpdateEvent, event: Event, after: Event) -> tuple[str, ...]:
    """Return the first change that may need seats: an unchanged start is not named for a later
    end.
    """
    changes = command.changes
    other = {name: None for name in changes if _value(event, name) != _value(after, name)}
    return fields.first_of(SEAT_SEEKING, other) or fields.first_of(SEAT_SEEKING, changes)


def _value(event: Event, name: str) -> Any:
    """Return an event's value for a field of the command; a reference is stored as a key."""
    return getattr(event, name if hasattr(event, name) else f"{name}_id", None)


def _below_taken(gathered: UpdateBatch, event: Event, after: Event) -> CapacityBelowTaken | None:
    """Return the refusal of a capacity that is lowered below the number of seats taken."""
    old, new, taken = event.capacity_maximum, after.capacity_maximum, gathered.seats.taken(event.id)
    if new is None or new >= taken or (old is not None and new >= old):
        return None
    return CapacityBelowTaken("capacity_maximum", capacity=new, taken=taken)


def _record(work: UnitOfWork, updated: PendingUpdate) -> None:
    record_event(
        work,
        EventChangeType.UPDATED,
        updated.cause,
        event=updated.event,
        facts_before=updated.facts_before,
        facts_after=updated.facts_after,
    )
    for one in updated.moved:
        facts_before, facts_after = one.facts()
        record_booking(
            work,
            ChangeType.UPDATED,
            updated.cause,
            before=one.before,
            after=one.after,
            facts_before=facts_before,
            facts_after=facts_after,
        )
