"""The mutations of notifications, and their payloads."""

import strawberry

from resolvers.notifications.endpoints import KEY, register, remove, rotate
from resolvers.notifications.redelivering import redeliver
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.errors import UserError
from schema.grammar.fields import attribute
from schema.grammar.inputs import Input
from schema.grammar.payloads import ERRORS, DeletePayload, written
from schema.notifications.inputs import (
    RedeliverInput,
    RegisterNotificationInput,
    RemoveNotificationInput,
    RotateNotificationKeyInput,
)
from schema.notifications.types import NotificationDelivery, NotificationEndpoint


@object_type(description="What became of an endpoint that is made or gets another key.")
class NotificationPayload:
    endpoint: NotificationEndpoint | None = attribute(
        description="As it is now; null when refused."
    )
    notification_key: str | None = attribute(
        description="The secret that signs each message. Shown only when the endpoint is created "
        "or its key is rotated: null with errors, and when an identical endpoint already exists."
    )
    errors: list[UserError] = attribute(description=ERRORS)


@object_type(description="What became of a message that is to be sent again.")
class RedeliverPayload:
    delivery: NotificationDelivery | None = attribute(
        description="As it is now; null when refused."
    )
    errors: list[UserError] = attribute(description=ERRORS)


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
        return await _payload(info, await submit(info, register, input, **allowed))

    @strawberry.mutation(
        description="Give an endpoint a new key; for an hour the one before is valid too. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def rotate_notification_key(
        self, info: Info, input: Input[RotateNotificationKeyInput]
    ) -> NotificationPayload | None:
        return await _payload(info, await submit(info, rotate, input))

    @strawberry.mutation(
        description="Tell an endpoint nothing any more; what waits is given up. Needs "
        "MANAGE_NOTIFICATIONS."
    )
    async def remove_notification(
        self, info: Info, input: Input[RemoveNotificationInput]
    ) -> DeletePayload | None:
        answer = await submit(info, remove, input)
        return DeletePayload.of("NotificationEndpoint", answer)

    @strawberry.mutation(
        description="Send a message again, under the same id and for another 48 hours; one that "
        "waits is tried at once. Needs MANAGE_NOTIFICATIONS."
    )
    async def redeliver(self, info: Info, input: Input[RedeliverInput]) -> RedeliverPayload | None:
        answer = await submit(info, redeliver, input)
        return RedeliverPayload(
            delivery=await written(info, "NotificationDelivery", answer), errors=answer.errors
        )


async def _payload(info: Info, answer: Answer) -> NotificationPayload:
    return NotificationPayload(
        endpoint=await written(info, "NotificationEndpoint", answer),
        notification_key=answer.fact(KEY),
        errors=answer.errors,
    )
