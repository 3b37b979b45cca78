"""An index of agent bookings by start, in which enrolments and other kinds are not.

Without it, a list of the few agent bookings of an organization read all of its bookings.
"""

from resolvers.storage.migrations.words import index

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    by_start = ("organization_id", "start_at", "id")
    index("ix_booking_agent_start", "booking", *by_start, where="kind = 'AGENT_BOOKING'")
