"""Endpoints that receive notifications of changes, and their sent and pending notifications."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers.notifications import reads
from resolvers.notifications.reads import OLDEST_FIRST
from resolvers.notifications.shown import shown_body
from resolvers.notifications.topics import TOPIC_NAMES
from resolvers.vocabulary import DeliveryStatus, NotificationChannel, NotificationTopic
from schema.grammar.connections import Connection
from schema.grammar.declaring import object_type
from schema.grammar.fields import column, derived
from schema.grammar.inputs import given
from schema.grammar.lists import PageArguments, listed, listing
from schema.grammar.node import Node
from schema.grammar.scalars import URL, EmailAddress

STATUS = Annotated[
    DeliveryStatus | None,
    strawberry.argument(description="Only deliveries with one of these statuses. By default, all."),
]


def _topics(kept: Iterable[str]) -> list[NotificationTopic]:
    return [NotificationTopic(topic) for topic in kept]


@object_type(description="Delivery of one change to one endpoint.")
class NotificationDelivery(Node):
    topic: NotificationTopic = column(description="Topic of the change.")
    topic_name: str = derived(
        "topic",
        by=lambda topic: TOPIC_NAMES[topic],
        description='Topic as the message names it, e.g. "Booking:Success".',
    )
    status: DeliveryStatus = column(description="Status of the delivery.")
    attempts: int = column(description="Number of attempts since the delivery was last requested.")
    last_http_status: int | None = column(
        description="HTTP status of the last response. Null if there was none."
    )
    last_error: str | None = column(description="Why the last attempt failed.")
    next_attempt_at: datetime | None = column(
        description="Time of the next attempt. Null if the message was delivered or has failed."
    )
    created_at: datetime = column(description="Time when the message was created.")
    delivered_at: datetime | None = column(
        description="Time when the receiver accepted the message. Null until then."
    )
    body: str = derived(
        "channel",
        "topic",
        "content",
        by=shown_body,
        description="Body of the message. For emails, the HTML.",
    )


@object_type(
    description="An endpoint that receives changes. Users with a restricted scope see "
    "only their own endpoints. The key is shown only once, when the endpoint "
    "is registered."
)
class NotificationEndpoint(Node):
    topics: list[NotificationTopic] = column(
        convert=_topics, description="Topics that are sent to the endpoint."
    )
    channel: NotificationChannel = column(description="How messages are delivered to the endpoint.")
    url: URL | None = column(description="URL that messages are posted to. Null for emails.")
    email: EmailAddress | None = column(
        description="Email address for notifications, or for reports of failed messages "
        "if there is a URL."
    )
    active: bool = column(description="True if notifications are sent to the endpoint.")
    disabled_reason: str | None = column(
        description="Why it is not active: it has answered 410, all attempts have failed for three "
        "days, or its user is no longer active or no longer has MANAGE_NOTIFICATIONS. Null while "
        "it is active. A disabled endpoint stays disabled, also if its user is activated again."
    )

    @listed("id", description="Deliveries to the endpoint, oldest first.")
    def deliveries(
        self,
        page: PageArguments,
        status: STATUS = UNSET,
    ) -> Connection[NotificationDelivery]:
        request = page.request(OLDEST_FIRST)
        of_status = given(status)
        return listing(
            request,
            ("deliveries", of_status),
            NotificationDelivery.of,
            lambda viewer, keys: reads.deliveries_of_each(viewer, keys, request, of_status),
            lambda viewer, keys: reads.count_of_deliveries_of_each(viewer, keys, of_status),
            key="endpoint_id",
        )
