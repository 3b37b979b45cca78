"""Duplicates of payments: each payment keeps those that were made beside it."""

from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.words import document

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Existing payments have none."""
    with altering("payment") as payment:
        payment.add(document("duplicates", null=True))
