"""The estimated sizes of cached entries are near what the entries really take."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.operations import Operations
from gateway.request import GraphQLRequest
from resolvers.caching import CacheBudget
from resolvers.events.filters import criteria
from resolvers.storage import Storage
from resolvers.storage.filters import AnyOf, Condition, Operator, shape_and_values, sql
from resolvers.storage.read import DIALECTS, Compiled
from resolvers.storage.tables import Event, columns
from resolvers.viewer import Viewer
from schema import build_schema
from schema.grammar.context import Context

EACH = 5
SCHEMA = build_schema()


@pytest.fixture
def measured() -> Iterator[Callable[[], int]]:
    """How many bytes Python's objects take now, without garbage."""
    gc.freeze()  # a collection would visit all objects of earlier tests
    tracemalloc.start(1)

    def taken() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    yield taken
    tracemalloc.stop()
    gc.unfreeze()


def document(terms: int, n: int) -> str:
    wanted = ", ".join(
        f'{{title: {{contains: "t{n} {term}"}}}}' if term % 2 else f"{{number: {{gte: {term}}}}}"
        for term in range(terms)
    )
    return (
        f"query Q{n} {{ events(first: 5, filter: {{or: [{wanted}]}}) {{ nodes {{ id title }} }} }}"
    )


@pytest.mark.parametrize("terms", [1, 20, 100])
async def test_documents_with_their_plans(
    storage: Storage, viewer: Viewer, measured: Callable[[], int], terms: int
) -> None:
    """The estimate is 0.5 to 2 times what a document takes after it was executed."""
    unused: Any = None
    budget = CacheBudget(2**40)
    operations = Operations(SCHEMA, budget)

    async def execute(n: int) -> None:
        context = Context(viewer=viewer, storage=storage, feed=unused, exports=unused)
        result: Any = await operations.execute(GraphQLRequest(document(terms, n)), context)
        assert result.errors is None

    await execute(0)
    before, counted = measured(), budget.used_bytes
    for n in range(1, EACH + 1):
        await execute(n)

    taken, counted = measured() - before, budget.used_bytes - counted
    assert 0.5 * taken < counted < 2 * taken, (taken / EACH, counted / EACH)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (document(8, 1), None),
        ("{ events(first: 5) { nodes { id } ", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing { id } }", "Cannot query field 'nothing' on type 'Query'."),
        ('{ events(first: "5") { nodes { id } } }', "Int cannot represent non-integer value"),
    ],
)
async def test_a_dropped_document_is_freed_without_the_garbage_collector(
    storage: Storage, viewer: Viewer, text: str, error: str | None
) -> None:
    """A full collection is rare, so cycles would take memory beyond the budget for a long time."""
    unused: Any = None
    operations = Operations(SCHEMA, CacheBudget(2**40))
    context = Context(viewer=viewer, storage=storage, feed=unused, exports=unused)
    result: Any = await operations.execute(GraphQLRequest(text), context)
    assert [told.message[: len(str(error))] for told in result.errors or ()] == [error][
        : bool(error)
    ]
    assert len(operations._kept) == 1
    del result, context

    gc.collect()
    operations._last = None
    operations._kept.clear()

    assert gc.collect() == 0


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("terms", [1, 20, 100])
@pytest.mark.parametrize("width", [3, 60])
def test_statements(measured: Callable[[], int], dialect: str, terms: int, width: int) -> None:
    """The estimate is 0.5 to 2 times what a statement takes with its shape and its rows' type."""

    def made(n: int) -> tuple[Any, Compiled]:
        parts = (
            Condition("title", Operator.CONTAINS, "x")
            if term % 2
            else Condition("number", Operator.GTE, 1)
            for term in range(terms)
        )
        shape, _ = shape_and_values(AnyOf(tuple(parts)), f"event{n}_")
        wanted = sa.select(*list(columns(Event))[:width]).where(sql(shape, criteria()))
        statement = Compiled(wanted, DIALECTS[dialect])
        statement.rows([])
        return shape, statement

    made(0)
    before = measured()
    kept = [made(n) for n in range(1, EACH + 1)]

    taken = measured() - before
    counted = sum(statement.estimated_bytes for _, statement in kept)
    assert 0.5 * taken < counted < 2 * taken, (taken / EACH, counted / EACH)


async def test_new_documents_do_not_take_more_than_the_budget(
    storage: Storage, viewer: Viewer, measured: Callable[[], int]
) -> None:
    """Twice the budget of different documents goes by, and a document that is in use stays."""
    unused: Any = None
    budget = CacheBudget(600_000)
    operations = Operations(SCHEMA, budget)
    hot = document(1, 0)

    async def execute(text: str) -> None:
        context = Context(viewer=viewer, storage=storage, feed=unused, exports=unused)
        await operations.execute(GraphQLRequest(text), context)

    for _ in range(2):
        await execute("".join(hot))
    before = measured()
    for n in range(1, 41):
        for _ in range(2):  # large documents are kept at their second use
            await execute(document(1, n))
        await execute(hot)
        assert operations._kept.get(hot) is not None

    assert budget.used_bytes <= budget.most_bytes
    assert measured() - before < 1.5 * budget.most_bytes
