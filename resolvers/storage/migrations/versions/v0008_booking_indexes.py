"""Indexes of bookings: by room from now on, and by reference in any case."""

from alembic import op

from resolvers.storage.migrations.words import index

revision = "0008"
down_revision = "0007"

TAKES_A_SEAT = "status in ('PENDING', 'CONFIRMED', 'IN_PROGRESS')"


def upgrade() -> None:
    op.drop_index("ix_booking_room_seats", "booking")
    busy = ("organization_id", "room_id", "busy_until_at", "start_at")
    index("ix_booking_room_busy", "booking", *busy, where=TAKES_A_SEAT)
    index("ix_booking_reference", "booking", "organization_id", "lower(reference)")
