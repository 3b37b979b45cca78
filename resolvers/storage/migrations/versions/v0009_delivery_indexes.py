"""Indexes of deliveries that lead to one plan for each statement of the worker.

Several indexes began with the endpoint. Without statistics PostgreSQL took any of them, and read
all that waits for an endpoint to find what is due there.
"""

from alembic import op

from resolvers.storage.migrations.words import index

revision = "0009"
down_revision = "0008"

TABLE = "notification_delivery"
WAITS = "status in ('QUEUED', 'RETRYING')"


def upgrade() -> None:
    for name in ("due", "queue", "subject"):
        op.drop_index(f"ix_{TABLE}_{name}", TABLE)
    due = ("organization_id", "endpoint_id", "next_attempt_at", "position")
    index(f"ix_{TABLE}_due", TABLE, *due, where=WAITS)
    subject = ("organization_id", "subject_id", "endpoint_id", "channel", "position")
    index(f"ix_{TABLE}_subject", TABLE, *subject, where=WAITS)
