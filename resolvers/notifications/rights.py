"""Decides whether a queued message may still be sent to the endpoint's user.

It is checked before each attempt, because a message may wait for days and permissions may change at
any time (domain.md, section 8.7).
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers.notifications.ending import REMOVED
from resolvers.notifications.outbox import SCOPED, may_be_told, sees
from resolvers.storage.read import Read
from resolvers.storage.rows import as_dict
from resolvers.storage.tables import (
    ChangeLog,
    NotificationDelivery,
    NotificationEndpoint,
    User,
    UserAgentOffice,
    columns,
    table,
)
from resolvers.values import frozen
from resolvers.viewer import scope_of

INACTIVE: Final = "Its user is no longer active."
NOT_PERMITTED: Final = "Its user no longer has the permission MANAGE_NOTIFICATIONS."
OUT_OF_SCOPE: Final = "Its user may no longer see the booking."
GONE: Final = "The delivery is no longer there."


@frozen
class Suppression:
    """The reason why a message is not sent. `disables`: the endpoint is disabled, too."""

    reason: str
    disables: bool = False


def rights_to(organization_id: UUID, delivery_id: UUID) -> Read[Any]:
    """The facts for `withheld_because` in one statement: a row for each office of the user, or one
    row."""

    def build(_: str) -> sa.Select[Any]:
        d, e, u = columns(NotificationDelivery), columns(NotificationEndpoint), columns(User)
        c, o = columns(ChangeLog), columns(UserAgentOffice)
        change = [c[f"{prefix}{name}"] for prefix in ("", "was_") for name in SCOPED]
        tables = (
            sa.join(table(NotificationDelivery), table(NotificationEndpoint), _same(d, e))
            .outerjoin(table(User), _is_user(u.id, u, e))
            .outerjoin(table(UserAgentOffice), _is_user(o.user_id, o, e))
            .outerjoin(
                table(ChangeLog),
                sa.and_(c.organization_id == d.organization_id, c.position == d.position),
            )
        )
        return (
            sa.select(
                (d.channel == e.channel).label("to_endpoint"),
                e.user_id,
                e.active,
                e.disabled_reason,
                e.removed_at,
                u.role,
                u.active.label("working"),
                o.agent_office_id.label("office_id"),
                c.event_type,
                c.candidate_id,
                *change,
            )
            .select_from(tables)
            .where(
                d.organization_id == sa.bindparam("of", type_=d.organization_id.type),
                d.id == sa.bindparam("delivery", type_=d.id.type),
            )
        )

    return Read(
        "rights to a delivery",
        build,
        {"of": organization_id, "delivery": delivery_id},
        by_key=True,
    )


def _same(d: Any, e: Any) -> sa.ColumnElement[bool]:
    return sa.and_(e.organization_id == d.organization_id, e.id == d.endpoint_id)


def _is_user(user_id: Any, of: Any, e: Any) -> sa.ColumnElement[bool]:
    return sa.and_(of.organization_id == e.organization_id, user_id == e.user_id)


def withheld_because(rows: Sequence[Any]) -> Suppression | None:
    """The reason why a message is not sent, or None. `rows` are the result of `rights_to`."""
    if not rows:
        return Suppression(GONE)
    known = rows[0]
    if known.removed_at is not None:
        return Suppression(REMOVED)
    if known.to_endpoint and not known.active:
        return Suppression(known.disabled_reason)
    if known.user_id is None:
        return None
    if not known.working:
        return Suppression(INACTIVE, disables=True)
    if not may_be_told(known.role):
        return Suppression(NOT_PERMITTED, disables=True)
    offices = frozenset(row.office_id for row in rows if row.office_id is not None)
    scope = scope_of(known.role, agent_offices=offices)
    return None if sees(scope, as_dict(known)) else Suppression(OUT_OF_SCOPE)
