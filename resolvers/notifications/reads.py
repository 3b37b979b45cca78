"""Reads of endpoints and their deliveries. Only the worker reads keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.notifications.visible import visible_to
from resolvers.reading import (
    ORGANIZATION,
    count_of_each,
    first_of_each,
    of_organization,
    rows_by,
)
from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.paging import Ordering, PageRequest, Term
from resolvers.storage.read import Read
from resolvers.storage.tables import NotificationDelivery, NotificationEndpoint, columns, table
from resolvers.viewer import Viewer
from resolvers.vocabulary import DeliveryStatus, Permission

OLDEST_FIRST = Ordering("deliveries", (Term("created_at", datetime), Term("id", UUID)))


def notification_endpoints(viewer: Viewer) -> Read[NotificationEndpoint]:
    """The endpoints that the viewer may see, oldest first; at most 500.

    Raises: PermissionRefusal.
    """
    viewer.require(Permission.MANAGE_NOTIFICATIONS, "notificationEndpoints")
    visible = visible_to(viewer)

    def build(_: str) -> sa.Select[Any]:
        c = columns(NotificationEndpoint)
        return (
            sa.select(table(NotificationEndpoint))
            .where(of_organization(NotificationEndpoint), visible.narrow())
            .order_by(c.created_at, c.id)
        )

    values = {ORGANIZATION: viewer.organization_id}
    return Read("notification endpoints", build, values, narrowing=visible)


def endpoints_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[NotificationEndpoint]:
    return rows_by(NotificationEndpoint, "id", viewer, keys, visible_to(viewer))


def deliveries_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[NotificationDelivery]:
    return rows_by(NotificationDelivery, "id", viewer, keys, deliveries_visible_to(viewer))


def deliveries_of_each(
    viewer: Viewer, keys: Sequence[UUID], page: PageRequest, status: DeliveryStatus | None
) -> Read[NotificationDelivery]:
    """The page's deliveries of each endpoint; for endpoints that are visible."""
    return first_of_each(
        NotificationDelivery, "endpoint_id", viewer, keys, page, _in_status(status)
    )


def count_of_deliveries_of_each(
    viewer: Viewer, keys: Sequence[UUID], status: DeliveryStatus | None
) -> Read[Any]:
    """The number of deliveries of each endpoint, as `parent_id` and `total`."""
    return count_of_each(NotificationDelivery, "endpoint_id", viewer, keys, _in_status(status))


def deliveries_visible_to(viewer: Viewer) -> Narrowing:
    """Deliveries to endpoints that the viewer may see."""
    visible = visible_to(viewer)

    def narrow() -> sa.ColumnElement[bool]:
        d, e = columns(NotificationDelivery), columns(NotificationEndpoint)
        return (
            sa.select(sa.literal_column("1"))
            .select_from(table(NotificationEndpoint))
            .where(e.organization_id == d.organization_id, e.id == d.endpoint_id, visible.narrow())
            .exists()
        )

    return Narrowing(("of visible", visible.shape), narrow, visible.values)


def _in_status(status: DeliveryStatus | None) -> Narrowing:
    if status is None:
        return UNRESTRICTED
    named = sa.literal_column(f"'{status}'", sa.String())
    return Narrowing(status, lambda: columns(NotificationDelivery).status == named)
