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
    @found(description="An event. Null if it does not exist or you may not see it.")
    async def event(self, info: Info, ref: REF) -> Event | None:
        return await named(info, EventRow, ref)

    @listed(
        description="Events, sorted by start unless you give `sort`. Use `totalCount` to "
        'count without fetching, and `filter: {localDate: "2027-03-01"}` for one '
        "day."
    )
    def events(
        self,
        info: Info,
        page: PageArguments,
        filter: EVENT_FILTER = UNSET,
        sort: EVENT_SORT = UNSET,
    ) -> Connection[Event] | None:
        return events_list(info, page, filter=filter, sort=sort)

    @strawberry.field(description="Number of events that match the filter.")
    async def event_count(self, info: Info, filter: EVENT_FILTER = UNSET) -> int | None:
        context = info.context
        count = events_count(context.viewer, event_filter(filter), now=context.now)
        [row] = await context.read(count)
        return int(row.total)

    @strawberry.field(
        description="Events on one date in local time, sorted by start (list-events in "
        "Surpass). Returns at most 1,000; use `events(filter: {localDate: "
        "…})` for pages."
    )
    async def events_on_date(
        self,
        info: Info,
        date: Annotated[
            date, strawberry.argument(description="Date in the local time of each centre.")
        ],
        centre_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only events at this centre."),
        ] = UNSET,
    ) -> list[Event] | None:
        context, centre = info.context, _key(centre_id, "Centre", "centreId")
        rows = await context.read(events_on_date(context.viewer, date, centre, now=context.now))
        return [Event.of(row) for row in rows]

    @strawberry.field(
        description="Class codes of the organization's events, sorted, without "
        "duplicates. Null for an organization other than yours."
    )
    async def event_classes(
        self,
        info: Info,
        organization_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Global id of the organization. Defaults to yours."),
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
