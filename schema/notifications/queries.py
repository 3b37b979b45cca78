"""The queries of notifications."""

import strawberry

from resolvers.notifications.reads import notification_endpoints
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.notifications.types import NotificationEndpoint


@object_type
class NotificationQueries:
    @strawberry.field(
        description="Notification endpoints that you may see, oldest first. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def notification_endpoints(self, info: Info) -> list[NotificationEndpoint] | None:
        rows = await info.context.read(notification_endpoints(info.context.viewer))
        return [NotificationEndpoint.of(row) for row in rows]
