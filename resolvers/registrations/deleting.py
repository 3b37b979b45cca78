"""Takes registrations back: only their record remains, and their identifier stays used `[002]`."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings import loading
from resolvers.bookings.actions import ActionContext, require
from resolvers.bookings.versions import next_version
from resolvers.changes import Cause, record_booking
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import look_up
from resolvers.refusals import Refused, ValidationErrors, attempt
from resolvers.registrations.commands import DeleteRegistration
from resolvers.registrations.facts import registration_facts
from resolvers.registrations.finding import registration
from resolvers.registrations.transitions import TRANSITIONS
from resolvers.storage.tables import Booking
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import BookingStatus, ChangeType, Permission


@requires(Permission.DELETE)
def delete(work: UnitOfWork, commands: Sequence[DeleteRegistration]) -> list[Outcome | Refused]:
    """Delete each registration and free its seat; one that is deleted already is left as it is.

    Refusals: PermissionRefusal, RegistrationNotFound; IllegalState.
    """
    found = look_up(work, Booking, ((c.viewer, c.registration) for c in commands))
    locked: dict[UUID, Booking] = loading.lock(work, Booking, loading.keys_of(found.rows()))
    settings = loading.settings(work, {c.viewer.organization_id for c in commands})

    def remove(command: DeleteRegistration) -> Outcome:
        stage, viewer = ValidationErrors(), command.viewer
        booking = stage.of(registration, found, locked, viewer, command.registration)
        stage.settle()
        assert booking is not None
        if booking.status is BookingStatus.DELETED:
            return Outcome(booking.id, changed=False)
        situation = ActionContext(booking, settings[booking.organization_id], work.now)
        require(TRANSITIONS, "delete", situation, viewer, "registration")
        deleted = next_version(
            booking,
            work.now,
            status=BookingStatus.DELETED,
        )
        locked[booking.id] = deleted
        work.save(Booking, [(booking, deleted)])
        record_booking(
            work,
            ChangeType.DELETED,
            Cause(viewer, command.origin),
            before=booking,
            after=deleted,
            facts_before=registration_facts(booking),
            facts_after=registration_facts(deleted),
        )
        return Outcome(booking.id)

    return [attempt(remove, command) for command in commands]
