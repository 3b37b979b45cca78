"""Number series of 64 bits: they count on from the largest number that a source can have."""

from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.words import big_number

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Sources number their objects with 32 bits, and a series counts on in blocks."""
    with altering("number_series") as number_series:
        number_series.change(big_number("next"))
