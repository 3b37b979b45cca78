"""What payloads share: the object of a command, read again after the write."""

from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar, dataclass_transform
from uuid import UUID

import strawberry
from strawberry.types.base import get_object_definition

from resolvers.identity import global_id
from schema.grammar.commands import Answer
from schema.grammar.context import Info
from schema.grammar.declaring import interface_type, object_type, order_fields
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.found import load_node
from schema.grammar.node import rows_of_type
from schema.grammar.sources.methods import method
from schema.grammar.warnings import Warning


async def written(info: Info, name: str, answer: Answer) -> Any:
    """Return the object of that type that a command wrote; None if the command was refused."""
    of_type = rows_of_type(name)
    if answer.row is not None and of_type is not None:
        return of_type[0].of(answer.row)
    return None if answer.subject is None else await load_node(info, name, answer.subject)


async def written_booking(info: Info, answer: Answer) -> Any:
    """Return the row of the booking that a command wrote; None if the command was refused.

    For a viewer with a restricted scope, the row is read again, because it may be hidden.
    """
    if answer.row is not None and info.context.viewer.scope.everything:
        return answer.row
    return await booking_row(info, answer.subject)


async def booking_row(info: Info, key: UUID | None) -> Any:
    """Return a booking's current row; None without a key."""
    return None if key is None else await info.context.loaders.load("booking_by_id", key)


async def booking_rows(info: Info, answers: Sequence[Answer]) -> list[Any]:
    """Return the current rows of the bookings that the commands of a batch wrote, in order."""
    keys = [answer.subject for answer in answers if answer.subject is not None]
    rows = await info.context.loaders.load_many("booking_by_id", keys)
    return [row for row in rows if row is not None]


WARNINGS = "Problems that did not stop the operation, such as a rule you asked to override."
ERRORS = "Why nothing was changed. Empty on success. Show `message` next to the input at `path`."
REPLAYED = "True if this is the stored result of an earlier request with the same `idempotencyKey`."
CREATED = "True if the object was created, false if an existing one was updated."
"""Descriptions of fields that payloads share."""


@interface_type(description="What every mutation returns, next to the changed object.")
class MutationPayload:
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[UserError] = attribute(description=ERRORS)

    @method(
        description="Cursor of the newest change before this mutation. Pass it as `after` to "
        "`bookingChanged`: the subscription starts with the changes of this mutation, and misses "
        "none after them."
    )
    def cursor(self, info: Info) -> str:
        return info.context.changes_cursor


@object_type
class CommandPayload(MutationPayload):
    """What a mutation with one command returns. The schema has only its subtypes."""

    changed: bool = attribute(
        description="True if something was changed. False if everything was already as requested, "
        "or if there are errors."
    )
    replayed: bool = attribute(description=REPLAYED)


class CommandResult(TypedDict):
    """The fields of CommandPayload."""

    changed: bool
    replayed: bool
    warnings: list[Warning]
    errors: list[UserError]


def result_of(answer: Answer) -> CommandResult:
    return CommandResult(
        changed=answer.changed,
        replayed=answer.replayed,
        warnings=answer.warnings,
        errors=answer.errors,
    )


T = TypeVar("T")


@dataclass_transform(kw_only_default=True, field_specifiers=(attribute,))
def payload_type(*, description: str) -> Callable[[type[T]], type[T]]:
    """Declare the payload of a mutation: its own fields come before the shared ones."""

    def declare(cls: type[T]) -> type[T]:
        declared = object_type(description=description)(cls)
        shared = ("items", "cursor", "changed", "replayed", "warnings", "errors")
        fields = get_object_definition(declared, strict=True).fields
        order_fields(declared, *(f.python_name for f in fields if f.python_name not in shared))
        return declared

    return declare


@payload_type(description="Result of a deletion.")
class DeletePayload(CommandPayload):
    deleted_id: strawberry.ID | None = attribute(
        description="Global id of the deleted object. Null if there are errors."
    )

    @classmethod
    def of(cls, name: str, answer: Answer) -> "DeletePayload":
        """Return the payload of a command that deletes an object of that type."""
        key = answer.subject
        deleted = None if key is None else strawberry.ID(global_id(name, key))
        return cls(deleted_id=deleted, **result_of(answer))
