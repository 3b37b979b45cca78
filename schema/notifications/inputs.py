"""Inputs of the mutations of notifications."""

import strawberry

from resolvers.notifications.commands import (
    Redeliver,
    RegisterNotification,
    RemoveEndpoint,
    RotateKey,
)
from resolvers.viewer import Viewer
from resolvers.vocabulary import NotificationChannel, NotificationTopic
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import ORIGIN, OriginInput, given, origin_of
from schema.grammar.references import ref_of
from schema.grammar.scalars import URL, EmailAddress


@input_type(description="Whom to tell of which changes, and how.")
class RegisterNotificationInput:
    topics: list[NotificationTopic] = attribute(description="What to tell; at least one topic.")
    channel: NotificationChannel = attribute(description="How to tell it.")
    url: URL | None = described(
        "Where to post messages: https, to the public internet, at port 443 or another that the "
        "deployment allows, at most 2,000 characters. Required for HTTP, to be left out for emails."
    )
    email: EmailAddress | None = described(
        "Where to send emails. Required for them; beside a URL it is told of messages that could "
        "not be delivered there."
    )

    def to_command(
        self, viewer: Viewer, *, local: bool, ports: frozenset[int]
    ) -> RegisterNotification:
        return RegisterNotification(
            viewer=viewer,
            topics=tuple(self.topics),
            channel=self.channel,
            url=given(self.url),
            email=given(self.email),
            local=local,
            ports=ports,
        )


@input_type(description="Which endpoint gets another key.")
class RotateNotificationKeyInput:
    endpoint_id: strawberry.ID = attribute(description="The endpoint.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RotateKey:
        endpoint = ref_of(self.endpoint_id, "NotificationEndpoint")
        return RotateKey(viewer=viewer, endpoint=endpoint, origin=origin_of(self.origin))


@input_type(description="Which endpoint is told nothing any more.")
class RemoveNotificationInput:
    endpoint_id: strawberry.ID = attribute(description="The endpoint.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RemoveEndpoint:
        endpoint = ref_of(self.endpoint_id, "NotificationEndpoint")
        return RemoveEndpoint(viewer=viewer, endpoint=endpoint, origin=origin_of(self.origin))


@input_type(description="Which message is sent again.")
class RedeliverInput:
    delivery_id: strawberry.ID = attribute(description="The delivery.")
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> Redeliver:
        delivery = ref_of(self.delivery_id, "NotificationDelivery")
        return Redeliver(viewer=viewer, delivery=delivery, origin=origin_of(self.origin))
