"""Plans and graphql-core limit the size of a response while building it."""

import random
import tracemalloc
from typing import Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult

from gateway import errors
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from resolvers.storage import Storage
from resolvers.storage.tables import Department
from resolvers.viewer import Viewer
from schema.grammar.context import Context
from schema.grammar.response_size import CODE, DEFAULT_BYTES, ResponseSize, ResponseTooLarge
from tests.resolvers.world import World

# Execution is cancelled before the coroutines of other fields start.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MIB = 1024 * 1024
ROOMS = 40


def nested(levels: int, fields: str = "name") -> str:
    """Return a query that nests the rooms of a centre and the centre of each room."""
    inner = f"rooms {{ {fields} }}"
    for _ in range(levels - 1):
        inner = f"rooms {{ centre {{ {inner} }} }}"
    return f"centres(first: 1) {{ nodes {{ {inner} }} }}"


@pytest.fixture
async def rooms(storage: Storage, viewer: Viewer) -> None:
    world = World(storage, viewer)
    centre = await world.centre()
    for n in range(ROOMS):
        await world.room(centre, f"Room {n}")


@pytest.fixture(params=["plan", "graphql-core"])
def operations(
    request: pytest.FixtureRequest, schema: strawberry.Schema, monkeypatch: pytest.MonkeyPatch
) -> Operations:
    made = Operations(schema)
    if request.param == "graphql-core":

        async def not_planned(*_: Any) -> None:
            return None

        monkeypatch.setattr(made.planner, "execute", not_planned)
    return made


class Asking:
    """Executes documents with a limit."""

    def __init__(self, operations: Operations, storage: Storage, viewer: Viewer) -> None:
        self.operations, self._storage, self._viewer = operations, storage, viewer

    @property
    def is_graphql_core(self) -> bool:
        return "execute" in vars(self.operations.planner)

    async def __call__(
        self, query: str, limit: int = DEFAULT_BYTES, *, kind: str = "query"
    ) -> ExecutionResult:
        unused: Any = None
        context = Context(
            viewer=self._viewer,
            storage=self._storage,
            feed=unused,
            exports=unused,
            max_response_bytes=limit,
        )
        result = await self.operations.execute(GraphQLRequest(f"{kind} {{ {query} }}"), context)
        assert isinstance(result, ExecutionResult)
        return result


@pytest.fixture
def ask(operations: Operations, storage: Storage, viewer: Viewer, rooms: None) -> Asking:
    return Asking(operations, storage, viewer)


def require_too_large(result: ExecutionResult) -> None:
    answered = errors.answer(result)
    assert answered["data"] is None
    [error] = answered["errors"]
    assert error["extensions"] == {"code": CODE}
    assert "path" not in error


async def test_a_response_within_the_limit_is_complete(ask: Asking) -> None:
    result = await ask(nested(2))

    assert result.errors is None
    assert result.data is not None
    first, *_ = result.data["centres"]["nodes"][0]["rooms"]
    assert len(first["centre"]["rooms"]) == ROOMS
    assert len(errors.encoded(errors.answer(result))) < DEFAULT_BYTES


@pytest.mark.parametrize("limit", [10_000, 200_000])
async def test_nested_lists_end_at_the_limit(ask: Asking, limit: int) -> None:
    require_too_large(await ask(nested(3), limit))


async def test_aliases_count_together(ask: Asking) -> None:
    """Each alias is within the limit, and all together exceed it; graphql-core counts more per
    object.
    """
    limit = 1_000_000 if ask.is_graphql_core else 100_000
    one = await ask(nested(2), limit)
    many = await ask(" ".join(f"a{n}: {nested(2)}" for n in range(10)), limit)

    assert one.errors is None
    require_too_large(many)


async def test_the_limit_is_enforced_before_the_memory_is_used(ask: Asking) -> None:
    """A query of 200 bytes selects 40 MB: 40 rooms to the power of four."""
    await ask(nested(1))
    tracemalloc.start(1)
    try:
        require_too_large(await ask(nested(4), 200_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 20 * MIB


@pytest.mark.parametrize("operations", ["plan"], indirect=True)
async def test_a_plan_ends_by_itself(ask: Asking) -> None:
    """graphql-core does not repeat the operation, and the plan remains in use."""
    for _ in range(5):
        require_too_large(await ask(nested(3), 10_000))
    assert (await ask(nested(3), 100 * MIB)).errors is None

    counts = ask.operations.planner.counts
    assert (counts.answered, counts.gave_up, counts.not_planned) == (1, 0, 0)


def test_what_is_measured_is_what_the_encoder_writes() -> None:
    """The measured size of random data with shared parts is within a factor of four of its JSON."""
    chance = random.Random(3)
    for _ in range(300):
        values: list[Any] = [1, True, None, "text", "a longer text with ä and €", 2.5]
        for _ in range(chance.randrange(1, 12)):
            parts = [chance.choice(values) for _ in range(chance.randrange(5))]
            values.append(
                parts if chance.random() < 0.5 else {f"key{n}": p for n, p in enumerate(parts)}
            )
        answer = {"data": values[6:]}
        size = len(orjson.dumps(answer))

        require_fits(answer, 4 * size)
        with pytest.raises(ResponseTooLarge):
            require_fits(answer, size // 4)


def require_fits(answer: Any, limit: int) -> None:
    size = ResponseSize(limit)
    size.repeats(10, 1)
    size.built([{}], limit)  # measure everything from here on
    size.finished(answer)


@pytest.mark.parametrize("fields", [1, 3])
async def test_a_mutation_says_which_fields_are_committed(
    ask: Asking, storage: Storage, viewer: Viewer, fields: int
) -> None:
    """If the second of three payloads is too large, the third field is not executed.

    A mutation of one field has a plan.
    """
    long = "x" * 150
    many = " ".join(f"name{n}: name" for n in range(40))
    given = [(long, many)] if fields == 1 else [("First", "name"), (long, many), ("Third", "name")]
    document = " ".join(
        f'f{n}: upsertDepartment(input: {{name: "{name}"}}) {{ department {{ {selected} }} }}'
        for n, (name, selected) in enumerate(given)
    )

    result = await ask(document, limit=300 if fields == 1 else 5_000, kind="mutation")

    [error] = result.errors or ()
    executed = ["f0"] if fields == 1 else ["f0", "f1"]
    assert error.extensions == {"code": CODE, "executed": executed}
    assert f"their writes are committed: {', '.join(executed)}." in error.message
    of = viewer.organization_id
    rows = await World(storage, viewer).rows(Department, "organization_id", of)
    assert {row.name for row in rows} == ({long} if fields == 1 else {"First", long})
