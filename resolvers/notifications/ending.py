"""Fails the waiting deliveries of endpoints that are removed or disabled."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa

from resolvers.storage.tables import NotificationDelivery, NotificationEndpoint, columns, table
from resolvers.storage.tables.notifications import WAITS
from resolvers.storage.unit_of_work import UnitOfWork

REMOVED = "The endpoint was removed."


def give_up_waiting(work: UnitOfWork, endpoints: Sequence[NotificationEndpoint]) -> None:
    """Fail the waiting deliveries of removed or disabled endpoints, including claimed ones.

    Emails about failed messages are still sent, unless the endpoint is removed, because they have
    another recipient.
    """
    work.flush()
    for removed in (True, False):
        rows = [
            {
                "of": endpoint.organization_id,
                "to": endpoint.id,
                "through": endpoint.channel,
                "reason": REMOVED if removed else endpoint.disabled_reason,
            }
            for endpoint in endpoints
            if (endpoint.removed_at is not None) is removed
        ]
        work.execute(("give up waiting", removed), partial(_giving_up, removed), rows)


def _giving_up(everything: bool, _: str) -> sa.Executable:
    d = columns(NotificationDelivery)
    through = d.channel == sa.bindparam("through", type_=d.channel.type)
    return (
        table(NotificationDelivery)
        .update()
        .where(
            d.organization_id == sa.bindparam("of"),
            d.endpoint_id == sa.bindparam("to"),
            sa.text(WAITS),
            *(() if everything else (through,)),
        )
        .values(
            status=sa.literal_column("'FAILED'"),
            last_error=sa.bindparam("reason"),
            next_attempt_at=None,
            lease=None,
            leased_until=None,
        )
    )
