"""Without the required permission, a mutation reports only that and reads nothing."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry

from resolvers.storage import Storage
from resolvers.vocabulary import Permission
from tests.end_to_end.inputs import mutations, required
from tests.schema.conftest import Client

ERRORS = "code message path httpStatus ... on PermissionError { required missingScope }"

WRONG: dict[str, Any] = {
    "cancelBookings": {"bookingIds": []},
    "assignResults": {"results": []},
    "bookEnrolment": {"idempotencyKey": ""},
    "createEvent": {"origin": {"source": "x" * 5_000}},
}
"""Errors that are otherwise found before a command runs."""


@pytest.fixture
def touched(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the storage methods called."""
    asked: list[str] = []
    for name in ("read", "write"):
        do = getattr(storage, name)

        async def noted(*given: Any, _do: Any = do, _name: str = name, **named: Any) -> Any:
            asked.append(_name)
            return await _do(*given, **named)

        monkeypatch.setattr(storage, name, noted)
    return asked


def names(schema: strawberry.Schema) -> dict[str, Any]:
    """Return a valid input for each mutation, except for the objects that it names."""
    return {
        name: {**required(kind.of_type), **WRONG.get(name, {})}  # type: ignore[union-attr]
        for name, kind in mutations(schema._schema).items()
    }


async def test_every_mutation(
    client: Client, schema: strawberry.Schema, touched: list[str]
) -> None:
    """The only error names the permission in the description, and no statement runs."""
    powerless = replace(
        client, viewer=replace(client.viewer, permissions=frozenset({Permission.READ}))
    )
    mutation_type = schema._schema.mutation_type
    assert mutation_type is not None

    for name, given in names(schema).items():
        kind = f"{name[0].upper()}{name[1:]}Input"
        document = f"""mutation ($input: {kind}!) {{
            {name}(input: $input) {{ errors {{ {ERRORS} }} }}
        }}"""
        payload = await powerless.of(document, input=given)

        [error] = payload["errors"]
        needed = error["required"]
        assert error == {
            "code": "FORBIDDEN",
            "message": f"This action requires the permission {needed}.",
            "path": ["input"],
            "httpStatus": 403,
            "required": needed,
            "missingScope": None,
        }
        assert needed in (mutation_type.fields[name].description or ""), name
    assert touched == []
