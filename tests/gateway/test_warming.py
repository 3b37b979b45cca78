"""Documents that are compiled before their first use."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import strawberry

from gateway import operations as reading
from gateway import warming
from gateway.graphiql import EXAMPLES
from gateway.manifests import Document
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from gateway.settings import Settings, WrongSetting
from gateway.warming import VIEWERS, documents, warm
from schema import build_schema

MINE = Document("Mine", "query Mine($id: ID!) { booking(id: $id) { reference } }")
WRONG = Document("Wrong", "{ nothing }")
SKIPPING = Document("Skipping", "query ($no: Boolean!) { viewer { role @skip(if: $no) } }")


@pytest.fixture(scope="module")
def schema() -> strawberry.Schema:
    return build_schema()


@pytest.fixture
def operations(schema: strawberry.Schema) -> Operations:
    return Operations(schema)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DELAY_SECONDS", "REST", "LEAST_REST_SECONDS"):
        monkeypatch.setattr(warming, name, 0)


def plans_of(operations: Operations, text: str) -> list[Any]:
    planned = operations._document(text).planned
    assert planned is not None
    return list(planned.plans.values())


async def test_documents_are_compiled_before_their_first_use(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the manifest, of the page and of README, for each kind of viewer."""
    await warm(operations, (MINE, SKIPPING))

    monkeypatch.setattr(reading, "parse", lambda *_, **__: pytest.fail("it was not kept"))
    compiled = list(documents([MINE]))
    assert {example.query for example in EXAMPLES} < {document.text for document in compiled}
    assert any(document.text.startswith("query Roster") for document in compiled)
    for document in compiled:
        assert operations.kind(GraphQLRequest(document.text)) is not None
        plans = plans_of(operations, document.text)
        assert len(plans) == len(VIEWERS)
        assert None not in plans
    # its plan depends on the value of a variable
    assert operations.kind(GraphQLRequest(SKIPPING.text)) is not None
    assert plans_of(operations, SKIPPING.text) == []


async def test_an_operation_that_is_not_valid_is_logged(
    operations: Operations, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not stop the others; a manifest may be older than the schema."""
    with caplog.at_level(logging.WARNING):
        await warm(operations, (WRONG, MINE))

    [told] = caplog.messages
    assert told.startswith("Operation 'Wrong' is not valid: Cannot query field 'nothing'")
    assert len(plans_of(operations, MINE.text)) == len(VIEWERS)


async def test_a_manifest_that_is_too_long_is_compiled_in_part(
    operations: Operations, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ones are, and the log says how many."""
    monkeypatch.setattr(warming, "MOST_DOCUMENTS", 1)

    await warm(operations, (MINE, WRONG))

    [told] = caplog.messages
    assert "has 2 operations; the first 1 are" in told
    assert len(plans_of(operations, MINE.text)) == len(VIEWERS)


async def test_other_tasks_run_between_two_steps(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request waits for one step at most."""
    turns, seen = 0, []
    prepare = operations.prepare

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def noted(*given: Any) -> Any:
        seen.append(turns)
        return prepare(*given)

    monkeypatch.setattr(operations, "prepare", noted)
    others = asyncio.create_task(take_turns())
    await warm(operations, (MINE,))
    others.cancel()

    assert len(seen) > len(VIEWERS)
    assert len(set(seen)) == len(seen)


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[[str], Settings]:
    def read(manifest: str) -> Settings:
        file = tmp_path / "manifest.json"
        file.write_text(manifest)
        return Settings.read({"GATEWAY_OPERATIONS_MANIFEST": str(file)})

    return read


def test_a_manifest_of_apollo_is_read(settings_with: Callable[[str], Settings]) -> None:
    """Its other members are ignored; a name may be missing."""
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [
            {"id": "1", "name": "Mine", "type": "query", "body": MINE.text},
            {"body": "{ viewer { role } }"},
        ],
    }

    settings = settings_with(json.dumps(manifest))

    assert settings.operations_manifest == (MINE, Document("1", "{ viewer { role } }"))


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no list of operations"),
        ('{"operations": {}}', "has no list of operations"),
        ('{"operations": [{"body": "{a}"}, {"body": 1}]}', "without a body (operations.1)"),
        ('{"operations": ["{a}"]}', "without a body (operations.0)"),
    ],
)
def test_a_file_that_is_no_manifest_stops_the_start(
    settings_with: Callable[[str], Settings], manifest: str, told: str
) -> None:
    """The error names the setting, the file and what is wrong."""
    with pytest.raises(WrongSetting, match="GATEWAY_OPERATIONS_MANIFEST") as refused:
        settings_with(manifest)

    assert "manifest.json" in str(refused.value)
    assert told in str(refused.value)


def test_a_missing_manifest_stops_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.json")

    with pytest.raises(WrongSetting, match="No such file"):
        Settings.read({"GATEWAY_OPERATIONS_MANIFEST": missing})
