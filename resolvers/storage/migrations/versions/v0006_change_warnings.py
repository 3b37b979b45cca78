"""Changes keep their warnings; unpaid bookings lapse at their start at the latest.

Events on demand without a duration of their own take over the duration that their test has now.
Bookings keep theirs.
"""

from alembic import op

from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.words import document

revision = "0006"
down_revision = "0005"

LAPSING = """
    UPDATE booking SET lapses_at = start_at
    WHERE status = 'PENDING' AND kind = 'ENROLMENT' AND lapses_at > start_at
"""
DUE = """
    UPDATE payment SET due_by = (
        SELECT booking.start_at FROM booking
        WHERE booking.organization_id = payment.organization_id AND booking.id = payment.booking_id
    )
    WHERE responsibility = 'CANDIDATE' AND EXISTS (
        SELECT 1 FROM booking
        WHERE booking.organization_id = payment.organization_id AND booking.id = payment.booking_id
        AND booking.status = 'PENDING' AND payment.due_by > booking.start_at
    )
"""
DURATION = """
    UPDATE event SET duration_minutes = (
        SELECT test.duration_minutes FROM test
        WHERE test.organization_id = event.organization_id AND test.id = event.test_id
    )
    WHERE on_demand AND test_id IS NOT NULL AND exam_duration_in_minutes IS NULL
    AND cancelled_at IS NULL
"""


def upgrade() -> None:
    with altering("change_log") as log:
        log.add(document("warnings", null=True))
    for statement in (LAPSING, DUE, DURATION):
        op.execute(statement)
