"""Indexes by which expired idempotency keys and old delivered notifications are found."""

from resolvers.storage.migrations.words import index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Both reach over all organizations: the worker deletes the oldest first."""
    index("ix_idempotency_key_created", "idempotency_key", "created_at")
    index(
        "ix_notification_delivery_delivered",
        "notification_delivery",
        "delivered_at",
        where="status = 'DELIVERED'",
    )
