"""The commands on agent bookings."""

from dataclasses import field

from resolvers.agent_bookings.submission import Submission
from resolvers.changes import Origin
from resolvers.values import frozen
from resolvers.viewer import Viewer


@frozen(kw_only=True)
class BookAgentBooking:
    """Create the booking with this agentBookingId, or replace its content.

    `expected_revision`: None for no check, 0 if the booking must be new, else its current revision.
    `happened`: the command is an import, so permissions and rules about the present do not apply.
    """

    viewer: Viewer = field(repr=False)
    submission: Submission
    expected_revision: int | None = None
    origin: Origin | None = None
    imported: bool = False
