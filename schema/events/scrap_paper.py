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


@object_type(description="One candidate's sheet.")
class ScrapPaperSheet(OverRow):
    row: strawberry.Private[Any]

    candidate: Candidate = relation(
        "candidate_by_id", key="candidate_id", description="Whose sheet it is."
    )
    seat: int = column(
        description="From 1, by last name, first names and reference; the same for every viewer."
    )
    reference: str = column(description="The booking's reference.")


@object_type(description="The sheets for rough work at an event.")
class ScrapPaper:
    event: Event = attribute(description="Where they are needed.")
    sheets: list[ScrapPaperSheet] = attribute(
        description="One for each booking with a seat that you may see, of every kind, by seat."
    )


@object_type
class ScrapPaperQueries:
    @strawberry.field(
        description="The scrap paper of an event, at most 10,000 sheets (else OUT_OF_RANGE); null "
        "where there is no such event."
    )
    async def scrap_paper(
        self,
        info: Info,
        event_id: Annotated[
            strawberry.ID, strawberry.argument(description="The event's global id.")
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
