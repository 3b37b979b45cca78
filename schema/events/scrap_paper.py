"""Scrap paper: sheets for rough work at an event, ready to print."""

from typing import Annotated, Any

import strawberry

from resolvers.events.reads import events_by_id
from resolvers.events.scrap_paper import MOST_SHEETS, sheets_of_event
from resolvers.references import ByKey
from resolvers.refusals import Invalid, OutOfRange
from schema.candidates.types import Candidate
from schema.events.types import Event
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, attribute, column, relation
from schema.grammar.references import ref_of


@object_type(description="A sheet of scrap paper for one candidate.")
class ScrapPaperSheet(OverRow):
    row: strawberry.Private[Any]

    candidate: Candidate = relation(
        "candidate_by_id", key="candidate_id", description="The candidate who gets the sheet."
    )
    seat: int = column(
        description="Seat number, starting at 1, in the order of last name, first names "
        "and reference. The same for all users."
    )
    reference: str = column(description="Reference of the booking.")


@object_type(description="Scrap paper to print for an event.")
class ScrapPaper:
    event: Event = attribute(description="The event that needs the sheets.")
    sheets: list[ScrapPaperSheet] = attribute(
        description="One sheet for each booking that holds a seat and that you may see, "
        "of every kind, in the order of seats."
    )


@object_type
class ScrapPaperQueries:
    @strawberry.field(
        description="Scrap paper of an event, at most 10,000 sheets (otherwise "
        "OUT_OF_RANGE). Null if the event does not exist or you may not see "
        "it."
    )
    async def scrap_paper(
        self,
        info: Info,
        event_id: Annotated[
            strawberry.ID, strawberry.argument(description="Global id of the event.")
        ],
    ) -> ScrapPaper | None:
        ref, context = ref_of(event_id, "Event"), info.context
        if not isinstance(ref, ByKey):
            raise Invalid("eventId", rule="is not the global id of an event")
        events = await context.read(events_by_id(context.viewer, [ref.key]))
        if not events:
            return None
        sheets = await context.read(sheets_of_event(context.viewer, ref.key))
        if len(sheets) > MOST_SHEETS:
            raise OutOfRange("eventId", rule=f"has more than {MOST_SHEETS} sheets")
        return ScrapPaper(
            event=Event.of(events[0]), sheets=[ScrapPaperSheet.of(sheet) for sheet in sheets]
        )
