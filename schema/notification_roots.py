"""What can be asked about, and done to, endpoints and deliveries of notifications."""

import strawberry

from resolvers.notifications.commands import (
    Redeliver,
    RegisterNotification,
    RemoveEndpoint,
    RotateKey,
)
from resolvers.notifications.endpoints import KEY, register, remove, rotate
from resolvers.notifications.reads import notification_endpoints
from resolvers.notifications.redelivering import redeliver
from resolvers.viewer import Viewer
from resolvers.vocabulary import NotificationChannel, NotificationTopic
from schema.commands import Answer, ask
from schema.context import Info
from schema.declaring import input_type, object_type
from schema.errors import BookingError
from schema.fields import attribute, described
from schema.inputs import ORIGIN, Input, OriginInput, given, origin_of
from schema.notifications import NotificationDelivery, NotificationEndpoint
from schema.payloads import ERRORS, DeletePayload, written
from schema.references import ref_of
from schema.scalars import URL, EmailAddress


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


@object_type(description="What became of an endpoint that is made or gets another key.")
class NotificationPayload:
    endpoint: NotificationEndpoint | None = attribute(
        description="As it is now; null when refused."
    )
    notification_key: str | None = attribute(
        description="The secret that signs each message. Shown only when the endpoint is created "
        "or its key is rotated: null with errors, and when an identical endpoint already exists."
    )
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type(description="What became of a message that is to be sent again.")
class RedeliverPayload:
    delivery: NotificationDelivery | None = attribute(
        description="As it is now; null when refused."
    )
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type
class NotificationQueries:
    @strawberry.field(
        description="The endpoints that you may see, oldest first. Needs MANAGE_NOTIFICATIONS."
    )
    async def notification_endpoints(self, info: Info) -> list[NotificationEndpoint] | None:
        rows = await info.context.read(notification_endpoints(info.context.viewer))
        return [NotificationEndpoint.of(row) for row in rows]


@object_type
class NotificationMutations:
    @strawberry.mutation(
        description="Have changes told to a URL or by email, from now on. What is told is what you "
        "may see. Needs MANAGE_NOTIFICATIONS."
    )
    async def register_notification(
        self, info: Info, input: Input[RegisterNotificationInput]
    ) -> NotificationPayload | None:
        context = info.context
        allowed = {"local": context.local_notifications, "ports": context.notification_ports}
        return await _payload(info, await ask(info, register, input, **allowed))

    @strawberry.mutation(
        description="Give an endpoint a new key; for an hour the one before is valid too. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def rotate_notification_key(
        self, info: Info, input: Input[RotateNotificationKeyInput]
    ) -> NotificationPayload | None:
        return await _payload(info, await ask(info, rotate, input))

    @strawberry.mutation(
        description="Tell an endpoint nothing any more; what waits is given up. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def remove_notification(
        self, info: Info, input: Input[RemoveNotificationInput]
    ) -> DeletePayload | None:
        answer = await ask(info, remove, input)
        return DeletePayload.of("NotificationEndpoint", answer)

    @strawberry.mutation(
        description="Send a message again, under the same id and for another 48 hours; one that "
        "waits is tried at once. Needs MANAGE_NOTIFICATIONS."
    )
    async def redeliver(self, info: Info, input: Input[RedeliverInput]) -> RedeliverPayload | None:
        answer = await ask(info, redeliver, input)
        return RedeliverPayload(
            delivery=await written(info, "NotificationDelivery", answer), errors=answer.errors
        )


async def _payload(info: Info, answer: Answer) -> NotificationPayload:
    return NotificationPayload(
        endpoint=await written(info, "NotificationEndpoint", answer),
        notification_key=answer.fact(KEY),
        errors=answer.errors,
    )
