"""Which agency made a candidate, and which candidates may be the same person.

Existing candidates are of no known party: the agency that has booked one last may be another than
the one that made it, so no agency may write to them.
"""

from alembic import op

from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.words import (
    check,
    key,
    primary_key,
    refers_to,
    text,
)

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with altering("candidate") as candidate:
        candidate.add(text("agency_key", 250, null=True))
    op.create_table(
        "candidate_duplicate",
        key("organization_id"),
        key("candidate_id"),
        key("duplicate_id"),
        primary_key("organization_id", "candidate_id", "duplicate_id"),
        refers_to("candidate", "candidate_id"),
        refers_to("candidate", "duplicate_id"),
        check("other", "candidate_id <> duplicate_id"),
    )
