"""Keys under which a request is carried out once, however often it is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from resolvers.kept_refusals import refused_from_json, refused_to_json
from resolvers.outcomes import Outcome
from resolvers.refusals import IdempotencyKeyReused, Naming, Refused, renamed
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import IdempotencyKey, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

KEYS_KEPT_FOR = timedelta(hours=24)

REFUSALS = "refusals"
"""Marks a kept result that is refused; an outcome has no such member."""


@frozen
class Idempotency:
    """A key of a viewer's, and what identifies the input that came with it.

    `naming` is how the caller names what a refusal is about: a refusal is kept as it was reported.
    """

    organization_id: UUID
    viewer: str
    key: str
    fingerprint: str
    naming: Naming = field(default=tuple, compare=False, repr=False)

    @property
    def identity(self) -> tuple[UUID, str, str]:
        return (self.organization_id, self.viewer, self.key)


def claim(
    work: UnitOfWork, keys: Iterable[Idempotency]
) -> dict[Idempotency, list[Outcome | Refused]]:
    """Insert keys of different identities; the answers of those that were used before.

    The insert waits for a transaction that holds the same key, so a second call waits for the
    first.
    """
    ordered = sorted(keys, key=lambda key: key.identity)
    if not ordered:
        return {}
    ours = new_key()
    work.execute("claim key", _claim, [_claimed(work, key, ours) for key in ordered])
    rows = {
        (row.organization_id, row.viewer, row.idempotency_key): row
        for row in work.rows(_kept(ordered))
    }
    found = [(key, rows[key.identity]) for key in ordered]
    return {key: _answer_of(row, key) for key, row in found if row.claim != ours}


def keep(work: UnitOfWork, answers: Mapping[Idempotency, Sequence[Outcome | Refused]]) -> None:
    """Store the answers of keys that were claimed in this transaction."""
    rows = [
        {
            "of": key.organization_id,
            "by": key.viewer,
            "key": key.key,
            "kept": [_to_json(result, key.naming) for result in results],
        }
        for key, results in answers.items()
    ]
    work.execute("keep answer", lambda _: _keeping(), rows)


def release(work: UnitOfWork, keys: Iterable[Idempotency]) -> None:
    """Let keys that were claimed in this transaction be used again."""
    work.delete(IdempotencyKey, [_row(key) for key in keys])


def _row(key: Idempotency) -> dict[str, Any]:
    return {
        "organization_id": key.organization_id,
        "viewer": key.viewer,
        "idempotency_key": key.key,
    }


def _claimed(work: UnitOfWork, key: Idempotency, ours: UUID) -> dict[str, Any]:
    return {
        **_row(key),
        "fingerprint": key.fingerprint,
        "claim": ours,
        "answer": None,
        "created_at": work.now,
        "expired_before": work.now - KEYS_KEPT_FOR,
    }


def _answer_of(row: IdempotencyKey, key: Idempotency) -> list[Outcome | Refused]:
    if row.fingerprint != key.fingerprint:
        return [Refused([IdempotencyKeyReused("idempotency_key")])]
    return [_from_json(kept) for kept in row.answer]


def _to_json(result: Outcome | Refused, naming: Naming) -> dict[str, Any]:
    if isinstance(result, Outcome):
        return result.renamed(naming).to_json()
    return {REFUSALS: refused_to_json(renamed(result, naming))}


def _from_json(kept: dict[str, Any]) -> Outcome | Refused:
    if REFUSALS in kept:
        return refused_from_json(kept[REFUSALS])
    return Outcome.from_json(kept)


def _kept(keys: Sequence[Idempotency]) -> Read[IdempotencyKey]:
    c = columns(IdempotencyKey)
    return Read(
        "kept keys",
        lambda _: sa.select(table(IdempotencyKey)).where(
            one_of(c.organization_id, "organizations"), one_of(c.idempotency_key, "keys")
        ),
        {
            "organizations": list({key.organization_id for key in keys}),
            "keys": [key.key for key in keys],
        },
    )


def _claim(dialect: str) -> sa.Executable:
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    c = columns(IdempotencyKey)
    names = [column.name for column in c]
    statement = insert(table(IdempotencyKey)).values(
        {name: sa.bindparam(name, type_=c[name].type) for name in names}
    )
    return statement.on_conflict_do_update(
        index_elements=["organization_id", "viewer", "idempotency_key"],
        set_={
            name: statement.excluded[name]
            for name in ("fingerprint", "claim", "answer", "created_at")
        },
        where=c.created_at < sa.bindparam("expired_before", type_=c.created_at.type),
    )


def _keeping() -> sa.Executable:
    c = columns(IdempotencyKey)
    return (
        table(IdempotencyKey)
        .update()
        .where(
            c.organization_id == sa.bindparam("of"),
            c.viewer == sa.bindparam("by"),
            c.idempotency_key == sa.bindparam("key"),
        )
        .values(answer=sa.bindparam("kept", type_=c.answer.type))
    )
