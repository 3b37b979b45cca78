"""Errors of the databases: they reach logs, so no value of a row may be in them."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from gateway import errors
from resolvers.outcomes import Outcome
from resolvers.storage import Read, Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from resolvers.storage.tables import Candidate, columns, table
from tests.resolvers.storage.conftest import Results

pytestmark = pytest.mark.both_databases

PASSPORT = "X1234567"
WRONG: dict[str, dict[str, Any]] = {
    "not null": {"last_name": None},
    "check": {"gender": PASSPORT},
    "foreign key": {"organization_id": UUID(int=7)},
    "unique": {"reference": "twice"},
}
"""Values that a database rejects, of a candidate with the passport number."""


def candidate(organization: UUID, **values: Any) -> Any:
    given = {
        "organization_id": organization,
        "id": new_key(),
        "reference": "R",
        "first_names": PASSPORT,
        "last_name": "Ng",
        "search_text": PASSPORT,
        "passport_number": PASSPORT,
    }
    return new_row(Candidate, **{**given, **values})


async def failure(storage: Storage, rows: Sequence[Any]) -> Exception:
    """The error that a transaction with these rows ends with."""

    def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        work.insert(Candidate, commands)
        return [Outcome(row.id) for row in commands]

    with pytest.raises(Exception) as failed:  # noqa: PT011 - each database has its own
        await storage.write(run, rows)
    return failed.value


@pytest.fixture
async def organization(organization_id: UUID, storage: Storage) -> UUID:
    """With a candidate whose reference is taken."""

    def run(work: UnitOfWork, commands: Sequence[Any]) -> Results:
        work.insert(Candidate, [candidate(organization_id, reference="twice")])
        return [Outcome(organization_id)]

    await storage.write(run, [None])
    return organization_id


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_integrity_error_leaves_no_trace_of_a_row_in_the_log(
    storage: Storage, organization: UUID, wrong: str, caplog: pytest.LogCaptureFixture
):
    """The log names the constraint; the row, its passport number included, is nowhere."""
    error = await failure(storage, [candidate(organization, **WRONG[wrong])])

    told = errors.masked(error)

    assert "candidate" in caplog.text or "FOREIGN KEY" in caplog.text
    assert PASSPORT not in caplog.text + str(error) + repr(error) + str(told)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_neither_does_a_value_that_the_database_does_not_take(
    storage: Storage, organization: UUID, caplog: pytest.LogCaptureFixture
):
    """A write and a read with a value that its column cannot have, which asyncpg would quote."""
    by_reference: Read[Any] = Read(
        "by a reference that is bound as it is",
        lambda _: sa.select(table(Candidate)).where(
            columns(Candidate).reference == sa.bindparam("value", type_=sa.types.NullType())
        ),
        {"value": [PASSPORT]},
    )

    errors.masked(await failure(storage, [candidate(organization, first_names=[PASSPORT])]))
    with pytest.raises(Exception) as failed:  # noqa: PT011 - each database has its own
        await storage.read(by_reference)
    errors.masked(failed.value)

    assert len(caplog.records) == 2
    assert PASSPORT not in caplog.text
