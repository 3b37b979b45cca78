"""Short ways to write commands and rows, and to say how a command was refused."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

import resolvers.every_kind  # noqa: F401 - the kinds of booking
from resolvers.outcomes import Outcome
from resolvers.refusals import Refused
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.rows import new_row
from tests.resolvers.stored import as_stored

Make = Callable[..., Awaitable[UUID]]
Refusals = Callable[..., Awaitable[list[tuple[str, str]]]]
Insert = Callable[..., Awaitable[Any]]


@pytest.fixture
def make(storage: Storage) -> Make:
    """Carry one command out that nobody refuses; the key of what it was about."""

    async def made(run: Any, command: Any) -> UUID:
        [outcome] = await storage.write(run, [command])
        assert isinstance(outcome, Outcome), outcome
        return outcome.subject

    return made


@pytest.fixture
def refusals(storage: Storage) -> Refusals:
    """Carry one command out that is refused; the codes and paths of its refusals."""

    async def refused(run: Any, command: Any) -> list[tuple[str, str]]:
        [outcome] = await storage.write(run, [command])
        assert isinstance(outcome, Refused), outcome
        return [(refusal.code.value, ".".join(refusal.path)) for refusal in outcome.refusals]

    return refused


@pytest.fixture
def insert(storage: Storage, organization_id: UUID) -> Insert:
    """Put a row into a table as it is, where no command makes one yet."""

    def run(work: UnitOfWork, rows: Sequence[Any]) -> list[Outcome | Refused]:
        for model, row in rows:
            work.insert(model, [row])
        return [Outcome(row.id) for _, row in rows]

    async def inserted(model: Any, **values: Any) -> Any:
        made = new_row(model, **{"organization_id": organization_id, "id": new_key(), **values})
        row = as_stored(model, made)
        await storage.write(run, [(model, row)])
        return row

    return inserted
