"""The mutations of candidates, and their payloads."""

from dataclasses import replace

from resolvers.candidates.commands import upsert_candidates, upsert_departments
from resolvers.candidates.reads import candidates_by_id
from resolvers.storage import one_row
from resolvers.viewer import EVERYTHING
from schema.candidates.inputs import UpsertCandidateInput, UpsertDepartmentInput
from schema.candidates.types import Candidate, Department
from schema.grammar.commands import Answer
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.payloads import written
from schema.grammar.upserts import upsert


async def _written_candidate(info: Info, answer: Answer) -> Candidate | None:
    """The payload shows the written candidate even if it is outside the viewer's scope."""
    candidate: Candidate | None = await written(info, "Candidate", answer)
    if candidate is None and answer.subject is not None:
        unconfined = replace(info.context.viewer, scope=EVERYTHING)
        row = one_row(await info.context.read(candidates_by_id(unconfined, [answer.subject])))
        candidate = None if row is None else Candidate.of(row)
    return candidate


@object_type
class CandidateMutations:
    upsert_candidate = upsert(
        Candidate,
        UpsertCandidateInput,
        upsert_candidates,
        description="Creates a candidate, or updates the one with the same reference. "
        "Needs MANAGE_CANDIDATES.",
        read=_written_candidate,
    )

    upsert_department = upsert(
        Department,
        UpsertDepartmentInput,
        upsert_departments,
        description="Creates a department, or finds the one with the same name. Needs "
        "MANAGE_CANDIDATES.",
    )
