"""Sends messages again: delivered, failed and waiting ones."""

from collections.abc import Sequence
from uuid import UUID

from resolvers.bookings.loading import lock
from resolvers.notifications.commands import Redeliver
from resolvers.notifications.followers import reschedule_followers
from resolvers.notifications.visible import is_visible
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import look_up, named
from resolvers.refusals import NotFoundRefusal, Refused, StateRefusal, attempt
from resolvers.storage.rows import changed
from resolvers.storage.tables import NotificationDelivery, NotificationEndpoint
from resolvers.storage.tables.notifications import TRIED_FOR
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import DeliveryStatus, ErrorCode, Permission

WAITING = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.RETRYING})


class EndpointNotActive(StateRefusal):
    """This endpoint is disabled. Register a new endpoint."""

    code = ErrorCode.ILLEGAL_STATE


@requires(Permission.MANAGE_NOTIFICATIONS)
def redeliver(work: UnitOfWork, commands: Sequence[Redeliver]) -> list[Outcome | Refused]:
    """Queue each delivery again for 48 hours under its own id. A waiting delivery becomes due now.

    Refusals: PermissionRefusal, Invalid, NotFoundRefusal; EndpointNotActive.
    """
    found = look_up(work, NotificationDelivery, ((c.viewer, c.delivery) for c in commands))
    rows = found.rows()
    endpoints: dict[UUID, NotificationEndpoint] = lock(
        work, NotificationEndpoint, {(row.organization_id, row.endpoint_id) for row in rows}
    )
    before: dict[UUID, NotificationDelivery] = lock(
        work, NotificationDelivery, ((row.organization_id, row.id) for row in rows)
    )
    now = dict(before)

    def queue(command: Redeliver) -> Outcome:
        viewer, path = command.viewer, ("delivery",)
        delivery = now[found.one(viewer, command.delivery, *path).id]
        endpoint = endpoints[delivery.endpoint_id]
        if endpoint.removed_at is not None or not is_visible(viewer, endpoint):
            identifier = named(command.delivery)
            raise NotFoundRefusal(*path, object_type="NotificationDelivery", identifier=identifier)
        if not endpoint.active:
            raise EndpointNotActive(*path, version=0)
        now[delivery.id] = _due(delivery, work)
        return Outcome(delivery.id, changed=now[delivery.id] != delivery)

    outcomes = [attempt(queue, command) for command in commands]
    work.save(NotificationDelivery, [(row, now[key]) for key, row in before.items()])
    work.flush()
    for key in before:
        if before[key].status in WAITING and now[key] != before[key]:
            reschedule_followers(work, now[key])
    return outcomes


def _due(delivery: NotificationDelivery, work: UnitOfWork) -> NotificationDelivery:
    """A delivery that is due now. A claimed delivery stays with its worker."""
    if delivery.status in WAITING:
        return changed(delivery, next_attempt_at=work.now)
    return changed(
        delivery,
        status=DeliveryStatus.QUEUED,
        attempts=0,
        last_http_status=None,
        last_error=None,
        next_attempt_at=work.now,
        give_up_at=work.now + TRIED_FOR,
        delivered_at=None,
    )
