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


@object_type(description="A link to download a file, valid for five minutes.")
class ExportFile:
    url: str = attribute(
        description="Path of the file on the host of this endpoint. Fetch it with GET; "
        "no token is needed. Anyone with the link can download what you may "
        "see at that time, so treat it as a secret."
    )
    file_name: str = attribute(description='Suggested name of the file, e.g. "events.csv".')
    content_type: str = attribute(description='Media type of the file, e.g. "text/csv".')
    expires_at: datetime = attribute(description="Time when the link expires.")


@object_type
class EventExportQueries:
    @strawberry.field(
        description="Creates a download link, valid for five minutes, for all matching "
        "events as CSV, JSON, XLSX or ICS. Needs no token to download."
    )
    def export_events(
        self,
        info: Info,
        filter: EVENT_FILTER = UNSET,
        sort: EVENT_SORT = UNSET,
        format: Annotated[
            ExportFormat, strawberry.argument(description="Format of the file.")
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
