"""Delivers messages over HTTP; domain.md, section 8.7.

No redirect is followed and no proxy of the environment is used: a message goes where its receiver
said, or nowhere.
"""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gateway.outgoing.answers import Answer
from gateway.outgoing.resolving import Resolve, Resolver
from gateway.shares import Turns
from resolvers.notifications.urls import WrongUrl, receiver

if TYPE_CHECKING:
    import httpcore

    from gateway.outgoing.attempts import Attempts

SECONDS: Final = 5.0
"""For a whole attempt, from looking up the name to the last byte that is read."""

MOST_CONNECTIONS: Final = 128
"""Of this process, to all receivers; attempts wait for one of the `turns` first."""


class HttpSender:
    """Sends requests, many at a time; connections are kept for the next to the same receiver."""

    def __init__(
        self,
        *,
        local: bool = False,
        ports: frozenset[int] = frozenset(),
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
        network: "httpcore.AsyncNetworkBackend | None" = None,
        seconds: float = SECONDS,
    ) -> None:
        self._local, self._ports, self._seconds = local, ports, seconds
        self._tls, self._network = tls, network
        self._resolver = Resolver()
        self._resolve = resolve or self._resolver
        self._attempts: Attempts | None = None
        self.turns = Turns(MOST_CONNECTIONS)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body once, in a turn. Nothing that a receiver does is an exception."""
        try:
            to = receiver(url, local=self._local, ports=self._ports)
        except WrongUrl as wrong:
            return Answer(error=f"the URL {wrong}")
        if self._attempts is None:
            self._attempts = self._made()
        return await self._attempts.make(to, headers, body)

    async def aclose(self) -> None:
        """Close what is open; nothing may be under way."""
        if self._attempts is not None:
            await self._attempts.aclose()
        self._resolver.close()

    def _made(self) -> "Attempts":
        """Made for the first message: httpcore and its certificates take 60 ms of CPU."""
        from gateway.outgoing.attempts import Attempts

        return Attempts(
            local=self._local,
            tls=self._tls,
            resolve=self._resolve,
            network=self._network,
            seconds=self._seconds,
        )
