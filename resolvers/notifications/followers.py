"""Deliveries that wait for an earlier one, so messages about a subject arrive in order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage.columns import Instant, one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import NotificationDelivery, columns, table
from resolvers.storage.tables.notifications import WAITS
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import NotificationChannel

FirstOfSubjects = dict[tuple[UUID, NotificationChannel], Any]
"""The `id` and `next_attempt_at` of the first waiting delivery by subject and channel."""


def ahead_of(
    work: UnitOfWork,
    organization_id: UUID,
    endpoint_id: UUID,
    deliveries: Sequence[NotificationDelivery],
) -> FirstOfSubjects:
    """The first waiting deliveries of an endpoint for the subjects of some deliveries."""
    if not deliveries:
        return {}
    first: FirstOfSubjects = {}
    values = {"of": organization_id, "to": endpoint_id}
    subjects = list({row.subject_id for row in deliveries})
    for row in work.rows(_waiting({**values, "subjects": subjects})):
        first.setdefault((row.subject_id, row.channel), row)
    return first


def reschedule(work: UnitOfWork, due: Iterable[tuple[NotificationDelivery, datetime]]) -> None:
    """Change the due times of deliveries."""
    work.execute(
        "reschedule deliveries",
        lambda _: _rescheduling(),
        [{"of": row.organization_id, "key": row.id, "at": at} for row, at in due],
    )


def reschedule_followers(work: UnitOfWork, delivery: NotificationDelivery) -> None:
    """Make the deliveries that wait for a delivery due now."""
    values = {"of": delivery.organization_id, "to": delivery.endpoint_id}
    rows = work.rows(_waiting({**values, "subjects": [delivery.subject_id]}))
    reschedule(work, [(row, work.now) for row in rows if row.position > delivery.position])


def _waiting(values: dict[str, Any]) -> Read[Any]:
    """The waiting deliveries of an endpoint for some subjects, in the order of the log."""
    return Read("waiting about subjects", lambda _: _selecting(), values)


def _selecting() -> sa.Select[Any]:
    d = columns(NotificationDelivery)
    return (
        sa.select(d.organization_id, d.id, d.subject_id, d.channel, d.position, d.next_attempt_at)
        .where(
            d.organization_id == sa.bindparam("of", type_=d.organization_id.type),
            d.endpoint_id == sa.bindparam("to", type_=d.endpoint_id.type),
            one_of(d.subject_id, "subjects"),
            sa.text(WAITS),
        )
        .order_by(d.position)
    )


def _rescheduling() -> sa.Update:
    d = columns(NotificationDelivery)
    return (
        table(NotificationDelivery)
        .update()
        .where(d.organization_id == sa.bindparam("of"), d.id == sa.bindparam("key"), sa.text(WAITS))
        .values(next_attempt_at=sa.bindparam("at", type_=Instant()))
    )
