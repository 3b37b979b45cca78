"""Deletes old changes from the log, unless a deployment keeps them forever.

Changes are deleted from the beginning of a log. A change stays while it has a pending notification:
the rights to the notification are checked against it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.outcomes import Outcome
from resolvers.storage.read import Read
from resolvers.storage.tables import ChangeLog, LogPosition, NotificationDelivery, columns, table
from resolvers.storage.tables.notifications import WAITS
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen

AT_ONCE = 500
"""How many changes a transaction deletes, which limits how long bookings wait for it."""


@frozen
class DeleteOldChanges:
    """Delete the changes of an organization that are older than `kept_for`."""

    organization_id: UUID
    kept_for: timedelta


def organizations_with_changes_before(instant: datetime) -> Read[Any]:
    """Return the organizations whose oldest change is from before an instant, as `id`."""

    def build(_: str) -> sa.Select[Any]:
        log, c = columns(LogPosition), columns(ChangeLog)
        oldest_at = (
            sa.select(c.at)
            .where(c.organization_id == log.organization_id)
            .order_by(c.position)
            .limit(sa.literal_column("1"))
            .correlate(table(LogPosition))
            .scalar_subquery()
        )
        return sa.select(log.organization_id.label("id")).where(
            oldest_at < sa.bindparam("before", type_=c.at.type)
        )

    return Read("organizations with old changes", build, {"before": instant})


def delete_old_changes(work: UnitOfWork, commands: Sequence[DeleteOldChanges]) -> list[Outcome]:
    """Delete at most 500 changes for each command, oldest first.

    An outcome is `changed` if there may be more.
    """
    return [_delete(work, command) for command in commands]


def _delete(work: UnitOfWork, command: DeleteOldChanges) -> Outcome:
    before = work.now - command.kept_for
    waiting = work.rows(_first_waiting(command.organization_id))[0].position
    # a change can be older than its predecessor: the clocks of several processes differ
    old = list(
        takewhile(
            lambda row: row.at < before and (waiting is None or row.position < waiting),
            work.rows(_oldest(command.organization_id)),
        )
    )
    if old:
        values = {"of": command.organization_id, "last": old[-1].position}
        work.execute("delete old changes", lambda _: _deleting(), [values])
    return Outcome(
        command.organization_id, changed=len(old) == AT_ONCE, facts={"changes": len(old)}
    )


def _first_waiting(organization_id: UUID) -> Read[Any]:
    """Return the position of the first change with a pending notification; None without any."""

    def build(_: str) -> sa.Select[Any]:
        c = columns(NotificationDelivery)
        return sa.select(sa.func.min(c.position).label("position")).where(
            c.organization_id == sa.bindparam("of", type_=c.organization_id.type), sa.text(WAITS)
        )

    return Read("first waiting notification", build, {"of": organization_id})


def _oldest(organization_id: UUID) -> Read[Any]:
    def build(_: str) -> sa.Select[Any]:
        c = columns(ChangeLog)
        return (
            sa.select(c.position, c.at)
            .where(c.organization_id == sa.bindparam("of", type_=c.organization_id.type))
            .order_by(c.position)
            .limit(sa.literal_column(str(AT_ONCE)))
        )

    return Read("oldest changes", build, {"of": organization_id})


def _deleting() -> sa.Executable:
    c = columns(ChangeLog)
    return (
        table(ChangeLog)
        .delete()
        .where(
            c.organization_id == sa.bindparam("of", type_=c.organization_id.type),
            c.position <= sa.bindparam("last", type_=c.position.type),
        )
    )
