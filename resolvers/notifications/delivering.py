"""The worker's part: find endpoints with due deliveries, claim deliveries, and write outcomes.

A delivery is claimed with a lease. If a worker is killed, another worker claims the delivery after
the lease has ended. An outcome without a valid lease is not written.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from resolvers.bookings.loading import lock, of_keys
from resolvers.notifications import rules
from resolvers.notifications.commands import (
    ClaimDeliveries,
    FinishDelivery,
    ReleaseDeliveries,
)
from resolvers.notifications.ending import give_up_waiting
from resolvers.notifications.followers import ahead_of, reschedule
from resolvers.notifications.rights import Suppression
from resolvers.outcomes import Outcome
from resolvers.presence import paused_for, presences
from resolvers.storage.columns import Instant, new_key
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import (
    NotificationDelivery,
    NotificationEndpoint,
    WorkerPresence,
    columns,
    table,
)
from resolvers.storage.tables.notifications import TRIED_FOR, WAITS
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import DeliveryStatus, NotificationChannel

LOOKED_AT: Final = 100
"""The least number of due deliveries that a claim reads. Some of them may wait for others."""

HELD_ELSEWHERE: Final = timedelta(seconds=1)
"""How long a delivery is postponed if it waits for one that another worker is making."""

LONGEST_ERROR: Final = 500

FAILED_BECAUSE: Final = "failedBecause"
FAILED_URL: Final = "failedUrl"
"""The additional content of an email about a failed message: the reason and the destination."""


def due_endpoints(now: datetime) -> Read[Any]:
    """The endpoints of all organizations with due deliveries.

    Rows of `organization_id`, `endpoint_id` and `due_since`, longest due first. An endpoint whose
    due deliveries all wait for earlier ones is included until the next claim, which postpones them.
    """

    def build(_: str) -> sa.Select[Any]:
        d, e = columns(NotificationDelivery), columns(NotificationEndpoint)
        # only the head of a long queue is read, whether it is due now or later
        first = (
            sa.select(d.next_attempt_at)
            .where(_is_due_at(e.organization_id, e.id))
            .order_by(d.next_attempt_at, d.position)
            .limit(sa.literal_column("1"))
        )
        found = (
            sa.select(
                e.organization_id,
                e.id.label("endpoint_id"),
                first.correlate(table(NotificationEndpoint)).scalar_subquery().label("due_since"),
            )
            .cte("found")
            .prefix_with("MATERIALIZED")  # or PostgreSQL looks twice for each endpoint
        )
        return (
            sa.select(found)
            .where(found.c.due_since.is_not(None))
            .order_by(found.c.due_since, found.c.endpoint_id)
        )

    return Read("due endpoints", build, {"now": now})


def _is_due_at(
    organization_id: sa.ColumnElement[UUID], endpoint_id: sa.ColumnElement[UUID]
) -> sa.ColumnElement[bool]:
    """True for a delivery that is due at an endpoint at the instant bound as `now`."""
    d = columns(NotificationDelivery)
    return sa.and_(
        d.organization_id == organization_id,
        d.endpoint_id == endpoint_id,
        sa.text(f"notification_delivery.{WAITS}"),
        d.next_attempt_at <= _now(),
        sa.or_(d.leased_until.is_(None), d.leased_until <= _now()),
    )


def _now() -> sa.BindParameter[datetime]:
    return sa.bindparam("now", type_=Instant())


# ---------------------------------------------------------------- claim


def claim(work: UnitOfWork, commands: Sequence[ClaimDeliveries]) -> list[Outcome]:
    """Claim the due deliveries of each endpoint, longest due first. No two workers claim the same
    one.

    Each command takes a few statements, because each claim affects the next. A delivery that waits
    for an earlier one about the same subject is not claimed; it becomes due with that one.
    An outcome is `changed` if there may be more; its subject is the endpoint. Its facts:
    `deliveries`, each with `id` and `lease` (hex), `topic`, `channel`, `content` and `attempts`;
    `url` and `email`; `keys`, the valid keys, newest first. Deliveries of an endpoint that is
    disabled or removed fail.
    """
    keys = {(command.organization_id, command.endpoint_id) for command in commands}
    found = {row.id: row for row in of_keys(work, NotificationEndpoint, "id", keys)}
    give_up_waiting(work, [row for row in found.values() if row.removed_at or not row.active])
    return [_claim(work, command, found.get(command.endpoint_id)) for command in commands]


def _claim(
    work: UnitOfWork, command: ClaimDeliveries, endpoint: NotificationEndpoint | None
) -> Outcome:
    due = work.rows(_due(command, work.now))
    rows, behind = _split(work, command, due)
    reschedule(work, behind)
    lease, until = new_key(), work.now + timedelta(seconds=command.lease_seconds)
    work.save(
        NotificationDelivery,
        [(row, changed(row, lease=lease, leased_until=until)) for row in rows],
    )
    deliveries = [
        {
            "id": row.id.hex,
            "lease": lease.hex,
            "topic": row.topic.value,
            "channel": row.channel.value,
            "content": row.content,
            "attempts": row.attempts,
        }
        for row in rows
    ]
    receiver = {} if endpoint is None else _receiver(endpoint, work.now)
    return Outcome(
        command.endpoint_id, changed=bool(due), facts={"deliveries": deliveries, **receiver}
    )


def _split(
    work: UnitOfWork, command: ClaimDeliveries, due: Sequence[NotificationDelivery]
) -> tuple[list[NotificationDelivery], list[tuple[NotificationDelivery, datetime]]]:
    """The due deliveries to claim, and those that wait for others with their new due times.

    Deliveries behind one that is claimed, or could be, stay due.
    """
    first = ahead_of(work, command.organization_id, command.endpoint_id, due)
    taken: list[NotificationDelivery] = []
    behind = []
    free = {row.id for row in due}
    for row in due:
        ahead = first[row.subject_id, row.channel]
        if ahead.id == row.id:
            taken.append(row)
        elif ahead.id not in free:
            again = work.now + HELD_ELSEWHERE if ahead.next_attempt_at <= work.now else None
            behind.append((row, again or ahead.next_attempt_at))
    return taken[: command.most], behind


def _receiver(endpoint: NotificationEndpoint, now: datetime) -> dict[str, Any]:
    keys = rules.valid_keys(
        endpoint.current_key, endpoint.previous_key, endpoint.previous_key_until, now=now
    )
    return {"url": endpoint.url, "email": endpoint.email, "keys": keys}


def _due(command: ClaimDeliveries, now: datetime) -> Read[NotificationDelivery]:
    """The due deliveries of an endpoint, locked. Deliveries locked elsewhere are skipped."""
    most = max(command.most, LOOKED_AT)

    def build(dialect: str) -> sa.Select[Any]:
        d = columns(NotificationDelivery)
        statement = (
            sa.select(table(NotificationDelivery))
            .where(
                _is_due_at(
                    sa.bindparam("of", type_=d.organization_id.type),
                    sa.bindparam("to", type_=d.endpoint_id.type),
                )
            )
            .order_by(d.next_attempt_at, d.position)
            .limit(sa.literal_column(str(most)))
        )
        if dialect != "postgresql":
            return statement
        return statement.with_for_update(key_share=True, skip_locked=True)

    values = {"of": command.organization_id, "to": command.endpoint_id, "now": now}
    return Read(("due at an endpoint", most), build, values)


# ---------------------------------------------------------------- release


def release(work: UnitOfWork, commands: Sequence[ReleaseDeliveries]) -> list[Outcome]:
    """Release deliveries that were claimed and not attempted, except those whose lease is lost."""
    rows = [
        {"of": command.organization_id, "key": key, "held": lease}
        for command in commands
        for key, lease in command.leases
    ]
    work.execute("release deliveries", lambda _: _releasing(), rows)
    return [Outcome(command.organization_id) for command in commands]


def _releasing() -> sa.Update:
    d = columns(NotificationDelivery)
    return (
        table(NotificationDelivery)
        .update()
        .where(
            d.organization_id == sa.bindparam("of"),
            d.id == sa.bindparam("key"),
            d.lease == sa.bindparam("held"),
        )
        .values(lease=None, leased_until=None)
    )


# ---------------------------------------------------------------- finish


def finish(work: UnitOfWork, commands: Sequence[FinishDelivery]) -> list[Outcome]:
    """Write the outcomes of attempts: delivered, retried later, failed, or the endpoint disabled.

    A withheld message becomes FAILED with the reason. If the endpoint's user is no longer active or
    permitted, the endpoint is disabled with that reason, and its waiting deliveries fail.

    If the lease was lost, nothing is written and the outcome is not `changed`. Its fact `status` is
    the current status of the delivery, or null if the delivery does not exist.
    """
    batch = _AttemptBatch(work, commands)
    held = [batch.take(command) for command in commands]
    batch.save()
    return [
        Outcome(
            command.delivery_id,
            changed=changed,
            facts={"status": batch.status_of(command.delivery_id)},
        )
        for command, changed in zip(commands, held, strict=True)
    ]


class _AttemptBatch:
    """The locked deliveries and endpoints of a batch, updated attempt by attempt."""

    def __init__(self, work: UnitOfWork, commands: Sequence[FinishDelivery]) -> None:
        self._work = work
        self._endpoints: dict[UUID, NotificationEndpoint] = lock(
            work, NotificationEndpoint, ((c.organization_id, c.endpoint_id) for c in commands)
        )
        self._before: dict[UUID, NotificationDelivery] = lock(
            work, NotificationDelivery, ((c.organization_id, c.delivery_id) for c in commands)
        )
        self._now = dict(self._before)
        self._endpoints_now = dict(self._endpoints)
        self._emails: list[NotificationDelivery] = []
        self._disabled: set[UUID] = set()
        self._presences: list[WorkerPresence] | None = None

    def take(self, command: FinishDelivery) -> bool:
        """Apply one attempt. Returns False if its lease is lost."""
        delivery = self._now.get(command.delivery_id)
        if delivery is None or delivery.lease != command.lease:
            return False
        if command.withheld is not None:
            self._now[delivery.id] = self._withheld(delivery, command.withheld)
            return True
        accepted = rules.is_accepted(delivery.channel, status=command.status, error=command.error)
        after = changed(
            delivery,
            attempts=delivery.attempts + 1,
            last_http_status=command.status,
            lease=None,
            leased_until=None,
        )
        self._now[delivery.id] = (
            self._delivered(after) if accepted else self._failed(after, command)
        )
        return True

    def _delivered(self, delivery: NotificationDelivery) -> NotificationDelivery:
        self._endpoint_becomes(delivery, failing_since=None)
        return changed(
            delivery,
            status=DeliveryStatus.DELIVERED,
            delivered_at=self._work.now,
            next_attempt_at=None,
            last_error=None,
        )

    def _withheld(self, delivery: NotificationDelivery, why: Suppression) -> NotificationDelivery:
        """Fail a delivery without an attempt and without an email, and disable its endpoint if
        required."""
        if why.disables:
            self._endpoint_becomes(delivery, active=False, disabled_reason=why.reason)
        return changed(
            delivery,
            status=DeliveryStatus.FAILED,
            last_error=why.reason,
            next_attempt_at=None,
            lease=None,
            leased_until=None,
        )

    def _failed(
        self, delivery: NotificationDelivery, command: FinishDelivery
    ) -> NotificationDelivery:
        now = self._work.now
        give_up_at = delivery.give_up_at + self._paused_since(delivery.give_up_at - TRIED_FOR)
        reason = rules.reason_of(status=command.status, error=command.error)
        after = changed(delivery, last_error=reason[:LONGEST_ERROR])
        self._count_against_endpoint(after, command.status)
        if rules.is_given_up(now=now, give_up_at=give_up_at):
            self._email(after)
            return changed(after, status=DeliveryStatus.FAILED, next_attempt_at=None)
        again = rules.next_attempt_at(
            after.attempts, now=now, give_up_at=give_up_at, chance=command.chance
        )
        return changed(after, status=DeliveryStatus.RETRYING, next_attempt_at=again)

    def _count_against_endpoint(self, delivery: NotificationDelivery, status: int | None) -> None:
        now = self._work.now
        since = self._endpoints_now[delivery.endpoint_id].failing_since or now
        self._endpoint_becomes(delivery, failing_since=since)
        tried_since = since + self._paused_since(since)
        reason = rules.disabled_because(status=status, failing_since=tried_since, now=now)
        if reason is not None:
            self._endpoint_becomes(delivery, active=False, disabled_reason=reason)

    def _paused_since(self, instant: datetime) -> timedelta:
        """The time since then in which no worker was running or the database was unavailable."""
        if self._presences is None:
            self._presences = presences(self._work)
        return paused_for(self._presences, instant, self._work.now)

    def _endpoint_becomes(self, delivery: NotificationDelivery, **values: Any) -> None:
        """The effect of a delivery on its endpoint. An email about a failure has none."""
        endpoint = self._endpoints_now[delivery.endpoint_id]
        if delivery.channel is endpoint.channel and endpoint.active:
            self._endpoints_now[endpoint.id] = changed(endpoint, **values)

    def _email(self, delivery: NotificationDelivery) -> None:
        """Queue an email about a failed message, with the reason."""
        endpoint, now = self._endpoints_now[delivery.endpoint_id], self._work.now
        if endpoint.email is None or delivery.channel is NotificationChannel.HTML_EMAIL:
            return
        content = {
            **delivery.content,
            FAILED_BECAUSE: delivery.last_error,
            FAILED_URL: endpoint.url,
        }
        email = new_row(
            NotificationDelivery,
            organization_id=delivery.organization_id,
            id=new_key(),
            endpoint_id=endpoint.id,
            subject_id=delivery.subject_id,
            position=delivery.position,
            channel=NotificationChannel.HTML_EMAIL,
            topic=delivery.topic,
            content=content,
            next_attempt_at=now,
            give_up_at=now + TRIED_FOR,
            created_at=now,
        )
        self._emails.append(email)

    def save(self) -> None:
        work, endpoints = self._work, self._endpoints_now
        changes = [(row, endpoints[key]) for key, row in self._endpoints.items()]
        work.save(NotificationEndpoint, changes)
        work.save(
            NotificationDelivery, [(row, self._now[key]) for key, row in self._before.items()]
        )
        work.insert(NotificationDelivery, self._emails)
        self._disabled = {after.id for before, after in changes if before.active > after.active}
        give_up_waiting(work, [endpoints[key] for key in self._disabled])

    def status_of(self, delivery_id: UUID) -> str | None:
        """The current status of a delivery."""
        delivery = self._now.get(delivery_id)
        if delivery is None:
            return None
        endpoint = self._endpoints_now.get(delivery.endpoint_id)
        if (
            endpoint is not None
            and endpoint.id in self._disabled
            and delivery.channel is endpoint.channel
            and delivery.next_attempt_at is not None
        ):
            return DeliveryStatus.FAILED.value
        return delivery.status.value
