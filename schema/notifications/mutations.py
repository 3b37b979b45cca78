"""The mutations of notifications, and their payloads."""

import strawberry

from resolvers.notifications.endpoints import KEY, register, remove, rotate
from resolvers.notifications.redelivering import redeliver
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.payloads import CommandPayload, DeletePayload, payload_type, result_of, written
from schema.notifications.inputs import (
    RedeliverInput,
    RegisterNotificationInput,
    RemoveNotificationInput,
    RotateNotificationKeyInput,
)
from schema.notifications.types import NotificationDelivery, NotificationEndpoint


@payload_type(description="Result of registering an endpoint or rotating its key.")
class NotificationPayload(CommandPayload):
    endpoint: NotificationEndpoint | None = attribute(
        description="The endpoint. Null if there are errors."
    )
    notification_key: str | None = attribute(
        description="Secret that signs each message. Shown only when the endpoint is "
        "created or its key is rotated. Null if there are errors, or if an "
        "identical endpoint already exists."
    )


@payload_type(description="Result of redeliver.")
class RedeliverPayload(CommandPayload):
    delivery: NotificationDelivery | None = attribute(
        description="The delivery with its new status. Null if there are errors."
    )


@object_type
class NotificationMutations:
    @strawberry.mutation(
        description="Registers an endpoint that receives changes by HTTP or email from "
        "now on. Only changes you may see are sent. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def register_notification(
        self, info: Info, input: RegisterNotificationInput
    ) -> NotificationPayload | None:
        context = info.context
        allowed = {"local": context.local_notifications, "ports": context.notification_ports}
        return await _payload(info, await submit(info, register, input, **allowed))

    @strawberry.mutation(
        description="Gives an endpoint a new key. The previous key stays valid for an "
        "hour. Needs MANAGE_NOTIFICATIONS."
    )
    async def rotate_notification_key(
        self, info: Info, input: RotateNotificationKeyInput
    ) -> NotificationPayload | None:
        return await _payload(info, await submit(info, rotate, input))

    @strawberry.mutation(
        description="Removes an endpoint. Messages that wait are discarded. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def remove_notification(
        self, info: Info, input: RemoveNotificationInput
    ) -> DeletePayload | None:
        answer = await submit(info, remove, input)
        return DeletePayload.of("NotificationEndpoint", answer)

    @strawberry.mutation(
        description="Sends a message again with the same id, and retries it for 48 "
        "hours. A message that waits is sent at once. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def redeliver(self, info: Info, input: RedeliverInput) -> RedeliverPayload | None:
        answer = await submit(info, redeliver, input)
        return RedeliverPayload(
            delivery=await written(info, "NotificationDelivery", answer), **result_of(answer)
        )


async def _payload(info: Info, answer: Answer) -> NotificationPayload:
    return NotificationPayload(
        endpoint=await written(info, "NotificationEndpoint", answer),
        notification_key=answer.fact(KEY),
        **result_of(answer),
    )
