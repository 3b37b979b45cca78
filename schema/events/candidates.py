"""The candidates who are booked at an event or could be."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from resolvers.candidates.reads import CANDIDATES_BY_NAME
from resolvers.events.eligibility import eligible_candidates, eligible_counts
from resolvers.references import ByKey
from resolvers.refusals import Invalid
from schema.bookings.lists import booked_at
from schema.candidates.types import Candidate
from schema.grammar.connections import Connection
from schema.grammar.declaring import object_type
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listed, listing
from schema.grammar.references import ref_of

if TYPE_CHECKING:
    from schema.enrolments.types import Enrolment

INCLUDE_ELIGIBLE = Annotated[
    bool | None,
    strawberry.argument(
        description="True also returns the candidates who could book, if eligibility is "
        "configured for the event."
    ),
]
MODULE_IDS = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only candidates who are eligible for one of these modules."),
]


@object_type(description="Candidates of an event: those who booked, and those who could.")
class EventCandidates:
    row: strawberry.Private[Any]
    include_eligible: strawberry.Private[bool]
    modules: strawberry.Private[list[UUID] | None]

    @listed("id", description="Enrolments at the event that were not cancelled, sorted by start.")
    def booked(
        self,
        page: PageArguments,
    ) -> Connection[Annotated["Enrolment", strawberry.lazy("schema.enrolments.types")]]:
        return booked_at(self.modules, page)

    @listed(
        "id",
        description="Candidates who are eligible to book, sorted by last name. Empty unless "
        "`includeEligible` is true.",
    )
    def eligible(
        self,
        page: PageArguments,
    ) -> Connection[Candidate]:
        request = page.request(CANDIDATES_BY_NAME)
        if not self.include_eligible:
            return listing(request, "nobody", Candidate.of, key="parent_id")
        modules = self.modules
        return listing(
            request,
            ("eligible", None if modules is None else tuple(modules)),
            Candidate.of,
            lambda viewer, keys: eligible_candidates(viewer, keys, request, modules),
            lambda viewer, keys: eligible_counts(viewer, keys, modules),
            key="parent_id",
        )


def candidates_of(
    event: Any, include_eligible: bool | None, module_ids: list[strawberry.ID] | None
) -> EventCandidates:
    """Return the candidates of an event's row.

    Raises: Invalid (a module's id).
    """
    ids = given(module_ids)
    return EventCandidates(
        row=event,
        include_eligible=bool(include_eligible),
        modules=None if ids is None else [_module(id, str(n)) for n, id in enumerate(ids)],
    )


def _module(id: str, place: str) -> UUID:
    ref = ref_of(id, "Module")
    if isinstance(ref, ByKey):
        return ref.key
    raise Invalid("moduleIds", place, rule=getattr(ref, "rule", "is not a global id"))
