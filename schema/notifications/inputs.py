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
from schema.grammar.inputs import IDEMPOTENCY_KEY, ORIGIN, OriginInput, given, origin_of
from schema.grammar.references import ref_of
from schema.grammar.scalars import URL, EmailAddress


@input_type(description="The endpoint to register: which changes to send, and where.")
class RegisterNotificationInput:
    topics: list[NotificationTopic] = attribute(description="Topics to send, at least one.")
    channel: NotificationChannel = attribute(description="How to deliver the notifications.")
    url: URL | None = described(
        "URL to post messages to: https, on the public internet, at port 443 or another "
        "port that the deployment allows, at most 2,000 characters. Required for "
        "HTTP_JSON and HTTP_XML; not allowed for HTML_EMAIL."
    )
    email: EmailAddress | None = described(
        "Email address for notifications. Required for HTML_EMAIL. With a URL, it "
        "receives reports of messages that could not be delivered."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

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
            origin=origin_of(self.origin),
        )


@input_type(description="The endpoint that needs a new key.")
class RotateNotificationKeyInput:
    endpoint_id: strawberry.ID = attribute(
        description="Global id of the endpoint that gets a new key."
    )
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RotateKey:
        endpoint = ref_of(self.endpoint_id, "NotificationEndpoint")
        return RotateKey(viewer=viewer, endpoint=endpoint, origin=origin_of(self.origin))


@input_type(description="The endpoint to remove.")
class RemoveNotificationInput:
    endpoint_id: strawberry.ID = attribute(description="Global id of the endpoint to remove.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> RemoveEndpoint:
        endpoint = ref_of(self.endpoint_id, "NotificationEndpoint")
        return RemoveEndpoint(viewer=viewer, endpoint=endpoint, origin=origin_of(self.origin))


@input_type(description="The message to send again.")
class RedeliverInput:
    delivery_id: strawberry.ID = attribute(description="Global id of the delivery to repeat.")
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> Redeliver:
        delivery = ref_of(self.delivery_id, "NotificationDelivery")
        return Redeliver(viewer=viewer, delivery=delivery, origin=origin_of(self.origin))
