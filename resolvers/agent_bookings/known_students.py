"""Limits the candidates that a student may match to those that the caller's agency has booked
before.

A match shows the candidate to the agency, so a passport number alone must not give access to a
candidate of another party. domain.md, section 5.5.
"""

from collections.abc import Collection
from dataclasses import field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.agent_bookings.submission import Student
from resolvers.candidates.visible import visible_candidates
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import AgentBooking, Booking, Candidate, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer


@frozen
class StudentOf:
    """A valid student, the caller, and the agency that books.

    An import matches among all candidates, as does a caller who sees the whole organization.
    """

    viewer: Viewer = field(repr=False)
    agency_key: str
    student: Student
    imported: bool = False

    @property
    def organization_id(self) -> UUID:
        return self.viewer.organization_id

    @property
    def among_all(self) -> bool:
        return self.imported or self.viewer.scope.everything

    @property
    def by_agent(self) -> bool:
        return self.viewer.scope.agent_offices is not None


Use = tuple[Viewer, str, UUID]
"""A caller, an agency and a candidate."""


class KnownStudents:
    """The candidates that may be matched, as far as they were read."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._usable: set[Use] = set()

    def may_use(self, asked: StudentOf, candidate: Candidate) -> bool:
        """Whether the student may be this candidate."""
        made_by_agency = asked.by_agent and candidate.agency_key == asked.agency_key
        use = (asked.viewer, asked.agency_key, candidate.id)
        return asked.among_all or made_by_agency or use in self._usable

    def look_up(self, matches: Collection[tuple[StudentOf, Candidate]]) -> None:
        """Read which matching candidates may be used; no statement if it is known for all."""
        doubtful = [(one, row) for one, row in matches if not self.may_use(one, row)]
        if not doubtful:
            return
        visible = visible_candidates(self._work, [(one.viewer, row.id) for one, row in doubtful])
        booked = self._booked([pair for pair in doubtful if pair[0].by_agent])
        for one, row in doubtful:
            by_agency = one.by_agent and (one.agency_key, row.id) in booked
            if by_agency or (one.viewer, row.id) in visible:
                self._usable.add((one.viewer, one.agency_key, row.id))

    def _booked(self, pairs: Collection[tuple[StudentOf, Candidate]]) -> set[tuple[str, UUID]]:
        """The pairs of agency and candidate that have a booking."""
        if not pairs:
            return set()
        values = {
            "organizations": list({one.organization_id for one, _ in pairs}),
            "agencies": list({one.agency_key for one, _ in pairs}),
            "candidates": list({row.id for _, row in pairs}),
        }
        read: Read[Any] = Read("candidates booked by agencies", lambda _: _bookings(), values)
        return {(row.agency_key, row.candidate_id) for row in self._work.rows(read)}


def _bookings() -> sa.Select[Any]:
    b, a = columns(Booking), columns(AgentBooking)
    same = sa.and_(a.organization_id == b.organization_id, a.id == b.id)
    return (
        sa.select(a.agency_key, b.candidate_id)
        .distinct()
        .select_from(sa.join(table(Booking), table(AgentBooking), same))
        .where(
            one_of(b.organization_id, "organizations"),
            one_of(b.candidate_id, "candidates"),
            one_of(a.agency_key, "agencies"),
        )
    )
