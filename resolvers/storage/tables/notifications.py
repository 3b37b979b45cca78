"""Where changes are sent, and what has been sent `[004]`; domain.md, section 8.7."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from resolvers.storage.columns import choice, document, instant, key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
)
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic

WAITS = "status in ('QUEUED', 'RETRYING')"
"""Whether a delivery is still to be made, word for word as the partial indexes have it."""

DELIVERED = "status = 'DELIVERED'"
"""Whether a delivery has succeeded, word for word as the partial index has it."""

TRIED_FOR = timedelta(hours=48)
"""How long a delivery is tried before it is given up (X-5)."""


class NotificationEndpoint(Keyed, table=True):
    """A URL or an email address that is told of changes, about some topics.

    Lifecycle: active when registered; disabled for good once it has answered that it is gone, or
    has only failed for days; removed by its owner, and then it is shown to nobody. Its user's scope
    confines what it is told; without a user it is told of all of the organization.
    `failing_since` is the first failure after the last success. For a while after the key was
    rotated the previous one is valid too.
    """

    __tablename__ = "notification_endpoint"
    __table_args__ = (
        of_organization(),
        refers_to("app_user", "user_id"),
        index("ix_notification_endpoint_kept", "id", where="removed_at is null"),
        check("address", "(channel = 'HTML_EMAIL') = (url is null)"),
        check("email", "channel <> 'HTML_EMAIL' or email is not null"),
        check("disabled", "active = (disabled_reason is null)"),
        check("previous_key", "(previous_key is null) = (previous_key_until is null)"),
    )

    user_id: UUID | None = key()
    topics: Any = document(nullable=False)
    channel: NotificationChannel = choice(NotificationChannel)
    url: str | None = text(2000)
    email: str | None = text(254)
    current_key: str = text(64)
    previous_key: str | None = text(64)
    previous_key_until: datetime | None = instant()
    active: bool = True
    disabled_reason: str | None = text(500)
    failing_since: datetime | None = instant()
    created_at: datetime = instant()
    removed_at: datetime | None = instant()


class NotificationDelivery(Keyed, table=True):
    """One change, to be told to one endpoint.

    Lifecycle: QUEUED, in the transaction of the change; RETRYING after a failure; DELIVERED once it
    is accepted, FAILED once it is given up; QUEUED again when somebody asks for it. `subject_id` is
    the booking or the event: what is told of one is told in the order of `position`, that of the
    log. A worker holds it until `leased_until`; `lease` tells it from another that has held it
    before. `channel` is the endpoint's, or that of the email which says that the endpoint was not
    reached.
    """

    __tablename__ = "notification_delivery"
    __table_args__ = (
        refers_to("notification_endpoint", "endpoint_id"),
        # what can be sent to an endpoint, in the order in which it is taken
        index(
            "ix_notification_delivery_due",
            "endpoint_id",
            "next_attempt_at",
            "position",
            where=WAITS,
        ),
        # what is told of a subject in order; the endpoint comes second, so that no statement about
        # an endpoint can take this index for the one above
        index(
            "ix_notification_delivery_subject",
            "subject_id",
            "endpoint_id",
            "channel",
            "position",
            where=WAITS,
        ),
        # pages of an endpoint's deliveries, newest last
        index("ix_notification_delivery_endpoint", "endpoint_id", "created_at", "id"),
        # of all organizations: what has been delivered longest
        sa.Index(
            "ix_notification_delivery_delivered",
            "delivered_at",
            postgresql_where=sa.text(DELIVERED),
            sqlite_where=sa.text(DELIVERED),
        ),
        check("waits", "(status in ('QUEUED', 'RETRYING')) = (next_attempt_at is not null)"),
        check("delivered", "(status = 'DELIVERED') = (delivered_at is not null)"),
        check("lease", "(lease is null) = (leased_until is null)"),
        check("attempts", "attempts >= 0"),
    )

    endpoint_id: UUID = key()
    subject_id: UUID = key()
    position: int = Field(sa_type=sa.BigInteger)
    channel: NotificationChannel = choice(NotificationChannel)
    topic: NotificationTopic = choice(NotificationTopic)
    content: Any = document(nullable=False)
    status: DeliveryStatus = choice(DeliveryStatus, default=DeliveryStatus.QUEUED)
    attempts: int = 0
    last_http_status: int | None = None
    last_error: str | None = text(500)
    next_attempt_at: datetime | None = instant()
    give_up_at: datetime = instant()
    leased_until: datetime | None = instant()
    lease: UUID | None = key()
    created_at: datetime = instant()
    delivered_at: datetime | None = instant()


class WorkerPresence(TableModel, table=True):
    """A time in which background work was done without a pause, by any worker.

    Lifecycle: made by a worker that finds no other at work; `seen_at` advances while any worker is
    at work. Between two rows there was none, or the database was not available. The rows belong to
    the deployment, not to an organization.
    """

    __tablename__ = "worker_presence"
    __table_args__ = (check("seen", "seen_at >= began_at"),)

    began_at: datetime = instant(primary_key=True)
    seen_at: datetime = instant()
