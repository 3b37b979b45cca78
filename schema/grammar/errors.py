"""Refusals as data, in the `errors` of a payload."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import refusals
from resolvers.refusals import Refusal
from resolvers.vocabulary import (
    AccessScope,
    BookingAction,
    BookingStatus,
    ErrorCode,
    EventStatus,
    Permission,
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


@interface_type(description="A refusal that the caller can act on.")
class UserError:
    refusal: strawberry.Private[Any]

    code: ErrorCode = _of_refusal("code", "What was refused, for programs.")
    message: str = _of_refusal(
        "message", "The source document's own words wherever it has them; for people."
    )
    path: list[str] = _of_refusal(
        "path",
        'Where in the input, such as ["input", "candidate"]; an element of a list by its index.',
    )
    http_status: int = _of_refusal("http_status", "HTTP class of the same answer in REST.")


@object_type(description="What was sent cannot be right.")
class InputError(UserError):
    field_name: str = _of_refusal("field_name", "The input's field, by its own name.")
    min_length: int | None = _of_refusal("min_length", "Fewest characters, for STRING_LENGTH.")
    max_length: int | None = _of_refusal("max_length", "Most characters, for STRING_LENGTH.")
    allowed_values: list[str] | None = _of_refusal(
        "allowed_values", "The values to choose from; null where they cannot be listed."
    )


@object_type(description="What was named is not there, or is not yours to see.")
class NotFoundError(UserError):
    object_type: str = _of_refusal("object_type", "The type of what was looked for.")
    identifier: str | None = _of_refusal(
        "identifier", "The id or reference in the request, whether or not such an object exists."
    )


@object_type(description="No seat is left.")
class CapacityError(UserError):
    capacity: int = _of_refusal("capacity", "How many seats there are.")
    taken: int = _of_refusal("taken", "How many of them are taken.")


@object_type(description="An existing object prevents this.")
class ConflictError(UserError):
    @method(description="At most 10, and only those that you may see.")
    async def conflicting(
        self, info: Info
    ) -> list[Annotated["Booking", strawberry.lazy("schema.bookings.types")]]:
        keys = self.refusal.conflicting[:10]
        rows = await info.context.loaders.load_many("booking_by_id", keys)
        return [show_booking(row) for row in rows if row is not None]


@object_type(description="Not from the state that it is in.")
class StateError(UserError):
    current_status: BookingStatus | None = _of_refusal(
        "status", "Null when the refusal concerns an event: then eventStatus."
    )
    event_status: EventStatus | None = _of_refusal(
        "event_status", "Null when the refusal concerns a booking: then currentStatus."
    )
    current_version: int = _of_refusal("version", "The version to read again.")
    allowed_actions: list[BookingAction] = _of_refusal("allowed", "What you may do now.")


@object_type(description="A rule of the organization, the test or the event.")
class PolicyError(UserError):
    setting: str | None = _of_refusal("setting", "The setting that the rule comes from, if one.")
    deadline: datetime | None = _of_refusal(
        "deadline", "The instant that decided it; null where none did."
    )


@object_type(description="Not by this viewer.")
class PermissionError(UserError):
    required: Permission = _of_refusal("required", "The permission that this needs.")
    missing_scope: AccessScope | None = _of_refusal(
        "missing_scope",
        "Which association is missing; null when the permission itself is.",
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
