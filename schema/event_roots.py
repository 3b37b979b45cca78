"""What can be asked about, and done to, events."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.bookings.expiry import expire_overdue
from resolvers.events.commands import UpdateEvent
from resolvers.events.creating import create_events
from resolvers.events.reads import class_codes, events_count, events_on_date
from resolvers.events.updating import update_events
from resolvers.every_kind.cancelling_events import cancel_events
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import ByKey
from resolvers.refusals import Invalid, Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.tables import Event as EventRow
from resolvers.vocabulary import Permission
from schema.commands import Answer, ask
from schema.connections import Connection
from schema.context import Info
from schema.declaring import object_type
from schema.errors import BookingError
from schema.event_filters import EVENT_FILTER, EVENT_SORT, event_filter
from schema.event_inputs import CancelEventInput, CreateEventInput, UpdateEventInput
from schema.event_lists import events_list
from schema.events import Event
from schema.fields import attribute
from schema.found import found
from schema.inputs import Input
from schema.lists import PageArguments, listed
from schema.lookup import named
from schema.payloads import ERRORS, WARNINGS, written
from schema.references import REF, optional_id
from schema.warnings import Warning


@object_type(description="What became of a command on an event.")
class EventPayload:
    event: Event | None = attribute(description="As it is now; null when refused.")
    affected_bookings: int = attribute(
        description="How many bookings were moved or cancelled with it."
    )
    warnings: list[Warning] = attribute(description=WARNINGS)
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type
class EventQueries:
    @found(description="An event; null where there is none.")
    async def event(self, info: Info, ref: REF) -> Event | None:
        return await named(info, EventRow, ref)

    @listed(description="collect; count is totalCount; search is asking for ids only.")
    def events(
        self,
        info: Info,
        page: PageArguments,
        filter: EVENT_FILTER = UNSET,
        sort: EVENT_SORT = UNSET,
    ) -> Connection[Event] | None:
        return events_list(info, page, filter=filter, sort=sort)

    @strawberry.field(description="How many events there are.")
    async def event_count(self, info: Info, filter: EVENT_FILTER = UNSET) -> int | None:
        context = info.context
        count = events_count(context.viewer, event_filter(filter), now=context.now)
        [row] = await context.read(count)
        return int(row.total)

    @strawberry.field(
        description="list-events: those whose local start is on that date at their venue, by "
        "start. At most 1,000; events(filter: {localDate: …}) pages through more."
    )
    async def events_on_date(
        self,
        info: Info,
        date: Annotated[date, strawberry.argument(description="As the venue's calendar has it.")],
        venue_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only at this centre; at all unless given."),
        ] = UNSET,
    ) -> list[Event] | None:
        context, venue = info.context, _key(venue_id, "Centre", "venueId")
        rows = await context.read(events_on_date(context.viewer, date, venue, now=context.now))
        return [Event.of(row) for row in rows]

    @strawberry.field(
        description="The distinct class codes of an organization's events, sorted; null for "
        "another organization than yours."
    )
    async def event_classes(
        self,
        info: Info,
        organization_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The organization; yours unless given."),
        ] = UNSET,
    ) -> list[str] | None:
        viewer = info.context.viewer
        asked = _key(organization_id, "Organization", "organizationId")
        if asked not in (None, viewer.organization_id):
            return None
        return [row.class_code for row in await info.context.read(class_codes(viewer))]


@object_type
class EventMutations:
    @strawberry.mutation(description="Make an event. Needs MANAGE_EVENTS.")
    async def create_event(self, info: Info, input: Input[CreateEventInput]) -> EventPayload | None:
        return await _payload(info, await ask(info, create_events, input))

    @strawberry.mutation(
        description="Change an event; its bookings move with it. Needs MANAGE_EVENTS."
    )
    async def update_event(self, info: Info, input: Input[UpdateEventInput]) -> EventPayload | None:
        return await _payload(info, await ask(info, update_and_expire, input))

    @strawberry.mutation(
        description="Call an event off and, unless they shall stay, its bookings. Needs "
        "MANAGE_EVENTS."
    )
    async def cancel_event(self, info: Info, input: Input[CancelEventInput]) -> EventPayload | None:
        return await _payload(info, await ask(info, cancel_events, input))


@requires(Permission.MANAGE_EVENTS)
def update_and_expire(work: UnitOfWork, commands: Sequence[UpdateEvent]) -> list[Outcome | Refused]:
    """Change events; the seats of bookings that have lapsed are released first."""
    return update_events(work, commands, expire=expire_overdue)


def _key(id: str | None, kind: str, name: str) -> UUID | None:
    """The key in an argument; None where it was left out. Raises: Invalid."""
    ref = optional_id(id, kind)
    if ref is None or isinstance(ref, ByKey):
        return None if ref is None else ref.key
    raise Invalid(name, rule=getattr(ref, "rule", "is not a global id"))


async def _payload(info: Info, answer: Answer) -> EventPayload:
    return EventPayload(
        event=await written(info, "Event", answer),
        affected_bookings=answer.fact("affectedBookings") or 0,
        warnings=answer.warnings,
        errors=answer.errors,
    )
