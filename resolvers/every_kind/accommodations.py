"""Grants and revokes exam accommodations, for every kind of booking."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Any

from resolvers import checks
from resolvers.bookings import loading
from resolvers.bookings.accommodations import (
    accommodation_for,
    check_terms,
    extra,
    is_of_type,
    type_of,
)
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.checks import find, require_version, state_of
from resolvers.bookings.facts import accommodation_facts
from resolvers.bookings.kinds import kind_of, missing_of
from resolvers.bookings.lengthening import ExtensionBatch
from resolvers.bookings.seats import UNKNOWN_LENGTH
from resolvers.bookings.sittings import as_booked, overrun, sitting_at, times
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, Origin, record_booking
from resolvers.outcomes import Outcome, Warning
from resolvers.permitted import requires
from resolvers.references import Lookup, Ref, look_up
from resolvers.refusals import (
    AccommodationNotGranted,
    AccommodationTypeEmpty,
    OutOfRange,
    Refused,
    StaleBooking,
    ValidationErrors,
    attempt,
)
from resolvers.storage.columns import new_key
from resolvers.storage.rows import as_dict
from resolvers.storage.tables import Accommodation, Booking, Event, Test
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import normalized
from resolvers.times import later, wall_time_of
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import (
    AccommodationScope,
    ChangeType,
    ConflictPolicy,
    Permission,
    WarningCode,
)


@frozen(kw_only=True)
class GrantAccommodation:
    """Grant an accommodation, or replace the one of the same type."""

    viewer: Viewer = field(repr=False)
    booking: Ref
    type: str | None
    name: str | None = None
    time_extension_minutes: int | None = None
    extra_time_percentage: int | None = None
    extra_breaks_per_section: int | None = None
    reason: str | None = None
    scope: AccommodationScope = AccommodationScope.TEST_TIME
    expected_version: int | None = None
    origin: Origin | None = None


@frozen(kw_only=True)
class RevokeAccommodation:
    """Revoke the accommodation of a type."""

    viewer: Viewer = field(repr=False)
    booking: Ref
    type: str
    expected_version: int | None = None
    origin: Origin | None = None


@requires(Permission.GRANT_ACCOMMODATION)
def grant(work: UnitOfWork, commands: Sequence[GrantAccommodation]) -> list[Outcome | Refused]:
    """Grant each accommodation. Granting the same one again changes nothing.

    A conflict with the longer time is a warning, and so is a room without a seat for it. The change
    records the warnings.

    Refusals: PermissionRefusal, NotFoundRefusal (RegistrationNotFound for a registration's id),
    Invalid, AccommodationTypeEmpty, WrongLength, OutOfRange; StaleBooking (also a booking that
    moved before it was locked); IllegalState.
    """
    batch = _GrantBatch(work, commands)
    outcomes = [attempt(batch.grant, command) for command in commands]
    batch.write()
    return outcomes


@requires(Permission.GRANT_ACCOMMODATION)
def revoke(work: UnitOfWork, commands: Sequence[RevokeAccommodation]) -> list[Outcome | Refused]:
    """Revoke each accommodation.

    Refusals: PermissionRefusal, NotFoundRefusal (RegistrationNotFound for a registration's id),
    Invalid, AccommodationTypeEmpty; StaleBooking; IllegalState, AccommodationNotGranted.
    """
    batch = _GrantBatch(work, commands)
    outcomes = [attempt(batch.revoke, command) for command in commands]
    batch.write()
    return outcomes


class _GrantBatch:
    """The bookings of the batch with their accommodations."""

    def __init__(
        self, work: UnitOfWork, commands: Sequence[GrantAccommodation | RevokeAccommodation]
    ) -> None:
        self._work = work
        self._found: Lookup[Booking] = look_up(
            work, Booking, ((c.viewer, c.booking) for c in commands)
        )
        keys = [(row.organization_id, row.id) for row in self._found.rows()]
        self._lengthening = ExtensionBatch(work, self._found.rows())
        self._locked, self._candidate_schedules = (
            self._lengthening.bookings,
            self._lengthening.candidate_schedules,
        )
        bookings = self._locked.values()
        self._granted = loading.accommodations(work, keys)
        self._before = [a for granted in self._granted.values() for a in granted]
        self._settings = loading.settings(work, {c.viewer.organization_id for c in commands})
        tests = [(b.organization_id, b.test_id) for b in bookings if b.test_id is not None]
        self._breaks = {t.id: t.break_minutes for t in loading.of_keys(work, Test, "id", tests)}

    def grant(self, command: GrantAccommodation) -> Outcome:
        stage = ValidationErrors()
        booking = self._find(command, stage)
        check_terms(command, stage)
        stage.settle()
        assert booking is not None
        assert command.type is not None
        self._require(command, booking, "grant")
        before = self._granted.get(booking.id, [])
        alike = [
            a for a in before if is_of_type(a, command.type)
        ]  # rows from before migration 0007 may have several
        same = min(alike, key=lambda a: a.type != type_of(command), default=None)
        if same is None and len(before) >= checks.PLAIN_LIST:
            rule = f"cannot be added: the booking has {checks.PLAIN_LIST} already"
            raise OutOfRange("accommodation", rule=rule)
        granted = self._accommodation(command, booking, same)
        if len(alike) == 1 and same is not None and _terms(same) == _terms(granted):
            return Outcome(booking.id, changed=False, facts={"accommodation": same.id.hex})
        after = [*(a for a in before if not is_of_type(a, command.type)), granted]
        warnings = self._change(ChangeType.ACCOMMODATION_GRANTED, command, booking, before, after)
        return Outcome(booking.id, warnings=warnings, facts={"accommodation": granted.id.hex})

    def revoke(self, command: RevokeAccommodation) -> Outcome:
        stage = ValidationErrors()
        booking = self._find(command, stage)
        if not normalized(command.type):
            stage.add(AccommodationTypeEmpty("type"))
        stage.settle()
        assert booking is not None
        not_granted = AccommodationNotGranted(
            "type", object_type="Accommodation", identifier=command.type
        )
        try:
            self._require(command, booking, "revoke")
        except AccommodationNotGranted:
            raise not_granted from None
        before = self._granted.get(booking.id, [])
        after = [a for a in before if not is_of_type(a, command.type)]
        if len(after) == len(before):
            raise not_granted
        warnings = self._change(ChangeType.ACCOMMODATION_REVOKED, command, booking, before, after)
        return Outcome(booking.id, warnings=warnings)

    def write(self) -> None:
        """Write the difference between the accommodations before and after the batch.

        One write for the batch keeps the number of statements independent of its size.
        """
        before = {a.id: a for a in self._before}
        after = {a.id: a for granted in self._granted.values() for a in granted}
        gone = [a for key, a in before.items() if key not in after]
        keys = [{"organization_id": a.organization_id, "id": a.id} for a in gone]
        self._work.delete(Accommodation, keys)
        self._work.insert(Accommodation, [a for key, a in after.items() if key not in before])
        kept = [(a, after[key]) for key, a in before.items() if key in after]
        self._work.save(Accommodation, kept)

    def _find(
        self, command: GrantAccommodation | RevokeAccommodation, stage: ValidationErrors
    ) -> Booking | None:
        path = ("booking",)
        return stage.of(
            find,
            self._found,
            self._locked,
            command.viewer,
            command.booking,
            *path,
            missing=missing_of(command.booking),
        )

    def _require(
        self, command: GrantAccommodation | RevokeAccommodation, booking: Booking, name: str
    ) -> None:
        situation = ActionContext(booking, self._settings[booking.organization_id], self._work.now)
        require_version(situation, command.viewer, command.expected_version)
        path = ("booking",)
        if not self._lengthening.holds(booking):
            raise StaleBooking(*path, **state_of(situation, command.viewer))
        require(kind_of(booking).transitions, name, situation, command.viewer, *path)

    def _accommodation(
        self, command: GrantAccommodation, booking: Booking, same: Accommodation | None
    ) -> Accommodation:
        breaks = 0 if booking.test_id is None else self._breaks.get(booking.test_id, 0)
        return accommodation_for(
            command,
            booking,
            Cause(command.viewer, command.origin),
            key=new_key() if same is None else same.id,
            break_minutes=breaks,
            now=self._work.now,
        )

    def _change(
        self,
        kind: ChangeType,
        command: GrantAccommodation | RevokeAccommodation,
        booking: Booking,
        before: list[Accommodation],
        after: list[Accommodation],
    ) -> tuple[Warning, ...]:
        """Change the booking's length and record it. A new conflict is a warning."""
        longer = self._lengthened(booking, after)
        self._granted[booking.id] = after
        self._work.save(Booking, [(booking, longer)])
        warnings = self._warnings(booking, longer)
        facts = kind_of(booking).facts
        reason = getattr(command, "reason", None)
        record_booking(
            self._work,
            kind,
            Cause(command.viewer, command.origin, reason, warnings=warnings),
            before=booking,
            after=longer,
            facts_before={**facts(booking), **accommodation_facts(before)},
            facts_after={**facts(longer), **accommodation_facts(after)},
        )
        return warnings

    def _warnings(self, booking: Booking, longer: Booking) -> tuple[Warning, ...]:
        """The new conflicts of a longer booking, which counts with its new length from now on."""
        already = {other.id for other in self._candidate_schedules.conflicts(booking)}
        warnings = self._lengthening.take(booking, longer)
        conflicts = {other.id for other in self._candidate_schedules.conflicts(longer)}
        event = self._event_of(booking)
        if event is not None and kind_of(booking).follows_event:
            warnings += overrun(event, longer)
        policy = self._settings[booking.organization_id].conflict_policy
        if policy is not ConflictPolicy.ALLOW and not conflicts <= already:
            message = "With its extra time the booking overlaps another one of the candidate's."
            warnings.append(Warning(WarningCode.CANDIDATE_TIME_CONFLICT, message))
        return tuple(warnings)

    def _event_of(self, booking: Booking) -> Event | None:
        return None if booking.event_id is None else self._lengthening.events[booking.event_id]

    def _lengthened(self, booking: Booking, granted: Iterable[Accommodation]) -> Booking:
        accommodations, now = list(granted), self._work.now
        total = extra(accommodations)
        values: dict[str, Any] = {
            "extra_time_minutes": total.time_minutes,
            "extra_break_minutes": total.break_minutes,
            "accommodation_count": len(accommodations),
        }
        event = self._event_of(booking)
        if event is not None and kind_of(booking).follows_event:
            at_event = times(sitting_at(as_booked(event, booking), total))
            return next_version(booking, now, **values, **at_event)
        more = timedelta(minutes=total.time_minutes - booking.extra_time_minutes)
        breaks = timedelta(minutes=total.break_minutes - booking.extra_break_minutes)
        if booking.start_at is not None:
            until = booking.busy_until_at or later(booking.start_at, UNKNOWN_LENGTH)
            values["busy_until_at"] = later(until, more + breaks)
        if event is not None and event.on_demand and booking.end_at is not None:
            values["end_at"] = later(booking.end_at, more)
            values["local_end"] = wall_time_of(values["end_at"], booking.time_zone)
        return next_version(booking, now, **values)


def _terms(accommodation: Accommodation) -> dict[str, Any]:
    """The values that make two accommodations equal: all except who granted it, and when."""
    values = as_dict(accommodation)
    return {name: value for name, value in values.items() if not name.startswith("granted_")}
