"""What can be asked about agent bookings: the commands, as plain values."""

from dataclasses import field

from resolvers.agent_bookings.submission import Submission
from resolvers.changes import Origin
from resolvers.values import frozen
from resolvers.viewer import Viewer


@frozen(kw_only=True)
class BookAgentBooking:
    """Create the booking that has this agentBookingId, or replace what it says.

    `expected_revision`: None is no check, 0 says that it must be new, n that it must be at n.
    `happened`: an import brings it, so permissions and rules about now do not apply.
    """

    viewer: Viewer = field(repr=False)
    submission: Submission
    expected_revision: int | None = None
    origin: Origin | None = None
    imported: bool = False
