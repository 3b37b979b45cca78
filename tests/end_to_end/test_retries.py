"""A retry with the same idempotency key changes nothing, and returns the result of the first."""

from typing import Any

import pytest
import strawberry

from tests.end_to_end.clients import Client
from tests.end_to_end.inputs import Examples, mutation, mutations

FIRST = (
    *("grantAccommodation", "revokeAccommodation", "moveEnrolment"),
    *("cancelBooking", "cancelBookings", "bookEnrolment"),
)
"""Mutations of the same bookings, in an order in which none is refused."""

REFUSED = {"assignResults", "recordPayment", "recordSession", "redeliver"}
"""Mutations whose examples are refused. Only results are kept."""


@pytest.mark.parametrize("database", ["sqlite"], scope="session")
async def test_every_mutation_can_be_retried(
    client: Client, examples: Examples, schema: strawberry.Schema
) -> None:
    replayed = {}
    for name in dict.fromkeys([*FIRST, *mutations(schema._schema)]):
        input: dict[str, Any] = {**examples.of[name], "idempotencyKey": name}
        document = mutation(name, "replayed warnings { code }")
        first = await client.ask(document, input=input)
        second = await client.ask(document, input=input)
        other = await client.ask(
            document, input={**input, "origin": {"description": "Another request"}}
        )

        replayed[name] = second["replayed"]
        assert second == {**first, "replayed": not first["errors"]}, name
        if replayed[name]:
            codes = [error["code"] for error in other["errors"]]
            assert codes == ["IDEMPOTENCY_KEY_REUSED"], name

    assert {name for name, once in replayed.items() if not once} == REFUSED
