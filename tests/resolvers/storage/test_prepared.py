"""What PostgreSQL prepares: each statement once for a connection, and with a plan that it keeps."""

from typing import Any

import pytest
import sqlalchemy as sa

from resolvers.candidates.reads import candidates_by_id
from resolvers.centres.reads import centres_by_id
from resolvers.storage import Read, Storage
from resolvers.storage.columns import new_key
from resolvers.viewer import Viewer

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("on_postgresql")]

TIMES = 20

PREPARED: Read[Any] = Read(
    "test prepared",
    lambda _: sa.select(
        *(sa.column(name) for name in ("statement", "generic_plans", "custom_plans"))
    ).select_from(sa.text("pg_prepared_statements")),
)


async def prepared(storage: Storage, table: str) -> list[Any]:
    """The statements over a table, of the connection that is used first."""
    return [row for row in await storage.read(PREPARED) if f"FROM {table}" in row.statement]


async def test_a_statement_is_prepared_once(storage: Storage, viewer: Viewer):
    """Also when another one is run each time between."""
    for _ in range(TIMES):
        await storage.read(candidates_by_id(viewer, [new_key()]))
        await storage.read(centres_by_id(viewer, [new_key()]))

    for table in ("candidate", "centre"):
        [statement] = await prepared(storage, table)
        assert statement.generic_plans + statement.custom_plans == TIMES


async def test_what_is_read_by_one_key_is_not_planned_at_every_call(
    storage: Storage, viewer: Viewer
):
    """PostgreSQL tries a plan for the key five times, then keeps the one for any key."""
    for _ in range(TIMES):
        await storage.read(candidates_by_id(viewer, [new_key()]))

    [statement] = await prepared(storage, "candidate")
    assert statement.generic_plans == TIMES - 5
