"""Reads of candidates and departments, and of the rows linked to them.

Candidates are restricted by the viewer's scope; departments are visible to the whole organization.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.candidates.visible import sees_duplicates, visible_to
from resolvers.links import (
    CANDIDATE_CENTRES,
    CANDIDATE_DEPARTMENTS,
    CANDIDATE_DUPLICATES,
    CANDIDATE_MODULES,
    CANDIDATE_SUBJECTS,
    children_of,
)
from resolvers.reading import count_of, page_of, rows_by, rows_linked
from resolvers.searching import searching
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Candidate,
    CandidateGroup,
    Centre,
    Department,
    Module,
    Subject,
    columns,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission

CANDIDATES_BY_NAME = Ordering("candidates", (Term("sort_key", str), Term("id", UUID)))
DEPARTMENTS_BY_NAME = Ordering("departments", (Term("sort_key", str), Term("id", UUID)))


def candidates_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Candidate]:
    return rows_by(Candidate, "id", viewer, keys, visible_to(viewer))


def candidates_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[Candidate]:
    """Return a page of candidates with the text in their name, reference or, with VIEW_PII, email.

    Raises: WrongLength, Invalid (the text).
    """
    return page_of(Candidate, viewer, page, _candidates(viewer, search))


def candidates_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(Candidate, viewer, _candidates(viewer, search))


def departments_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Department]:
    return rows_by(Department, "id", viewer, keys, UNRESTRICTED)


def departments_page(viewer: Viewer, page: PageRequest, search: str | None) -> Read[Department]:
    """Raises: WrongLength, Invalid (the text)."""
    return page_of(Department, viewer, page, _departments(search))


def departments_count(viewer: Viewer, search: str | None) -> Read[Any]:
    return count_of(Department, viewer, _departments(search))


def departments_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[Department]:
    return children_of(Department, CANDIDATE_DEPARTMENTS, viewer, keys, UNRESTRICTED)


def centres_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[Centre]:
    return children_of(Centre, CANDIDATE_CENTRES, viewer, keys, UNRESTRICTED)


def subjects_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[Subject]:
    return children_of(Subject, CANDIDATE_SUBJECTS, viewer, keys, UNRESTRICTED)


def modules_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[Module]:
    return children_of(Module, CANDIDATE_MODULES, viewer, keys, UNRESTRICTED)


def duplicates_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[Candidate]:
    """Return the possible duplicates of candidates, oldest first; none unless the viewer may see
    them.
    """
    return rows_linked(
        Candidate,
        CANDIDATE_DUPLICATES.model,
        viewer,
        keys if sees_duplicates(viewer) else (),
        UNRESTRICTED,
        parent=CANDIDATE_DUPLICATES.parent,
        child=CANDIDATE_DUPLICATES.child,
        order="id",
    )


def groups_of_candidates(viewer: Viewer, keys: Sequence[UUID]) -> Read[CandidateGroup]:
    """Return the learner groups as `group_id`, each with its `candidate_id`."""
    return rows_by(CandidateGroup, "candidate_id", viewer, keys, UNRESTRICTED, order="group_id")


def _candidates(viewer: Viewer, search: str | None) -> Narrowing:
    c = columns(Candidate)
    email = (c.email_folded,) if viewer.may(Permission.VIEW_PII) else ()
    return visible_to(viewer) & searching(search, within=(c.search_text, *email))


def _departments(search: str | None) -> Narrowing:
    # a name that differs only in case from another may be stored unfolded (migration 0007)
    return searching(search, within=(sa.func.lower(columns(Department).name_folded),))
