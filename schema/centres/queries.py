"""The queries of centres."""

from resolvers.centres.reads import CENTRES_BY_NAME, centres_count, centres_page
from resolvers.storage.tables import Centre as CentreRow
from schema.centres.types import Centre
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import found
from schema.grammar.lists import searchable
from schema.grammar.lookup import named
from schema.grammar.references import REF


@object_type
class CentreQueries:
    @found(description="A centre. Null if it does not exist or you may not see it.")
    async def centre(self, info: Info, ref: REF) -> Centre | None:
        return await named(info, CentreRow, ref)

    centres = searchable(
        CENTRES_BY_NAME,
        Centre,
        centres_page,
        centres_count,
        description="Centres of the organization, sorted by name.",
    )
