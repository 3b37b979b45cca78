"""The queries of candidates."""

from resolvers.candidates.reads import (
    CANDIDATES_BY_NAME,
    DEPARTMENTS_BY_NAME,
    candidates_count,
    candidates_page,
    departments_count,
    departments_page,
)
from resolvers.storage.tables import Candidate as CandidateRow
from schema.candidates.types import Candidate, Department
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import found
from schema.grammar.lists import searchable
from schema.grammar.lookup import named
from schema.grammar.references import REF


@object_type
class CandidateQueries:
    @found(description="A candidate; null where there is none that you may see.")
    async def candidate(self, info: Info, ref: REF) -> Candidate | None:
        return await named(info, CandidateRow, ref)

    candidates = searchable(
        CANDIDATES_BY_NAME,
        Candidate,
        candidates_page,
        candidates_count,
        description="The candidates that you may see, by last name.",
    )

    departments = searchable(
        DEPARTMENTS_BY_NAME,
        Department,
        departments_page,
        departments_count,
        description="The departments of the organization, by name.",
    )
