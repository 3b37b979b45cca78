"""The mutations of events, and their payloads."""

from collections.abc import Sequence

import strawberry

from resolvers.bookings.expiry import expire_overdue
from resolvers.events.commands import UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.updating import update_events
from resolvers.every_kind.cancelling_events import cancel_events
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.vocabulary import Permission
from schema.events.inputs import CancelEventInput, CreateEventInput, UpdateEventInput
from schema.events.types import Event
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.payloads import CommandPayload, payload_type, result_of, written


@payload_type(description="Result of a mutation of an event.")
class EventPayload(CommandPayload):
    event: Event | None = attribute(
        description="The event with its new values. Null if there are errors."
    )
    affected_bookings: int = attribute(
        description="Number of bookings that were moved or cancelled together with the event."
    )


@object_type
class EventMutations:
    @strawberry.mutation(description="Creates an event. Needs MANAGE_EVENTS.")
    async def create_event(self, info: Info, input: CreateEventInput) -> EventPayload | None:
        return await _payload(info, await submit(info, create_events, input))

    @strawberry.mutation(
        description="Changes an event, and moves its bookings with it. Needs MANAGE_EVENTS."
    )
    async def update_event(self, info: Info, input: UpdateEventInput) -> EventPayload | None:
        return await _payload(info, await submit(info, update_and_expire, input))

    @strawberry.mutation(
        description="Cancels an event and, unless `cancelBookings` is false, its "
        "bookings. Needs MANAGE_EVENTS."
    )
    async def cancel_event(self, info: Info, input: CancelEventInput) -> EventPayload | None:
        return await _payload(info, await submit(info, cancel_events, input))


@requires(Permission.MANAGE_EVENTS)
def update_and_expire(work: UnitOfWork, commands: Sequence[UpdateEvent]) -> list[Outcome | Refused]:
    """Update events, after releasing the seats of expired bookings."""
    return update_events(work, commands, expire=expire_overdue)


async def _payload(info: Info, answer: Answer) -> EventPayload:
    return EventPayload(
        event=await written(info, "Event", answer),
        affected_bookings=answer.fact("affectedBookings") or 0,
        **result_of(answer),
    )
