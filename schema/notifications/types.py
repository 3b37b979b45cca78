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
    strawberry.argument(description="Only those that stand so; all unless given."),
]


def _topics(kept: Iterable[str]) -> list[NotificationTopic]:
    return [NotificationTopic(topic) for topic in kept]


@object_type(description="One change, told or still to be told to one endpoint.")
class NotificationDelivery(Node):
    topic: NotificationTopic = column(description="What it is about.")
    topic_name: str = derived(
        "topic",
        by=lambda topic: TOPIC_NAMES[topic],
        description="The topic as the message says it.",
    )
    status: DeliveryStatus = column(description="Where it stands.")
    attempts: int = column(description="How often it was tried, since it was last asked for.")
    last_http_status: int | None = column(
        description="What the last attempt was answered with; null without an answer."
    )
    last_error: str | None = column(
        description="Why the last attempt failed, or why it was given up; null without a failure."
    )
    next_attempt_at: datetime | None = column(
        description="When it is tried next; null once it is delivered or given up."
    )
    created_at: datetime = column(description="When the change was made.")
    delivered_at: datetime | None = column(description="When it was accepted; null until it is.")
    body: str = derived(
        "channel",
        "topic",
        "content",
        by=shown_body,
        description="The message itself; of an email its HTML.",
    )


@object_type(
    description="Where changes are told. Whoever is confined sees their own user's only. Its "
    "key is shown once, when it is made."
)
class NotificationEndpoint(Node):
    topics: list[NotificationTopic] = column(convert=_topics, description="What it is told about.")
    channel: NotificationChannel = column(description="How it is told.")
    url: URL | None = column(description="Where messages are posted; null for emails.")
    email: EmailAddress | None = column(
        description="Where emails go; beside a URL those about messages that were given up. Null "
        "where not given."
    )
    active: bool = column(description="Whether it is told anything.")
    disabled_reason: str | None = column(
        description="Why it is not active: it has answered 410, all attempts have failed for three "
        "days, or its user is no longer active or no longer has MANAGE_NOTIFICATIONS. Null while "
        "it is active. A disabled endpoint stays disabled, also if its user is activated again."
    )

    @listed("id", description="What was, and is to be, told to it, oldest first.")
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
