"""The refusals of the domain.

    Refusal
    ├── InputRefusal        400, 422   the input is not valid
    ├── NotFoundRefusal     404        an object does not exist, or the viewer may not see it
    ├── CapacityRefusal     409        no seat is left
    ├── ConflictRefusal     409        an existing object prevents the command
    ├── StateRefusal        409        not possible in the current state
    ├── PolicyRefusal       422        a rule of the organization, the test or the event
    └── PermissionRefusal   403        the viewer lacks the permission or the scope

The docstring of a refusal is its message, the constructor stores the facts, and
`schema.grammar.errors` converts both to data. A refused command has one `Refused` with all refusals
of the stage at which it failed, in order.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar, ParamSpec, TypeVar
from uuid import UUID

from resolvers.vocabulary import (
    AccessScope,
    BookingAction,
    BookingStatus,
    ErrorCode,
    EventStatus,
    Permission,
    RuleOverride,
)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

LONGEST_IDENTIFIER = 500
"""How much of an identifier a refusal repeats; no key or reference is longer."""

MOST_REFUSALS = 100
"""The most refusals that are reported for one command, such as one with a long list."""


Naming = Callable[[Sequence[str]], tuple[str, ...]]
"""Maps a command's path of a field to the caller's path."""


class Refusal(Exception):
    """The command is refused.

    `path` leads to the wrong field, in terms of the command: `("payment", "due_by")`; empty for the
    whole command. `renamed` converts it to the caller's terms. The first line of the docstring is
    the message.
    """

    code: ClassVar[ErrorCode]
    http_status: ClassVar[int]
    override: ClassVar[RuleOverride | None] = None
    """The override that disables the rule."""

    def __init__(self, *path: str) -> None:
        super().__init__()
        self.path = path

    @property
    def message(self) -> str:
        return (type(self).__doc__ or "").strip().splitlines()[0]

    def __str__(self) -> str:
        return self.message

    def rename(self, naming: Naming) -> None:
        """Convert the refusal to the caller's terms."""
        self.path = naming(self.path)


class Refused(Exception):
    """The refusals of one command: at least one, in the order in which they were found."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals[:MOST_REFUSALS])
        super().__init__()

    def __str__(self) -> str:
        return "; ".join(refusal.message for refusal in self.refusals)


class ValidationErrors:
    """Collects the refusals of one stage, so that they are reported together."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def add(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def of(
        self, rule: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
    ) -> Answer | None:
        """Call a rule; a refusal is collected, and the result is then None."""
        try:
            return rule(*given, **named)
        except Refusal as refusal:
            self.refusals.append(refusal)
            return None

    def settle(self) -> None:
        """End the stage. Raises: Refused, if there are refusals."""
        if self.refusals:
            raise Refused(self.refusals)


def attempt(
    command: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
) -> Answer | Refused:
    """Return the outcome of a command, or its Refused as a value."""
    try:
        return command(*given, **named)
    except Refusal as refusal:
        return Refused([refusal])
    except Refused as refused:
        return refused


def renamed(refused: Refused, naming: Naming) -> Refused:
    """Return the same refusals with the caller's names of the fields.

    Called only for refusals that are reported.
    """
    for refusal in refused.refusals:
        refusal.rename(naming)
    return refused


# ---------------------------------------------------------------- input


class InputRefusal(Refusal):
    """The input is not valid."""

    code = ErrorCode.INVALID_VALUE
    http_status = 400
    min_length: int | None = None
    max_length: int | None = None
    allowed_values: tuple[str, ...] | None = None
    source_name: str | None = None
    """The source document's name of the field, if the caller uses its names."""

    @property
    def field_name(self) -> str:
        """The source's name, else the innermost name in the path that is not an index."""
        if self.source_name is not None:
            return self.source_name
        return next((name for name in reversed(self.path) if not name.isdigit()), "input")


class Required(InputRefusal):
    """A value is required."""

    code = ErrorCode.REQUIRED

    @property
    def message(self) -> str:
        return f"'{self.field_name}' is required"


class OneRequired(Required):
    """At least one of several values is required."""

    def __init__(self, *path: str, names: Sequence[str]) -> None:
        super().__init__(*path)
        self.names = tuple(names)

    def rename(self, naming: Naming) -> None:
        super().rename(naming)
        self.names = tuple((naming((name,)) or (name,))[-1] for name in self.names)

    @property
    def message(self) -> str:
        return f"one of {', '.join(repr(name) for name in self.names)} is required"


class WrongLength(InputRefusal):
    """A text is too short or too long, in characters."""

    code = ErrorCode.STRING_LENGTH

    def __init__(self, *path: str, min_length: int, max_length: int) -> None:
        super().__init__(*path)
        self.min_length, self.max_length = min_length, max_length

    @property
    def message(self) -> str:
        limits = f"between {self.min_length} and {self.max_length}"
        return f"'{self.field_name}' must be {limits} characters"


class Invalid(InputRefusal):
    """A value is not one that can be used here; the rule says why."""

    def __init__(self, *path: str, rule: str, allowed: Iterable[str] | None = None) -> None:
        super().__init__(*path)
        self.rule = rule
        self.allowed_values = None if allowed is None else tuple(allowed)

    @property
    def message(self) -> str:
        return f"'{self.field_name}' {self.rule}"


class OutOfRange(Invalid):
    """A number, a time or the size of a list is outside what the rule allows."""

    code = ErrorCode.OUT_OF_RANGE


class CursorExpired(Invalid):
    """The changes right after a cursor are no longer kept."""

    code = ErrorCode.CURSOR_EXPIRED


class InvalidDate(InputRefusal):
    """A date cannot be read, or there is no such day."""

    code = ErrorCode.INVALID_DATE

    @property
    def message(self) -> str:
        return f"'{self.field_name}' is not a valid date"


class InvalidEmail(InputRefusal):
    """An email address is not valid."""

    code = ErrorCode.INVALID_EMAIL

    @property
    def message(self) -> str:
        return f"'{self.field_name}' is not a valid email address"


class InvalidCountryCode(InputRefusal):
    """A country code is not one of ISO 3166-1 alpha-2."""

    code = ErrorCode.INVALID_COUNTRY_CODE

    @property
    def message(self) -> str:
        return f"'{self.field_name}' is not a valid country code"


class AmbiguousReference(InputRefusal):
    """The reference matches several objects. Use the id."""

    code = ErrorCode.AMBIGUOUS_REFERENCE


class OnDemandTimeRequired(InputRefusal):
    """This event is on demand. The booking needs a start time."""

    code = ErrorCode.ON_DEMAND_TIME_REQUIRED


class OnDemandTimeNotAllowed(InputRefusal):
    """This event has a fixed time. The booking cannot choose another."""

    code = ErrorCode.ON_DEMAND_TIME_NOT_ALLOWED


class ReasonRequired(InputRefusal):
    """A reason is required."""

    code = ErrorCode.REASON_REQUIRED


class MessageRequired(ReasonRequired):
    """The reason OTHER requires a message."""


class AccommodationTypeEmpty(InputRefusal):
    """Accommodation type cannot be empty."""

    code = ErrorCode.ACCOMMODATION_TYPE_EMPTY


class IdempotencyKeyReused(InputRefusal):
    """This idempotency key was used with other input in the last 24 hours."""

    code = ErrorCode.IDEMPOTENCY_KEY_REUSED
    http_status = 422


# ---------------------------------------------------------------- not found


class NotFoundRefusal(Refusal):
    """The object does not exist, or you are not permitted to see it."""

    code = ErrorCode.NOT_FOUND
    http_status = 404

    def __init__(self, *path: str, object_type: str, identifier: str | None = None) -> None:
        super().__init__(*path)
        self.object_type = object_type
        # the identifier in the request may be a megabyte long
        self.identifier = None if identifier is None else identifier[:LONGEST_IDENTIFIER]

    @property
    def message(self) -> str:
        return f"{self.object_type} not found."


class EventNotFound(NotFoundRefusal):
    """Event not found."""

    code = ErrorCode.EVENT_NOT_FOUND


class AccommodationNotGranted(NotFoundRefusal):
    """The booking has no accommodation of this type."""

    code = ErrorCode.ACCOMMODATION_NOT_GRANTED

    @property
    def message(self) -> str:
        return "The booking has no accommodation of this type."


# ---------------------------------------------------------------- capacity


class CapacityRefusal(Refusal):
    """No seat is left."""

    code = ErrorCode.EVENT_FULL
    http_status = 409

    def __init__(self, *path: str, capacity: int, taken: int) -> None:
        super().__init__(*path)
        self.capacity, self.taken = capacity, taken


class EventFull(CapacityRefusal):
    """Every seat at this event is taken."""

    override = RuleOverride.CAPACITY


class RoomFull(CapacityRefusal):
    """Every seat in this room is taken at that time."""

    code = ErrorCode.ROOM_FULL


class CapacityBelowTaken(CapacityRefusal):
    """The capacity must not be lower than the number of seats taken."""

    code = ErrorCode.OUT_OF_RANGE


# ---------------------------------------------------------------- conflict


class ConflictRefusal(Refusal):
    """An existing object prevents this."""

    code = ErrorCode.ALREADY_EXISTS
    http_status = 409

    def __init__(self, *path: str, conflicting: Iterable[UUID] = ()) -> None:
        super().__init__(*path)
        self.conflicting = tuple(conflicting)


class AlreadyExists(ConflictRefusal):
    """This key already belongs to another object."""


class DuplicateBooking(ConflictRefusal):
    """The candidate already has a booking for this event."""

    code = ErrorCode.DUPLICATE_BOOKING


class CandidateTimeConflict(ConflictRefusal):
    """The candidate has another booking at that time."""

    code = ErrorCode.CANDIDATE_TIME_CONFLICT
    override = RuleOverride.CANDIDATE_TIME_CONFLICT


# ---------------------------------------------------------------- state


class StateRefusal(Refusal):
    """This action is not possible in the current state."""

    code = ErrorCode.ILLEGAL_STATE
    http_status = 409

    def __init__(
        self,
        *path: str,
        version: int,
        status: BookingStatus | None = None,
        event_status: EventStatus | None = None,
        allowed: Sequence[BookingAction] = (),
        booking: UUID | None = None,
    ) -> None:
        super().__init__(*path)
        self.booking = booking
        self.version, self.status, self.event_status = version, status, event_status
        self.allowed = tuple(allowed)


class IllegalState(StateRefusal):
    """This action is not possible in the current state."""


class StaleBooking(StateRefusal):
    """The booking was changed after you read it. Read it again."""

    code = ErrorCode.STALE_BOOKING


# ---------------------------------------------------------------- policy


class PolicyRefusal(Refusal):
    """A rule prevents this."""

    code: ClassVar[ErrorCode]
    http_status = 422
    setting: str | None = None

    def __init__(self, *path: str, deadline: datetime | None = None) -> None:
        super().__init__(*path)
        self.deadline = deadline


class RegistrationClosed(PolicyRefusal):
    """The event does not accept bookings at this time."""

    code = ErrorCode.REGISTRATION_CLOSED


class OutsideRegistrationWindow(RegistrationClosed):
    """The event does not accept bookings at this time."""

    override = RuleOverride.REGISTRATION_WINDOW


class CancellationClosed(PolicyRefusal):
    """It is too late to cancel this booking."""

    code = ErrorCode.CANCELLATION_CLOSED
    setting = "cancelCutOffMinutes"


class ResitResultRequired(PolicyRefusal):
    """A resit can be booked only after the earlier attempt has a result."""

    code = ErrorCode.RESIT_RESULT_REQUIRED


class ResitAfterPassDisabled(PolicyRefusal):
    """The candidate has passed this test. It cannot be taken again after a pass."""

    code = ErrorCode.RESIT_AFTER_PASS_DISABLED
    setting = "allowResitAfterPass"


class ResitTooEarly(PolicyRefusal):
    """The resit is too soon after the earlier attempt."""

    code = ErrorCode.RESIT_TOO_EARLY
    setting = "minDaysBetweenAttempts"


class AttemptsExhausted(PolicyRefusal):
    """The candidate has no attempts left for this test."""

    code = ErrorCode.ATTEMPTS_EXHAUSTED
    setting = "maxAttempts"


class NotEligible(PolicyRefusal):
    """The candidate is not eligible for this event."""

    code = ErrorCode.NOT_ELIGIBLE


class PersonCodeRequired(PolicyRefusal):
    """The event requires a person code. The candidate has only a generated reference."""

    code = ErrorCode.PERSON_CODE_REQUIRED


# ---------------------------------------------------------------- permission


class PermissionRefusal(Refusal):
    """You are not permitted to do this."""

    code = ErrorCode.FORBIDDEN
    http_status = 403

    def __init__(
        self, *path: str, required: Permission, missing_scope: AccessScope | None = None
    ) -> None:
        super().__init__(*path)
        self.required, self.missing_scope = required, missing_scope

    @property
    def message(self) -> str:
        if self.missing_scope is None:
            return f"This action requires the permission {self.required}."
        what = self.missing_scope.lower().replace("_", " ")
        return f"This action requires the permission {self.required} for this {what}."
