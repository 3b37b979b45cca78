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
    @found(description="A candidate. Null if they do not exist or you may not see them.")
    async def candidate(self, info: Info, ref: REF) -> Candidate | None:
        return await named(info, CandidateRow, ref)

    candidates = searchable(
        CANDIDATES_BY_NAME,
        Candidate,
        candidates_page,
        candidates_count,
        description="Candidates, sorted by last name. Use `search` to find them by name "
        "or reference.",
    )

    departments = searchable(
        DEPARTMENTS_BY_NAME,
        Department,
        departments_page,
        departments_count,
        description="Departments of the organization, sorted by name.",
    )
