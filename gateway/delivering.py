"""Delivers a claimed notification through its channel (domain.md, section 8.7)."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from gateway.outgoing.answers import Answer
from gateway.outgoing.http import HttpSender
from resolvers.notifications import messages
from resolvers.notifications.shown import email_of
from resolvers.outcomes import Outcome
from resolvers.storage import Clock
from resolvers.values import frozen
from resolvers.vocabulary import NotificationChannel, NotificationTopic

if TYPE_CHECKING:
    from gateway.outgoing.mail import MailSender

NO_MAIL_SERVER: Final = "there is no mail server: GATEWAY_SMTP_URL is not set"

REFUSES_THE_KEY: Final = frozenset({401, 403})
"""The status with which a receiver rejects a key (X-5). It may not know the newest key yet."""


@frozen
class Delivery:
    """A claimed message and its destination. `keys` are the valid keys, newest first."""

    id: UUID
    lease: UUID
    topic: NotificationTopic
    channel: NotificationChannel
    content: Mapping[str, Any]
    url: str | None
    email: str | None
    keys: Sequence[str]


def deliveries_of(claimed: Outcome) -> list[Delivery]:
    """What `resolvers.notifications.delivering.claim` has given."""
    facts = claimed.facts
    return [
        Delivery(
            id=UUID(one["id"]),
            lease=UUID(one["lease"]),
            topic=NotificationTopic(one["topic"]),
            channel=NotificationChannel(one["channel"]),
            content=one["content"],
            url=facts["url"],
            email=facts["email"],
            keys=facts["keys"],
        )
        for one in facts["deliveries"]
    ]


class Deliverer:
    """Sends by HTTP, and by email if a mail server is configured. Close it when the work ends."""

    def __init__(self, http: HttpSender, mail: "MailSender | None", clock: Clock) -> None:
        self._http, self._mail, self._clock = http, mail, clock

    async def __aenter__(self) -> "Deliverer":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    def turn(self, delivery: Delivery, organization_id: UUID) -> AbstractAsyncContextManager[None]:
        """The free connection that an attempt waits for and holds."""
        if delivery.channel is not NotificationChannel.HTML_EMAIL:
            return self._http.turns.of(organization_id)
        return nullcontext() if self._mail is None else self._mail.turns.of(organization_id)

    async def deliver(self, delivery: Delivery) -> Answer:
        """Make one attempt during a `turn`. Failures of the receiver are returned, not raised."""
        if delivery.channel is NotificationChannel.HTML_EMAIL:
            return Answer(error=await self._by_email(delivery))
        return await self._by_http(delivery)

    async def _by_http(self, delivery: Delivery) -> Answer:
        """Send with the newest key, and again with the previous key if the newest is rejected."""
        assert delivery.url is not None
        sent = messages.body(delivery.channel, delivery.topic, delivery.content).encode()
        answer = Answer()
        for key in delivery.keys:
            answer = await self._http.send(delivery.url, self._headers(delivery, sent, key), sent)
            if answer.status not in REFUSES_THE_KEY:
                break
        return answer

    def _headers(self, delivery: Delivery, sent: bytes, key: str) -> dict[str, str]:
        now: datetime = self._clock()
        return messages.headers(
            delivery.channel, delivery.content, sent, key=key, delivery_id=delivery.id, at=now
        )

    async def _by_email(self, delivery: Delivery) -> str | None:
        if self._mail is None:
            return NO_MAIL_SERVER
        assert delivery.email is not None
        return await self._mail.send(delivery.email, email_of(delivery.topic, delivery.content))
