"""What a mutation of several bookings returns: an outcome for each of them."""

from collections.abc import Sequence
from typing import TypedDict

from schema.bookings.types import Booking
from schema.grammar.commands import Answer, errors_of
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.node import show_booking
from schema.grammar.payloads import REPLAYED, MutationPayload
from schema.grammar.warnings import Warning


@object_type(description="Outcome for one item of a batch.")
class BookingOutcome:
    booking: Booking | None = attribute(
        description="The booking in its new version. Null if the item has errors."
    )
    changed: bool = attribute(
        description="True if the booking was changed. False if it already was as requested, or if "
        "the item has errors."
    )
    errors: list[UserError] = attribute(
        description="Why this item was not carried out. Empty on success."
    )


@object_type
class BatchPayload(MutationPayload):
    """What a mutation with several commands returns. The schema has only its subtypes."""

    items: list[BookingOutcome] = attribute(
        description="One outcome for each item, in the order of the input; a repeated item has "
        "one. Empty if the request was refused as a whole."
    )
    replayed: bool = attribute(description=REPLAYED)


class BatchResult(TypedDict):
    """The fields of BatchPayload."""

    items: list[BookingOutcome]
    replayed: bool
    warnings: list[Warning]
    errors: list[UserError]


async def result_of_batch(info: Info, answers: Sequence[Answer]) -> BatchResult:
    keys = [answer.subject for answer in answers if answer.subject is not None]
    rows = await info.context.loaders.load_many("booking_by_id", keys)
    found = {row.id: show_booking(row) for row in rows if row is not None}
    return BatchResult(
        items=[
            BookingOutcome(
                booking=None if answer.subject is None else found.get(answer.subject),
                changed=answer.changed,
                errors=answer.errors,
            )
            for answer in answers
            if not answer.of_request
        ],
        replayed=any(answer.replayed for answer in answers),
        warnings=[warning for answer in answers for warning in answer.warnings],
        errors=errors_of(answers),
    )
