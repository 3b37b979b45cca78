"""Subscriptions over HTTP: a response that has a part for each result, until either side ends it.

Each stream has two tasks: one waits for results and sends them, the other waits for the client to
disconnect, sends heartbeats, and ends the stream when its token expires.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing
from typing import Final

from graphql import ExecutionResult
from starlette.types import Message, Receive, Scope, Send

from gateway import errors
from gateway.auth import Authenticator, TokenExpired, Unauthenticated
from gateway.deliveries import Deliveries
from gateway.fanout import Hub, deliveries
from gateway.framing import FRAMINGS, Framing
from gateway.incoming.protocol import WHEN_STOPPING
from gateway.operations import Operations
from gateway.quotas import Quotas
from gateway.request import GraphQLRequest
from gateway.security_headers import HEADERS
from gateway.subscribed import ActiveSubscription
from resolvers.storage import Clock
from resolvers.viewer import Viewer
from schema.grammar.context import Context

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = (1.0, 3.0)
"""A client that is cut off reconnects after a time between these two."""

RESTART_SECONDS: Final = (1.0, 5.0)
"""The same at a stop, when all clients are cut off."""

STREAM_HEADERS: Final[Mapping[str, str]] = {
    **HEADERS,
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx passes each frame on at once
}

Begin = Callable[[], Awaitable[ExecutionResult | Deliveries]]
"""Carries out a subscription."""


class Stream:
    """The response to one subscription, as an ASGI application.

    `places` is what the viewer holds until the end of the response. `seconds_left` is the time
    until the token expires.
    """

    def __init__(
        self,
        framing: Framing,
        begin: Begin,
        places: AbstractContextManager[object],
        *,
        seconds_left: float,
        heartbeat_seconds: float,
    ) -> None:
        self._framing = framing
        self._begin = begin
        self._places = places
        self._loop = asyncio.get_running_loop()
        self._expires_at = self._loop.time() + seconds_left
        self._heartbeat_seconds = heartbeat_seconds
        self._sent_at = 0.0
        self._timer: asyncio.Timeout | None = None
        self._is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, until the subscription, its token, the client or the server ends."""
        scope.get("state", {}).get(WHEN_STOPPING, lambda _: None)(self.stop)
        with self._places:
            await self._respond(receive, send)

    async def _respond(self, receive: Receive, send: Send) -> None:
        await send(self._start())
        await self._send(send, self._framing.begin(_chance(RETRY_SECONDS)))
        delivering = asyncio.create_task(self._deliver(send), name="graphql subscription")
        delivering.add_done_callback(lambda _: self._wake())
        try:
            end = await self._until_end(receive, send, delivering)
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
        if end is not None:
            await self._send(send, end, is_last=True)

    def stop(self) -> None:
        """End the response because the server stops: the client reconnects after some seconds."""
        self._is_stopping = True
        self._wake()

    def _start(self) -> Message:
        headers = {**STREAM_HEADERS, "content-type": self._framing.content_type}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        return {"type": "http.response.start", "status": 200, "headers": raw}

    async def _send(self, send: Send, frame: bytes, *, is_last: bool = False) -> None:
        """Send a frame, and wait while the client is slow."""
        self._sent_at = self._loop.time()
        await send({"type": "http.response.body", "body": frame, "more_body": not is_last})

    async def _deliver(self, send: Send) -> bytes:
        """Send the results of the subscription; the frames to end the response with."""
        try:
            result = await self._begin()
            if isinstance(result, ExecutionResult):
                return self._framing.failed(errors.answer(result))
            async with aclosing(result) as deliveries:
                async for delivery in deliveries:
                    await self._send(send, self._framing.result(delivery))
        except Unauthenticated as no:
            return self._framing.revoked([unauthenticated(no)])
        except Exception as error:
            return self._framing.failed({"errors": errors.of_exception(error)})
        return self._framing.complete()

    async def _until_end(
        self, receive: Receive, send: Send, delivering: "asyncio.Task[bytes]"
    ) -> bytes | None:
        """Wait for the end, and return its frames; None once the client has disconnected."""
        while not delivering.done():
            if self._is_stopping:
                return self._framing.restart(_chance(RESTART_SECONDS))
            now = self._loop.time()
            if now >= self._expires_at:
                return self._framing.revoked([unauthenticated(TokenExpired())])
            if now >= self._sent_at + self._heartbeat_seconds:
                await self._send(send, self._framing.heartbeat())
                continue
            wake_at = min(self._sent_at + self._heartbeat_seconds, self._expires_at)
            if await self._has_disconnected(receive, wake_at):
                return None
        return delivering.result()

    async def _has_disconnected(self, receive: Receive, wake_at: float) -> bool:
        """Wait until the client has disconnected; False if the stream is woken before."""
        try:
            async with asyncio.timeout_at(wake_at) as self._timer:
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        finally:
            self._timer = None
        return True

    def _wake(self) -> None:
        """Let `_until_end` look again."""
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(self._loop.time())


class Streams:
    """Opens the streams of one gateway."""

    def __init__(
        self,
        *,
        operations: Operations,
        hub: Hub,
        authenticator: Authenticator,
        make_context: Callable[..., Context],
        clock: Clock,
        heartbeat_seconds: float,
        quotas: Quotas,
    ) -> None:
        self._operations = operations
        self._hub = hub
        self._authenticator = authenticator
        self._make_context = make_context
        self._clock = clock
        self._quotas = quotas
        self._heartbeat_seconds = heartbeat_seconds

    async def open(
        self,
        asked: GraphQLRequest,
        media_type: str,
        viewer: Viewer,
        *,
        authorization: str | None,
        resume_after: str | None,
    ) -> Stream:
        """The response to a subscription, after a cursor if there is one.

        Raises: Unauthenticated, TooMany.
        """
        claims = await self._authenticator.claims(authorization)

        async def begin() -> ExecutionResult | Deliveries:
            context = self._make_context(viewer, resume_after=resume_after)
            accepted = await self._operations.subscribe(asked, context)
            if isinstance(accepted, ActiveSubscription):
                return deliveries(self._hub, accepted, claims, viewer)
            return accepted

        with ExitStack() as places:
            places.enter_context(self._quotas.connections.place(viewer))
            places.enter_context(self._quotas.subscriptions.place(viewer))
            held = places.pop_all()
        return Stream(
            FRAMINGS[media_type],
            begin,
            held,
            seconds_left=(claims.expires_at - self._clock()).total_seconds(),
            heartbeat_seconds=self._heartbeat_seconds,
        )


def _chance(seconds: tuple[float, float]) -> float:
    """A random time between two: clients must not reconnect all at once."""
    return random.uniform(*seconds)  # noqa: S311 - spreads reconnects, and guards nothing


def unauthenticated(no: Unauthenticated) -> errors.Formatted:
    """What a caller without a valid token gets."""
    return errors.top_level(str(no), "UNAUTHENTICATED")
