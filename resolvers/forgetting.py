"""Deletes old rows: expired idempotency keys, old delivered notifications, and counters of room
seats that are zero and whose time has passed.

Pending notifications stay until they are finished, and abandoned ones stay so that they can be
redelivered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.storage.idempotency import KEYS_KEPT_FOR
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    IdempotencyKey,
    NotificationDelivery,
    RoomSeats,
    WorkerPresence,
    table,
)
from resolvers.storage.tables.notifications import DELIVERED
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

NOBODY = UUID(int=0)

PRESENCE_KEPT_FOR = timedelta(days=90)
"""Longer than a delivery is retried, even by a gateway that is down most of the time."""

COUNTERS_KEPT_FOR = timedelta(days=1)
"""Counted from the end of the time that a counter of room seats covers."""

NOT_TAKEN = "taken = 0"

AT_ONCE = 500
"""How many rows of a table a transaction deletes, which limits how long bookings wait for it."""


@frozen
class ForgetOld:
    """Delete old rows in every organization. The age of a delivery counts from its success."""

    deliveries_kept_for: timedelta


def forget_old(work: UnitOfWork, commands: Sequence[ForgetOld]) -> list[Outcome]:
    """Delete at most 500 expired keys, notifications and counters for each command.

    `facts` has the numbers of deleted keys and notifications. An outcome is `changed` if there may
    be more.
    """
    return [_forget(work, command) for command in commands]


def _forget(work: UnitOfWork, command: ForgetOld) -> Outcome:
    deliveries_before = work.now - command.deliveries_kept_for
    keys = _delete(work, IdempotencyKey, "created_at", work.now - KEYS_KEPT_FOR)
    deliveries = _delete(
        work, NotificationDelivery, "delivered_at", deliveries_before, where=DELIVERED
    )
    # a full scan: an index would cost each booking more than this read costs
    counters = _delete(
        work, RoomSeats, "busy_until_at", work.now - COUNTERS_KEPT_FOR, where=NOT_TAKEN
    )
    _delete(work, WorkerPresence, "seen_at", work.now - PRESENCE_KEPT_FOR)
    return Outcome(
        NOBODY,
        changed=AT_ONCE in (keys, deliveries, counters),
        facts={"keys": keys, "deliveries": deliveries},
    )


def _delete(
    work: UnitOfWork, model: Any, column: str, before: datetime, *, where: str | None = None
) -> int:
    """Delete the oldest rows from before an instant, and return their number."""
    build = partial(_old, model, column, where)
    read: Read[Any] = Read(("old", model), build, {"before": before})
    rows = work.rows(read)
    # by key: with stale statistics, SQLite reads the whole table for DELETE ... WHERE key IN (...)
    work.delete(model, [row._asdict() for row in rows])
    return len(rows)


def _old(model: Any, column: str, where: str | None, _: str) -> sa.Select[Any]:
    """Select the keys of the oldest rows from before an instant."""
    rows = table(model)
    old = (
        sa.select(*rows.primary_key)
        .where(rows.c[column] < sa.bindparam("before", type_=rows.c[column].type))
        .order_by(rows.c[column])
        .limit(sa.literal_column(str(AT_ONCE)))
        # skip rows that a request or another worker has locked
        .with_for_update(skip_locked=True)
    )
    return old if where is None else old.where(sa.text(where))
