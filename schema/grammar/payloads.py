"""What payloads share: the object of a command, read again after the write."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import strawberry

from resolvers.identity import global_id
from schema.grammar.commands import Answer
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.found import load_node
from schema.grammar.node import rows_of_type


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


@object_type(description="Result of a deletion.")
class DeletePayload:
    deleted_id: strawberry.ID | None = attribute(
        description="Global id of the deleted object. Null if there are errors."
    )
    errors: list[UserError] = attribute(
        description="Why nothing was changed. Empty on success. Show `message` next to the "
        "input at `path`."
    )

    @classmethod
    def of(cls, name: str, answer: Answer) -> "DeletePayload":
        """Return the payload of a command that deletes an object of that type."""
        key = answer.subject
        deleted = None if key is None else strawberry.ID(global_id(name, key))
        return cls(deleted_id=deleted, errors=answer.errors)


CREATED = "True if the object was created, false if an existing one was updated."
ERRORS = "Why nothing was changed. Empty on success. Show `message` next to the input at `path`."
WARNINGS = "Problems that did not stop the operation, such as a rule you asked to override."
"""Descriptions of fields that payloads share."""
