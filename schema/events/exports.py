"""Files of events."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers.exports.asked import EventExport
from resolvers.exports.fields import chosen
from resolvers.vocabulary import EventSortField, ExportFormat, Permission, SortDirection
from schema.events.filters import EVENT_FILTER, EVENT_SORT, event_filter
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.inputs import given

NAMES = (
    "Names as in Shift iQ v2 (EventTitle) or in EventFilter (title), in any case, and "
    "EventScheduledStartLocal and VenueTimeZone; an unknown name is refused."
)


@object_type(description="A file that can be fetched for a few minutes.")
class ExportFile:
    url: str = attribute(
        description="Where it is fetched with GET, without a token: a path on the host of this "
        "endpoint. Whoever has it can fetch the file, with what the one who asked may see by then."
    )
    file_name: str = attribute(description="What it is called.")
    content_type: str = attribute(description="Its media type.")
    expires_at: datetime = attribute(description="From when on it cannot be fetched.")


@object_type
class EventExportQueries:
    @strawberry.field(
        description="download: the address of a file of events, which is read when it is fetched, "
        "all of it as of one moment."
    )
    def export_events(
        self,
        info: Info,
        filter: EVENT_FILTER = UNSET,
        sort: EVENT_SORT = UNSET,
        format: Annotated[
            ExportFormat, strawberry.argument(description="How the file is written.")
        ] = ExportFormat.CSV,
        includes: Annotated[
            list[str] | None,
            strawberry.argument(
                description=f"The file's fields, in this order; by default Shift iQ's 62. {NAMES}"
            ),
        ] = UNSET,
        excludes: Annotated[
            list[str] | None,
            strawberry.argument(description=f"The fields that the file does not have. {NAMES}"),
        ] = UNSET,
    ) -> ExportFile | None:
        context = info.context
        context.viewer.require(Permission.READ)
        first: dict[EventSortField, SortDirection] = {}  # of a repeated field, the first counts
        for term in given(sort) or ():
            first.setdefault(term.field, term.direction)
        export = EventExport(
            filter=event_filter(filter),
            sort=tuple(first.items()),
            format=format,
            fields=chosen(given(includes), given(excludes)),
        )
        return ExportFile(**asdict(context.exports.file(context.viewer, export)))
