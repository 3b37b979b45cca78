"""Locks organizations, for limits that concern all of an organization's rows."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Organization, columns, table
from resolvers.storage.unit_of_work import UnitOfWork


def lock_organizations(work: UnitOfWork, keys: Iterable[UUID]) -> dict[UUID, Organization]:
    """Lock organizations in key order, as `UnitOfWork.lock` locks rows of one; by key."""
    wanted = set(keys)
    if not wanted:
        return {}
    read: Read[Organization] = Read("lock organizations", _locking, {"keys": list(wanted)})
    return {row.id: row for row in work.rows(read)}


def _locking(dialect: str) -> sa.Executable:
    c = columns(Organization)
    statement = sa.select(table(Organization)).where(one_of(c.id, "keys")).order_by(c.id)
    return statement.with_for_update(key_share=True) if dialect == "postgresql" else statement
