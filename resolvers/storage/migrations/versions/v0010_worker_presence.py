"""When background work was done, so that an outage does not count against what is retried.

Nothing is known of the time before this step; it counts in full.
"""

from alembic import op

from resolvers.storage.migrations.words import check, instant, primary_key

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "worker_presence",
        instant("began_at"),
        instant("seen_at"),
        primary_key("began_at"),
        check("seen", "seen_at >= began_at"),
    )
