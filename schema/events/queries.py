"""The queries of events."""

from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import UNSET

from resolvers.events.reads import class_codes, events_count, events_on_date
from resolvers.references import ByKey
from resolvers.refusals import Invalid
from resolvers.storage.tables import Event as EventRow
from schema.events.filters import EVENT_FILTER, EVENT_SORT, event_filter
from schema.events.lists import events_list
from schema.events.types import Event
from schema.grammar.connections import Connection
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import found
from schema.grammar.lists import PageArguments, listed
from schema.grammar.lookup import named
from schema.grammar.references import REF, optional_id


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
        description="list-events: those whose local start is on that date at their centre, by "
        "start. At most 1,000; events(filter: {localDate: …}) pages through more."
    )
    async def events_on_date(
        self,
        info: Info,
        date: Annotated[date, strawberry.argument(description="As the centre's calendar has it.")],
        centre_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only at this centre; at all unless given."),
        ] = UNSET,
    ) -> list[Event] | None:
        context, centre = info.context, _key(centre_id, "Centre", "centreId")
        rows = await context.read(events_on_date(context.viewer, date, centre, now=context.now))
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


def _key(id: str | None, kind: str, name: str) -> UUID | None:
    """Return the key in an argument; None if it was omitted. Raises: Invalid."""
    ref = optional_id(id, kind)
    if ref is None or isinstance(ref, ByKey):
        return None if ref is None else ref.key
    raise Invalid(name, rule=getattr(ref, "rule", "is not a global id"))
