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
from schema.grammar.inputs import Input
from schema.grammar.payloads import CREATED, ERRORS, WARNINGS, written
from schema.grammar.warnings import Warning


@object_type(description="What became of a submission.")
class BookAgentBookingPayload:
    agent_booking: AgentBooking | None = attribute(description="As it is now; null when refused.")
    created: bool = attribute(description=CREATED)
    changed: bool = attribute(description="False where the content is that of the newest revision.")
    replayed: bool = attribute(description="True when an idempotency key was answered from memory.")
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[UserError] = attribute(description=ERRORS)


@object_type
class AgentBookingMutations:
    @strawberry.mutation(
        description="Submit a booking: a new one, or a new revision. All that is malformed is told "
        "at once; what is impossible is found out later. Needs BOOK."
    )
    async def book_agent_booking(
        self, info: Info, input: Input[BookAgentBookingInput]
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
