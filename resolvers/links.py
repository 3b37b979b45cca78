"""Link tables: which rows are linked to which. The difference of two sets is written."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel

from resolvers.reading import rows_linked
from resolvers.storage.columns import one_of
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.read import Read
from resolvers.storage.rows import Model, new_row
from resolvers.storage.tables import (
    CandidateCentre,
    CandidateDepartment,
    CandidateDuplicate,
    CandidateGroup,
    CandidateModule,
    CandidateSubject,
    CentreSubject,
    TestModule,
    UserAgentOffice,
    UserCentre,
    UserSubject,
    columns,
    table,
)
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer

Owner = tuple[UUID, UUID]
"""An organization's key and the key of one of its rows."""

Sets = Mapping[Owner, frozenset[UUID]]


@frozen
class Link:
    """A link table, read from one of its two sides: `parent` and `child` are its columns."""

    model: type[SQLModel]
    parent: str
    child: str

    def reversed(self) -> "Link":
        return Link(self.model, self.child, self.parent)


CANDIDATE_CENTRES = Link(CandidateCentre, "candidate_id", "centre_id")
CANDIDATE_DEPARTMENTS = Link(CandidateDepartment, "candidate_id", "department_id")
CANDIDATE_DUPLICATES = Link(CandidateDuplicate, "candidate_id", "duplicate_id")
CANDIDATE_GROUPS = Link(CandidateGroup, "candidate_id", "group_id")
CANDIDATE_MODULES = Link(CandidateModule, "candidate_id", "module_id")
CANDIDATE_SUBJECTS = Link(CandidateSubject, "candidate_id", "subject_id")
CENTRE_SUBJECTS = Link(CentreSubject, "centre_id", "subject_id")
SUBJECT_CENTRES = CENTRE_SUBJECTS.reversed()
TEST_MODULES = Link(TestModule, "test_id", "module_id")
USER_AGENT_OFFICES = Link(UserAgentOffice, "user_id", "agent_office_id")
USER_CENTRES = Link(UserCentre, "user_id", "centre_id")
USER_SUBJECTS = Link(UserSubject, "user_id", "subject_id")


def children_of(
    model: type[Model],
    link: Link,
    viewer: Viewer,
    keys: Sequence[UUID],
    narrowing: Narrowing,
) -> Read[Model]:
    """Return the rows linked to parents, by name, each with its parent's key as `parent_id`."""
    return rows_linked(
        model,
        link.model,
        viewer,
        keys,
        narrowing,
        parent=link.parent,
        child=link.child,
        order="sort_key",
    )


def rows_of(
    work: UnitOfWork, model: type[SQLModel], column: str, owners: Iterable[tuple[UUID, Any]]
) -> list[Any]:
    """Return the rows with these values in `column`, each in its organization; one statement."""
    asked = set(owners)
    if not asked:
        return []
    read: Read[Any] = Read(
        ("rows of", model, column),
        lambda _: sa.select(table(model)).where(_of_owners(model, column)),
        _owner_values(asked),
        by_key=True,
    )
    # the statement also matches one organization's value in another organization
    return [r for r in work.rows(read) if (r.organization_id, getattr(r, column)) in asked]


def linked(work: UnitOfWork, link: Link, owners: Iterable[Owner]) -> dict[Owner, frozenset[UUID]]:
    """Return the rows linked to each of the owners, in one statement; empty for an owner without
    links.
    """
    sets: dict[Owner, set[UUID]] = {owner: set() for owner in owners}
    for row in rows_of(work, link.model, link.parent, sets):
        sets[row.organization_id, getattr(row, link.parent)].add(getattr(row, link.child))
    return {owner: frozenset(children) for owner, children in sets.items()}


def count_linked(work: UnitOfWork, link: Link, owners: Iterable[Owner]) -> Counter[Owner]:
    """Count the rows linked to each of the owners, in one statement."""
    asked = list(owners)
    if not asked:
        return Counter()
    rows = work.rows(_counts_of(link, asked))
    return Counter({(row.organization_id, row.parent_id): row.total for row in rows})


def save_links(work: UnitOfWork, link: Link, before: Sets, after: Sets) -> None:
    """Write the links of each owner in `after`; other owners keep theirs."""
    nothing: frozenset[UUID] = frozenset()
    removed = {owner: before.get(owner, nothing) - after[owner] for owner in after}
    added = {owner: after[owner] - before.get(owner, nothing) for owner in after}
    work.delete(link.model, _rows(link, removed))
    work.insert(link.model, [new_row(link.model, **row) for row in _rows(link, added)])


def _rows(link: Link, sets: Sets) -> list[dict[str, Any]]:
    return [
        {"organization_id": organization_id, link.parent: parent, link.child: child}
        for (organization_id, parent), children in sets.items()
        for child in sorted(children)
    ]


def _counts_of(link: Link, owners: Iterable[Owner]) -> Read[Any]:
    c = columns(link.model)
    parent = c[link.parent]
    return Read(
        ("count links", link),
        lambda _: (
            sa.select(c.organization_id, parent.label("parent_id"), sa.func.count().label("total"))
            .where(_of_owners(link.model, link.parent))
            .group_by(c.organization_id, parent)
        ),
        _owner_values(owners),
        by_key=True,
    )


def _of_owners(model: type[SQLModel], column: str) -> sa.ColumnElement[bool]:
    c = columns(model)
    return sa.and_(one_of(c.organization_id, "organizations"), one_of(c[column], "values"))


def _owner_values(owners: Iterable[tuple[UUID, Any]]) -> dict[str, Any]:
    organizations, values = zip(*owners, strict=True)
    return {"organizations": list(set(organizations)), "values": list(set(values))}
