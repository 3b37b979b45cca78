"""What a subscription yields is told alike, by plans and by graphql-core."""

from contextlib import aclosing
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest

from gateway.request import GraphQLRequest
from resolvers.change_reads import IN_COMMIT_ORDER
from resolvers.viewer import Viewer
from schema.grammar.context import Context, Watch
from tests.plan.both_ways import BothWays, Told
from tests.plan.documents import Document, Known, subscription

# graphql-core forgets the coroutines of fields beside one that raises
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MOST = 12


class StillFeed:
    """A feed in which nothing ever happens: only what has happened is told."""

    def watch(self, organization_id: UUID) -> Watch:
        return self

    async def turn(self) -> None:
        """Subscribers need not wait for each other."""

    async def changed(self) -> None:
        raise EndOfTest


class EndOfTest(Exception):
    """All that was in the log has been told."""


async def events(both: BothWays, asked: Document, viewer: Viewer) -> list[Told]:
    """What the subscription tells, until nothing more is in the log."""
    context = Context(viewer=viewer, storage=both.storage, feed=StillFeed(), exports=both.exports)
    request = GraphQLRequest(asked.text, asked.variables, asked.operation)
    results: Any = await both.operations.execute(request, context)
    told: list[Told] = []
    async with aclosing(results):
        try:
            async for result in results:
                told.append(Told.of(result))
                if len(told) == MOST:
                    break
        except EndOfTest:
            pass
    return told


async def from_which(both: BothWays, viewer: Viewer, skip: int) -> str:
    """The cursor of a change, after which there are others."""
    asked = Document("query ($n: Int) { bookingChanges(last: $n) { pageInfo { startCursor } } }")
    told = await both.by_core(Document(asked.text, {"n": skip}), viewer)
    assert told.data is not None
    return str(orjson.loads(told.data)["bookingChanges"]["pageInfo"]["startCursor"])


@pytest.mark.parametrize("part", range(12))
@pytest.mark.parametrize("of", ["bookingChanged", "eventChanged"])
async def test_changes_are_told_alike(
    both: BothWays, there_is: Known, asking: dict[str, Viewer], of: str, part: int
):
    """Each shows its booking or its event as it is, with whatever was selected of it."""
    random = Random(part)
    viewer = asking[random.choice(["admin", "admin", "invigilator", "staff", "candidate"])]
    after = await from_which(both, asking["admin"], random.choice([40, 100]))
    if of == "eventChanged":
        after = IN_COMMIT_ORDER.cursor(SimpleNamespace(position=random.randint(0, 3)))
    for _ in range(3):
        asked = subscription(
            both.schema, there_is, random, (of, f'after: "{after}"'), both.is_valid
        )
        told = await events(both, asked, viewer)
        with both.without_plans():
            expected = await events(both, asked, viewer)

        assert len(told) == len(expected)
        assert told or viewer is not asking["admin"]
        assert all(map(Told.agrees, told, expected)), asked


async def test_changes_of_events_are_told_by_plans(
    both: BothWays, there_is: Known, asking: dict[str, Viewer]
):
    """The same as by graphql-core, and not one of them by it; filtered, too."""
    text = """subscription ($filter: EventFilter, $after: String) {
      eventChanged(filter: $filter, after: $after) {
        __typename cursor type at changedFields actor { name proxyFor user { name } }
        event { id title status centre { name } seats { taken } bookings(first: 2) { totalCount } }
      } }"""
    after = IN_COMMIT_ORDER.cursor(SimpleNamespace(position=0))
    for filter in ({}, {"not": {"title": {"eq": "Not ours"}}}):
        asked = Document(text, {"after": after, "filter": filter})
        before = both.planner.counts.answered

        told = await events(both, asked, asking["admin"])
        answered = both.planner.counts.answered - before
        with both.without_plans():
            assert told == await events(both, asked, asking["admin"])

        assert answered == len(told) > 3


async def test_seats_are_told_alike(both: BothWays, there_is: Known, asking: dict[str, Viewer]):
    """Those of each event that is watched."""
    text = """subscription ($ids: [ID!]!) { seatsChanged(eventIds: $ids) {
      __typename cursor at seats { taken free state belowMinimum }
      event { id title test { name } seats { taken } bookings(first: 2) { totalCount } } } }"""
    asked = Document(text, {"ids": list(there_is.ids["Event"][:9])})

    told = await events(both, asked, asking["admin"])
    with both.without_plans():
        assert told == await events(both, asked, asking["admin"])

    assert len(told) == 9
    assert both.planner.counts.answered == 9
