"""Without the indexes by which the seats of an event and of a room were counted.

The counters of step 0013 say what was counted.
"""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.drop_index("ix_booking_event_seats", "booking")
    op.drop_index("ix_booking_room_busy", "booking")
