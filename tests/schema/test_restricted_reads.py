"""A plan joins only relations of which the viewer sees every row."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest

from resolvers.bookings.filters import visible_to as bookings_visible_to
from resolvers.storage.tables import AgentOffice, Booking, Candidate, User
from resolvers.viewer import EVERYTHING, NOTHING, PERMISSIONS, Scope, Viewer
from resolvers.visibility import NARROWED
from resolvers.vocabulary import Permission, Role
from schema.grammar.relations import RELATIONS, One

HERE, THERE = frozenset({UUID(int=1)}), frozenset({UUID(int=2), UUID(int=3)})
SCOPES = [
    EVERYTHING,
    NOTHING,
    *(Scope(centres=centres) for centres in (frozenset[UUID](), HERE, THERE)),
    Scope(subjects=HERE),
    Scope(subjects=THERE, marker=UUID(int=4)),
    Scope(centres=HERE, subjects=THERE),
    Scope(agent_offices=HERE),
    Scope(candidate=UUID(int=5)),
]
VIEWERS = [
    Viewer(
        organization_id=UUID(int=organization),
        role=role,
        name=f"{role}",
        key=f"{role}:{user}",
        permissions=permissions,
        user_id=user,
        scope=scope,
    )
    for role, organization, user, scope in product(Role, (6, 7), (None, UUID(int=8)), SCOPES)
    for permissions in (PERMISSIONS[role], frozenset({Permission.READ}), frozenset(Permission))
]
ONES = {name: relation for name, relation in RELATIONS.items() if isinstance(relation, One)}


@pytest.mark.parametrize("name", sorted(ONES))
def test_viewers_with_one_plan_key_are_restricted_alike(name: str):
    """Viewers with the same plan key have the same restriction on each relation."""
    joinable: dict[Any, set[Any]] = {}
    for viewer in VIEWERS:
        read = ONES[name].read(viewer, [UUID(int=9)])
        joinable.setdefault(viewer.plan_key, set()).add((read.is_restricted, read.joinable))

    assert {len(ways) for ways in joinable.values()} == {1}


@pytest.mark.parametrize("model", [AgentOffice, Booking, Candidate, User])
def test_a_table_of_which_a_viewer_sees_a_part_is_not_joined(model: Any):
    """Relations by primary key are restricted wherever the table is restricted."""
    reads = [
        (viewer, read)
        for viewer, relation in product(VIEWERS, ONES.values())
        if (read := relation.read(viewer, [UUID(int=9)])).rows_of == (model, "id")
    ]

    for viewer, read in reads:
        visible = bookings_visible_to if model is Booking else NARROWED[model]
        assert read.is_restricted or not visible(viewer).restricts
        assert (read.joinable is None) == read.is_restricted
    assert {read.is_restricted for _, read in reads} == {True, False}
