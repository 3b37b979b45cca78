"""What the index of groups knows about the matchers in it."""

from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from gateway.fanout.index import MatchIndex
from resolvers.bookings.matching import Matcher, matcher_of
from resolvers.storage.filters import NO_FILTER
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role

VIEWER = Viewer(
    organization_id=UUID(int=1),
    role=Role.ADMIN,
    name="admin",
    key="admin:admin",
    permissions=PERMISSIONS[Role.ADMIN],
)


@dataclass(eq=False)
class Group:
    matcher: Matcher


@pytest.mark.parametrize("need", ["needs_candidates", "needs_markers"])
def test_the_index_knows_whether_a_matcher_needs_more_than_the_log(need: str):
    """Until the last one that needs it is removed."""
    matcher = matcher_of(VIEWER, NO_FILTER, None)
    plain, first, second = Group(matcher), *(Group(replace(matcher, **{need: True})) for _ in "ab")
    index = MatchIndex()

    found = [getattr(index, need)]
    for group in (plain, first, second):
        index.add(group)
        found.append(getattr(index, need))
    for group in (first, second, plain):
        index.remove(group)
        found.append(getattr(index, need))

    assert found == [False, False, True, True, True, False, False]
