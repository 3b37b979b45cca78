"""Wake-ups through pub/sub of Redis or Valkey."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.wakeups.linked import Link, OpenLink

ANSWER_SECONDS: Final = 5.0
"""The timeout for a response of the server. After the same time without a hint, it is pinged."""


class DoesNotAnswer(Exception):
    """The server is connected but does not respond."""


def linked_through_redis(url: str, *, seconds: float = ANSWER_SECONDS) -> OpenLink:
    """Opens links to the server at an address.

    Its database number, 0 by default, is part of the channel's name: gateways of different
    databases that share a server need different numbers.
    """

    @asynccontextmanager
    async def open_link() -> AsyncIterator[Link]:
        client: Any = Redis.from_url(
            url,
            protocol=2,  # what every version speaks
            retry=Retry(NoBackoff(), 0),  # a lost link is opened again as a whole
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            socket_keepalive=True,
        )
        number = client.connection_pool.connection_kwargs.get("db") or 0
        channel = f"booking-gateway:{number}:changes"
        async with client, client.pubsub() as listening:
            await listening.subscribe(channel)
            if await listening.get_message(timeout=seconds) is None:
                raise DoesNotAnswer
            yield _Subscribed(client, listening, channel, seconds)

    return open_link


class _Subscribed:
    """A connection that has subscribed, and a pool with one that publishes."""

    def __init__(self, client: "Redis", listening: PubSub, channel: str, seconds: float) -> None:
        self._client = client
        self._listening = listening
        self._channel = channel
        self._seconds = seconds

    async def send(self, hint: str) -> None:
        await self._client.publish(self._channel, hint)

    async def hear(self, heard: Callable[[str], None]) -> NoReturn:
        is_asked = False
        while True:
            message = await self._listening.get_message(timeout=self._seconds)
            if message is not None:
                is_asked = False
                if message["type"] == "message":
                    heard(message["data"].decode(errors="replace"))
            elif is_asked:
                raise DoesNotAnswer
            else:
                await self._listening.ping()
                is_asked = True
