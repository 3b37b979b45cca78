"""Moves enrolments: the new seat is taken before the old one is freed, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resolvers import checks
from resolvers.bookings import loading
from resolvers.bookings.accommodations import extra, recomputed
from resolvers.bookings.actions import ActionContext, is_overdue, require
from resolvers.bookings.checks import find, require_version, state_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.overrides import check_overrides
from resolvers.bookings.payment_rules import due_by_start, lapsing_by_start
from resolvers.bookings.preloaded import BookingRefs, PreloadedBatch
from resolvers.bookings.seating import SeatRequest, check_seat
from resolvers.bookings.sittings import Sitting, ambiguous_time, as_booked, sitting_of, when
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.enrolments import rules
from resolvers.enrolments.attempts import Attempts, results_in
from resolvers.enrolments.commands import MoveEnrolment
from resolvers.enrolments.facts import enrolment_facts
from resolvers.enrolments.transitions import TRANSITIONS
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.references import ByKey, Lookup, Ref, look_up
from resolvers.refusals import (
    OneRequired,
    Refused,
    Required,
    StaleBooking,
    ValidationErrors,
    attempt,
)
from resolvers.storage.rows import changed
from resolvers.storage.tables import Accommodation, Booking, Enrolment, Event, Payment, Room
from resolvers.storage.tables.bookings import SEATED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.vocabulary import BookingKind, BookingStatus, ChangeType, DeliveryMode, Permission


@dataclass(slots=True)
class PendingMove:
    """An enrolment that moves in this batch, before it is written."""

    booking: tuple[Booking, Booking]
    enrolment: tuple[Enrolment, Enrolment]
    accommodations: list[tuple[Accommodation, Accommodation]]
    payment: tuple[Payment, Payment] | None
    cause: Cause
    warnings: tuple[Warning, ...]


@requires(Permission.MOVE)
def move(work: UnitOfWork, commands: Sequence[MoveEnrolment]) -> list[Outcome | Refused]:
    """Give each enrolment its new seat, time and place.

    The outcomes are in the order of the commands.

    Moving to the same place succeeds and changes nothing. Refusals: PermissionRefusal,
    NotFoundRefusal, EventNotFound, Invalid, Required, WrongLength; StaleBooking; IllegalState; and
    at the target those of booking.
    """
    movers = _MoveBatch(work, commands)
    results = [attempt(movers.move, command) for command in commands]
    movers.write([result for result in results if isinstance(result, PendingMove)])
    return [
        Outcome(result.booking[1].id, warnings=result.warnings)
        if isinstance(result, PendingMove)
        else result
        for result in results
    ]


class _MoveBatch:
    """A batch of moves, with the rows that it needs."""

    def __init__(self, work: UnitOfWork, commands: Sequence[MoveEnrolment]) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.enrolment) for c in commands)
        )
        self._from_events: Lookup[Event] = look_up(
            work, Event, ((c.viewer, c.from_event) for c in commands)
        )
        self._from_rooms: Lookup[Room] = look_up(
            work, Room, ((c.viewer, c.from_room) for c in commands)
        )
        self._preloaded = PreloadedBatch(
            work, [w for c in commands if (w := self._wanted(c)) is not None]
        )
        keys = [(row.organization_id, row.id) for row in self._found.rows()]
        self._locked = loading.lock(work, Booking, keys)
        self._enrolments = {row.id: row for row in loading.of_keys(work, Enrolment, "id", keys)}
        with_extra = [k for k in keys if self._locked[k[1]].accommodation_count]
        self._accommodations = loading.accommodations(work, with_extra)
        unpaid = [k for k in keys if self._locked[k[1]].status is BookingStatus.PENDING]
        self._payments = loading.payments(work, unpaid)
        for booking in self._locked.values():
            self._preloaded.candidate_schedules.write(booking)
        results = results_in(work, self._preloaded.candidate_schedules)
        self._attempts = Attempts(work, self._preloaded, results)

    def _wanted(self, command: MoveEnrolment) -> BookingRefs | None:
        booking = self._found.first(command.viewer, command.enrolment)
        if booking is None or booking.event_id is None:
            return None
        here: Ref | None = None if booking.room_id is None else ByKey(booking.room_id)
        time = command.to_on_demand_time or booking.local_start
        return BookingRefs(
            command.viewer,
            ByKey(booking.candidate_id),
            command.to_event or ByKey(booking.event_id),
            command.to_room or here,
            past_time=None if command.imported is None else time,
        )

    def move(self, command: MoveEnrolment) -> PendingMove | Outcome:
        stage, viewer = ValidationErrors(), command.viewer
        booking = self._find(command, stage)
        overrides = check_overrides(viewer, command.overrides, stage)
        stage.of(checks.text, command.reason, "reason", most=checks.REASON)
        if not (command.to_event or command.to_room or command.to_on_demand_time):
            names = ("to_event", "to_room", "to_on_demand_time")
            stage.add(OneRequired("to_event", names=names))
        was_at, was_in = self._places_before(command, stage)
        if booking is None:
            raise Refused(stage.refusals)
        enrolment = self._enrolments[booking.id]
        target = self._target(command, booking, enrolment, stage)
        _require_unchanged(command, self._situation(booking), was_at, was_in)
        if booking.status in SEATED and _same_place(booking, target):
            return Outcome(booking.id, changed=False)
        moved = self._moved(command, booking, target)
        warnings = check_seat(
            self._preloaded,
            SeatRequest(
                moved,
                self._preloaded.candidate(viewer, ByKey(booking.candidate_id)),
                target.event,
                target.room,
                target.module_id,
                moving=booking,
                imported=command.imported is not None,
            ),
            overrides,
            self._work.now,
            own_rules=self._attempts.rules(moved, target.event, moving=booking),
            state=self._state(command, booking),
        )
        if target.sitting.ambiguous:
            warnings.append(ambiguous_time(target.time_path))
        return self._take(
            booking,
            moved,
            self._enrolment_at(enrolment, booking, target),
            target.accommodations,
            Cause(viewer, command.origin, command.reason, tuple(overrides.used), tuple(warnings)),
            warnings,
        )

    def _find(self, command: MoveEnrolment, stage: ValidationErrors) -> Booking | None:
        """The booking, or None and a refusal."""
        path = ("enrolment",)
        return stage.of(
            find,
            self._found,
            self._locked,
            command.viewer,
            command.enrolment,
            *path,
            kind=BookingKind.ENROLMENT,
        )

    def _places_before(
        self, command: MoveEnrolment, stage: ValidationErrors
    ) -> tuple[Event | None, Room | None]:
        """The current event and room according to the caller."""
        viewer, event, room = command.viewer, None, None
        if (ref := command.from_event) is not None:
            path = ("from_event",)
            event = stage.of(self._from_events.one, viewer, ref, *path)
        if (ref := command.from_room) is not None:
            path = ("from_room",)
            room = stage.of(self._from_rooms.one, viewer, ref, *path)
        return event, room

    def _state(self, command: MoveEnrolment, booking: Booking) -> ValidationErrors:
        """The refusals from the booking's own state."""
        stage = ValidationErrors()
        if command.imported is None or booking.status not in SEATED:
            path = ("enrolment",)
            stage.of(require, TRANSITIONS, "move", self._situation(booking), command.viewer, *path)
        return stage

    def _situation(self, booking: Booking) -> ActionContext:
        return ActionContext(
            booking, self._preloaded.settings[booking.organization_id], self._work.now
        )

    def _event(self, command: MoveEnrolment, booking: Booking, *path: str) -> Event:
        """The target of a move.

        Raises: as `PreloadedBatch.event`, StaleBooking (it moved before it could be locked).
        """
        preloaded, viewer = self._preloaded, command.viewer
        if command.to_event is not None:
            return preloaded.event(viewer, command.to_event, Permission.MOVE, *path)
        assert booking.event_id is not None
        known = {None, *preloaded.rooms} if command.to_room is None else {booking.room_id}
        if booking.event_id not in preloaded.events or booking.room_id not in known:
            raise StaleBooking(*path, **state_of(self._situation(booking), viewer))
        return preloaded.in_scope(
            viewer, preloaded.events[booking.event_id], Permission.MOVE, *path
        )

    def _target(
        self,
        command: MoveEnrolment,
        booking: Booking,
        enrolment: Enrolment,
        stage: ValidationErrors,
    ) -> "_Target":
        """The target of a move, at the end of the stage. Raises: Refused."""
        preloaded, viewer = self._preloaded, command.viewer
        where = "enrolment" if command.to_event is None else "to_event"
        event = stage.of(self._event, command, booking, where)
        given = stage.of(preloaded.room, viewer, command.to_room, event, "to_room")
        if event is None or (command.to_room is not None and given is None):
            raise Refused(stage.refusals)
        online = enrolment.delivery is DeliveryMode.ONLINE
        room = stage.of(
            rules.choose_room,
            event,
            given,
            online=online,
            own=self._room_without_choice(booking, event),
            path="to_room",
        )
        time, path = command.to_on_demand_time, "to_on_demand_time"
        if time is None and event.on_demand and enrolment.on_demand:
            time = booking.local_start
            path = "to_event" if command.to_room is None else "to_room"
        zone = preloaded.zone(event, room, online=online)
        # a booking that stays at its event keeps its length
        lasts = as_booked(event, booking) if event.id == booking.event_id else event
        accommodations = self._for_length(booking, lasts)
        spare = extra(a for _, a in accommodations)
        here = (time, zone) == (booking.local_start, booking.time_zone)
        sitting = stage.of(
            sitting_of,
            lasts,
            time,
            time_zone=zone,
            now=self._work.now,
            may_be_past=command.imported is not None or here,
            extra_time_minutes=spare.time_minutes,
            extra_break_minutes=spare.break_minutes,
            path=path,
        )
        module_id = stage.of(self._module_at, enrolment, booking, event)
        stage.settle()
        assert sitting is not None
        return _Target(event, room, sitting, module_id, accommodations, path)

    def _module_at(self, enrolment: Enrolment, booking: Booking, event: Event) -> UUID | None:
        """At another event, the module is kept if the event has it. Raises: Required."""
        modules = self._preloaded.modules_of(event)
        if event.id == booking.event_id or enrolment.module_id in modules:
            return enrolment.module_id
        try:
            return rules.choose_module(event, modules, None, "to_event")
        except Required as refusal:
            refusal.source_name = "module"  # which a move cannot name
            raise

    def _room_without_choice(self, booking: Booking, event: Event) -> Room | None:
        """The room of a move without a room: the current one, or the other event's own."""
        rooms = self._preloaded.rooms
        here = None if booking.room_id is None else rooms.get(booking.room_id)
        if event.id == booking.event_id:
            return here
        if event.room_id is not None:
            own: Room = rooms[event.room_id]
            return own
        return here if here is not None and here.centre_id == event.venue_id else None

    def _moved(self, command: MoveEnrolment, booking: Booking, target: "_Target") -> Booking:
        event, room = target.event, target.room
        test = self._preloaded.test_of(event)
        moved = next_version(
            booking,
            self._work.now,
            event_id=event.id,
            centre_id=event.venue_id if room is None else room.centre_id,
            room_id=None if room is None else room.id,
            test_id=event.test_id,
            subject_id=None if test is None else test.subject_id,
            **when(target.sitting),
        )
        moved = lapsing_by_start(moved)
        if command.imported is not None and is_overdue(moved, self._work.now):
            # the source holds the seat although the time to pay is over
            return changed(moved, status=BookingStatus.CONFIRMED, lapses_at=None)
        return moved

    def _enrolment_at(self, enrolment: Enrolment, booking: Booking, target: "_Target") -> Enrolment:
        """The attempt number, counted again for another test."""
        event = target.event
        moved = changed(enrolment, on_demand=event.on_demand, module_id=target.module_id)
        if rules.same_test(booking, event):
            return moved
        others = [
            b
            for b in self._preloaded.candidate_schedules.of(booking.candidate_id)
            if b.id != booking.id
        ]
        earlier = rules.attempts(others, event)
        return changed(
            moved,
            attempt_number=1 + len(earlier),
            previous_attempt_id=earlier[-1].id if earlier else None,
        )

    def _for_length(
        self, booking: Booking, event: Event
    ) -> list[tuple[Accommodation, Accommodation]]:
        """The booking's accommodations, before and after they are adjusted to the event's
        length."""
        granted = self._accommodations.get(booking.id, [])
        test = self._preloaded.test_of(event)
        breaks = 0 if test is None else test.break_minutes
        after = recomputed(granted, duration_minutes=event.duration_minutes, break_minutes=breaks)
        return list(zip(granted, after, strict=True))

    def _take(
        self,
        booking: Booking,
        moved: Booking,
        enrolment: Enrolment,
        accommodations: list[tuple[Accommodation, Accommodation]],
        cause: Cause,
        warnings: list[Warning],
    ) -> PendingMove:
        """Keep the new versions for later commands of the batch."""
        before = self._enrolments[booking.id]
        self._preloaded.seats.take(moved)
        self._preloaded.seats.free(booking)
        self._preloaded.candidate_schedules.write(moved)
        self._locked[booking.id] = moved
        self._enrolments[booking.id] = enrolment
        self._accommodations[booking.id] = [after for _, after in accommodations]
        versions = (booking, moved), (before, enrolment)
        return PendingMove(*versions, accommodations, self._due(moved), cause, tuple(warnings))

    def _due(self, moved: Booking) -> tuple[Payment, Payment] | None:
        """The booking's pending payment, before and after the move."""
        payment = self._payments.get(moved.id)
        if payment is None:
            return None
        due = self._payments[moved.id] = due_by_start(payment, moved.start_at)
        return payment, due

    def write(self, moved: list[PendingMove]) -> None:
        work = self._work
        for one in moved:  # in order, since a booking may move twice in a batch
            work.save(Booking, [one.booking])
            work.save(Enrolment, [one.enrolment])
            work.save(Accommodation, one.accommodations)
            work.save(Payment, [] if one.payment is None else [one.payment])
            (booking, after), (enrolment, enrolment_after) = one.booking, one.enrolment
            paying, paying_after = one.payment or (None, None)
            granted = [a for a, _ in one.accommodations]
            granted_after = [a for _, a in one.accommodations]
            record_booking(
                work,
                ChangeType.MOVED,
                one.cause,
                before=booking,
                after=after,
                facts_before=enrolment_facts(booking, enrolment, paying)
                | accommodation_facts(granted),
                facts_after=enrolment_facts(after, enrolment_after, paying_after)
                | accommodation_facts(granted_after),
            )


@frozen
class _Target:
    """The target of a move: place, time, module and room."""

    event: Event
    room: Room | None
    sitting: Sitting
    module_id: UUID | None
    accommodations: list[tuple[Accommodation, Accommodation]]
    time_path: str


def _require_unchanged(
    command: MoveEnrolment, situation: ActionContext, was_at: Event | None, was_in: Room | None
) -> None:
    """Check the version and the source's MoveFrom values.

    Raises: StaleBooking.
    """
    booking, viewer = situation.booking, command.viewer
    require_version(situation, viewer, command.expected_version)
    still_so = {
        "from_event": was_at is None or was_at.id == booking.event_id,
        "from_room": was_in is None or was_in.id == booking.room_id,
        "from_on_demand_time": command.from_on_demand_time in {None, booking.local_start},
    }
    for name, is_so in still_so.items():
        if not is_so:
            raise StaleBooking(name, **state_of(situation, viewer))


def _same_place(booking: Booking, target: _Target) -> bool:
    room_id = None if target.room is None else target.room.id
    there = (target.event.id, room_id, target.sitting.start_at)
    return (booking.event_id, booking.room_id, booking.start_at) == there
