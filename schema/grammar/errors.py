"""Refusals as data, in the `errors` of a payload."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import refusals
from resolvers.bookings.overrides import NEEDS
from resolvers.refusals import Refusal
from resolvers.vocabulary import (
    AccessScope,
    BookingAction,
    BookingStatus,
    ErrorCode,
    EventStatus,
    Permission,
    RuleOverride,
)
from schema.grammar.context import Info
from schema.grammar.declaring import interface_type, object_type
from schema.grammar.node import show_booking
from schema.grammar.sources.methods import method

if TYPE_CHECKING:
    from schema.bookings.types import Booking


def _of_refusal(name: str, description: str) -> Any:
    """A field that shows an attribute of the refusal."""

    def resolve(root: Any) -> Any:
        return getattr(root.refusal, name)

    return method(description=description)(resolve)


@interface_type(
    description="An error that a client can show or act on. Queries return data; every "
    "mutation returns its errors in this form."
)
class UserError:
    refusal: strawberry.Private[Any]

    code: ErrorCode = _of_refusal("code", "Machine-readable code. Use it to decide what to do.")
    message: str = _of_refusal(
        "message",
        "Message in English for people. Uses the source system's exact wording where it "
        "defines one.",
    )
    path: list[str] = _of_refusal(
        "path",
        'Path to the value in your variables, e.g. ["input", "candidate"]. Elements of a '
        'list appear by index, as in ["input", "bookings", "2"].',
    )
    http_status: int = _of_refusal(
        "http_status", "HTTP status code that a REST API would return for this error, e.g. 404."
    )

    @method(
        description="Override that disables this rule. Let the user confirm, then send the input "
        "again with it in `overrides`. Null if there is none, or you lack its permission."
    )
    def overridable_with(self, info: Info) -> RuleOverride | None:
        override: RuleOverride | None = self.refusal.override
        return override if override and info.context.viewer.may(NEEDS[override]) else None


@object_type(
    description="A value in the request is missing or not valid. Correct the input and try again."
)
class InputError(UserError):
    field_name: str = _of_refusal("field_name", "Name of the input field with the error.")
    min_length: int | None = _of_refusal(
        "min_length", "Minimum number of characters. Set for STRING_LENGTH."
    )
    max_length: int | None = _of_refusal(
        "max_length", "Maximum number of characters. Set for STRING_LENGTH."
    )
    allowed_values: list[str] | None = _of_refusal(
        "allowed_values", "Values that are allowed. Null if there are too many to list."
    )


@object_type(description="An object in the request does not exist, or you may not see it.")
class NotFoundError(UserError):
    object_type: str = _of_refusal("object_type", 'Type of the missing object, e.g. "Candidate".')
    identifier: str | None = _of_refusal(
        "identifier", "The id or reference that you sent, whether or not such an object exists."
    )


@object_type(description="There is no free seat.")
class CapacityError(UserError):
    capacity: int = _of_refusal("capacity", "Total number of seats.")
    taken: int = _of_refusal("taken", "Number of seats that are taken.")


@object_type(description="An existing object conflicts with the request.")
class ConflictError(UserError):
    @method(description="The conflicting objects, at most 10, without those that you may not see.")
    async def conflicting(
        self, info: Info
    ) -> list[Annotated["Booking", strawberry.lazy("schema.bookings.types")]]:
        keys = self.refusal.conflicting[:10]
        rows = await info.context.loaders.load_many("booking_by_id", keys)
        return [show_booking(row) for row in rows if row is not None]


@object_type(
    description="The current status or version of the object does not allow the operation."
)
class StateError(UserError):
    current_status: BookingStatus | None = _of_refusal(
        "status", "Status of the booking. Null if the error concerns an event; see `eventStatus`."
    )
    event_status: EventStatus | None = _of_refusal(
        "event_status",
        "Status of the event. Null if the error concerns a booking; see `currentStatus`.",
    )
    current_version: int = _of_refusal(
        "version", "Current version of the object. Reload the object before you try again."
    )
    allowed_actions: list[BookingAction] = _of_refusal(
        "allowed", "Actions that you can take on the booking now."
    )

    @method(
        description="The booking in its current version, to show what changed. Null if the error "
        "concerns an event, or you may not see the booking."
    )
    async def booking(
        self, info: Info
    ) -> Annotated["Booking", strawberry.lazy("schema.bookings.types")] | None:
        key = self.refusal.booking
        row = None if key is None else await info.context.loaders.load("booking_by_id", key)
        return None if row is None else show_booking(row)


@object_type(description="A rule of the organization, the test or the event forbids the operation.")
class PolicyError(UserError):
    setting: str | None = _of_refusal(
        "setting", "Setting that contains the rule, if the rule can be configured."
    )
    deadline: datetime | None = _of_refusal(
        "deadline", "Time that decided the outcome, such as the end of registration."
    )


@object_type(description="You are not permitted to do this.")
class PermissionError(UserError):
    required: Permission = _of_refusal("required", "Permission that the operation requires.")
    missing_scope: AccessScope | None = _of_refusal(
        "missing_scope",
        "Association that you lack. Null if you lack the permission itself.",
    )


_TYPES: tuple[tuple[type[Refusal], type[UserError]], ...] = (
    (refusals.InputRefusal, InputError),
    (refusals.NotFoundRefusal, NotFoundError),
    (refusals.CapacityRefusal, CapacityError),
    (refusals.ConflictRefusal, ConflictError),
    (refusals.StateRefusal, StateError),
    (refusals.PolicyRefusal, PolicyError),
    (refusals.PermissionRefusal, PermissionError),
)

ERROR_TYPES: tuple[type[UserError], ...] = tuple(shown for _, shown in _TYPES)


def error_of(refusal: Refusal) -> UserError:
    """Return a refusal as data."""
    return next(shown(refusal=refusal) for kind, shown in _TYPES if isinstance(refusal, kind))
