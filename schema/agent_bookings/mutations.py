"""The mutations of agent bookings, and their payloads."""

import strawberry

from resolvers.agent_bookings.booking import book
from schema.agent_bookings.inputs import BookAgentBookingInput
from schema.agent_bookings.types import AgentBooking
from schema.grammar.commands import submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.payloads import CREATED, CommandPayload, payload_type, result_of, written


@payload_type(description="Result of bookAgentBooking.")
class BookAgentBookingPayload(CommandPayload):
    agent_booking: AgentBooking | None = attribute(
        description="The agent booking with its new revision. Null if there are errors."
    )
    created: bool = attribute(description=CREATED)


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
            **result_of(answer),
        )
