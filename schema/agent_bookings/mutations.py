"""The mutations of agent bookings, and their payloads."""

import strawberry

from resolvers.agent_bookings.booking import book
from schema.agent_bookings.inputs import BookAgentBookingInput
from schema.agent_bookings.types import AgentBooking
from schema.grammar.commands import submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.payloads import CREATED, ERRORS, WARNINGS, written
from schema.grammar.warnings import Warning


@object_type(description="Result of bookAgentBooking.")
class BookAgentBookingPayload:
    agent_booking: AgentBooking | None = attribute(
        description="The agent booking with its new revision. Null if there are errors."
    )
    created: bool = attribute(description=CREATED)
    changed: bool = attribute(
        description="False if the content equals that of the newest revision."
    )
    replayed: bool = attribute(
        description="True if this is the stored result of an earlier request with the same "
        "`idempotencyKey`."
    )
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[UserError] = attribute(description=ERRORS)


@object_type
class AgentBookingMutations:
    @strawberry.mutation(
        description="Submits an agent booking: a new one, or a new revision. Malformed "
        "values are returned as errors at once; the rest is validated in the "
        "background, and reported in `validationMessages`. Needs BOOK."
    )
    async def book_agent_booking(
        self, info: Info, input: BookAgentBookingInput
    ) -> BookAgentBookingPayload | None:
        answer = await submit(info, book, input)
        return BookAgentBookingPayload(
            agent_booking=await written(info, "AgentBooking", answer),
            created=answer.created,
            changed=answer.changed,
            replayed=answer.replayed,
            warnings=answer.warnings,
            errors=answer.errors,
        )
