"""The candidates that a viewer may see: those with a booking, a centre or a subject in scope.

An agent sees those for whom one of its offices has booked.
"""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.reading import rows_by
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.tables import (
    Booking,
    Candidate,
    CandidateCentre,
    CandidateSubject,
    TestSchedule,
    columns,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.viewer import Scope, Viewer
from resolvers.vocabulary import AccessScope, Permission

CENTRES, SUBJECTS, OFFICES = "visible_centres", "visible_subjects", "visible_agent_offices"
MARKER = "visible_marker"


def visible_to(viewer: Viewer) -> Narrowing:
    """Return the condition on `candidate` for a viewer's scope.

    With both centres and subjects in the scope, one match is enough; so is a schedule that the
    viewer marks.
    """
    scope = viewer.scope
    if scope.everything:
        return UNRESTRICTED
    if scope.candidate is not None and not scope.nothing:
        return Narrowing("itself", _itself, {"visible_candidate": scope.candidate})
    by = {CENTRES: scope.centres, SUBJECTS: scope.subjects, OFFICES: scope.agent_offices}
    confined: dict[str, Any] = {name: sorted(keys) for name, keys in by.items() if keys}
    if scope.marker is not None:
        confined[MARKER] = scope.marker
    if scope.nothing or not confined:
        return Narrowing("nobody", sa.false)
    return Narrowing(("in scope", *confined), lambda: _in_scope(confined), confined)


def sees_duplicates(viewer: Viewer) -> bool:
    """Whether a viewer sees possible duplicates of candidates.

    Agents do not: a pair caused by an agent's own submission would reveal that the organization
    knows the person.
    """
    return viewer.may(Permission.VIEW_PII) and viewer.scope.everything


def missing_scope(scope: Scope) -> AccessScope:
    """Return the association that a viewer lacks for a candidate outside of the scope."""
    if scope.nothing or scope.candidate is not None:
        return AccessScope.OWN
    if scope.agent_offices is not None:
        return AccessScope.AGENT_OFFICE
    return AccessScope.CENTRE if scope.centres is not None else AccessScope.SUBJECT


def visible_candidates(
    work: UnitOfWork, asked: Iterable[tuple[Viewer, UUID]]
) -> set[tuple[Viewer, UUID]]:
    """Return the pairs in which the viewer may see the candidate; one statement for each scope."""
    visible: set[tuple[Viewer, UUID]] = set()
    by_scope: dict[tuple[UUID, Scope], list[tuple[Viewer, UUID]]] = {}
    for viewer, key in asked:
        by_scope.setdefault((viewer.organization_id, viewer.scope), []).append((viewer, key))
    for (_, scope), pairs in by_scope.items():
        if not scope.everything:
            narrowed = visible_to(pairs[0][0])
            read = rows_by(Candidate, "id", pairs[0][0], [key for _, key in pairs], narrowed)
            seen = {row.id for row in work.rows(read)}
            pairs = [pair for pair in pairs if pair[1] in seen]
        visible.update(pairs)
    return visible


def _itself() -> sa.ColumnElement[bool]:
    c = columns(Candidate)
    return c.id == sa.bindparam("visible_candidate", type_=c.id.type)


def _in_scope(by: Collection[str]) -> sa.ColumnElement[bool]:
    ways = []
    if CENTRES in by:
        ways += [_has(Booking, "centre_id", CENTRES), _has(CandidateCentre, "centre_id", CENTRES)]
    if SUBJECTS in by:
        ways += [
            _has(Booking, "subject_id", SUBJECTS),
            _has(CandidateSubject, "subject_id", SUBJECTS),
        ]
    if OFFICES in by:
        ways.append(_has(Booking, "agent_office_id", OFFICES))
    if MARKER in by:
        ways.append(_is_marked())
    return sa.or_(*ways)


def _is_marked() -> sa.ColumnElement[bool]:
    """Whether the viewer marks or moderates a test schedule of the candidate."""
    c, b, s = columns(Candidate), columns(Booking), columns(TestSchedule)
    user = sa.bindparam(MARKER, type_=s.marker_user_id.type)
    return sa.exists().where(
        b.organization_id == c.organization_id,
        b.candidate_id == c.id,
        s.organization_id == b.organization_id,
        s.id == b.id,
        sa.or_(s.marker_user_id == user, s.moderator_user_id == user),
    )


def _has(model: type[SQLModel], column: str, values: str) -> sa.ColumnElement[bool]:
    """Whether the candidate has a row in the table whose column is one of the values."""
    c, theirs = columns(Candidate), columns(model)
    return sa.exists().where(
        theirs.organization_id == c.organization_id,
        theirs.candidate_id == c.id,
        one_of(theirs[column], values),
    )
