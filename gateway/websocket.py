"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, for every kind of operation.

A connection is called for each message, and has a task only while an operation runs or begins. A
subscription that was accepted is a subscriber of the hub, and has none.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final

import orjson
from graphql import ExecutionResult, OperationType
from starlette.datastructures import Headers
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import errors
from gateway.auth import Authenticator, Claims, Unauthenticated
from gateway.endpoint import MakeContext
from gateway.fanout import Hub, Subscriber
from gateway.incoming.open_sockets import OpenSocket
from gateway.incoming.sockets import HAND_OVER
from gateway.operations import Operations
from gateway.quotas import QuotaPlace, Quotas, TooMany
from gateway.request import GraphQLRequest, MalformedRequest
from gateway.socket_messages import (
    ID_IN_USE,
    INIT_TIMEOUT,
    INIT_TWICE,
    INTERNAL_ERROR,
    MALFORMED,
    SUBPROTOCOL,
    TRY_AGAIN_LATER,
    UNAUTHORIZED,
    WRONG_SUBPROTOCOL,
    Closing,
    Message,
    credential_of,
    id_of,
    message_of,
    require_object,
    unauthenticated,
)
from gateway.socket_outlets import SocketOutlet
from gateway.subscribed import ActiveSubscription
from resolvers.storage import Clock, Overloaded

INIT_SECONDS: Final = 10.0


class SocketEndpoint:
    """Answers WebSockets."""

    def __init__(
        self,
        *,
        operations: Operations,
        hub: Hub,
        authenticator: Authenticator,
        make_context: MakeContext,
        clock: Clock,
        max_response_bytes: int,
        quotas: Quotas,
        init_seconds: float = INIT_SECONDS,
    ) -> None:
        self.operations = operations
        self.hub = hub
        self.authenticator = authenticator
        self.make_context = make_context
        self.clock = clock
        self.max_response_bytes = max_response_bytes
        self.quotas = quotas
        self.init_seconds = init_seconds

    async def serve(self, websocket: WebSocket) -> None:
        """Accept a connection. From then on it is called for each message."""
        authorization = Headers(scope=websocket.scope).get("authorization")
        hand_over: Callable[[], OpenSocket] = websocket.scope["state"][HAND_OVER]
        offered = websocket.scope.get("subprotocols", ())
        chosen = SUBPROTOCOL if SUBPROTOCOL in offered else None
        with suppress(WebSocketDisconnect):  # the client has gone
            await websocket.accept(chosen)
            socket = hand_over()
            if chosen is None:
                socket.close(WRONG_SUBPROTOCOL, f"The subprotocol must be {SUBPROTOCOL}")
            else:
                socket.listen(_Connection(self, socket, authorization))


class _Connection:
    """One client's connection.

    Until `_ends_at`, the client has to send `connection_init`; after that, it is when the token
    expires. The claims are those of the token, once it was accepted.
    """

    __slots__ = (
        "_authorization",
        "_claims",
        "_endpoint",
        "_ends_at",
        "_finite",
        "_operations",
        "_place",
        "_socket",
        "_starting",
    )

    def __init__(
        self, endpoint: SocketEndpoint, socket: OpenSocket, authorization: str | None
    ) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._authorization = authorization
        self._ends_at = asyncio.get_running_loop().time() + endpoint.init_seconds
        self._starting: asyncio.Task[None] | None = None
        self._claims: Claims | None = None
        self._place: QuotaPlace | None = None
        self._operations: dict[str, asyncio.Task[None] | Subscriber] = {}
        self._finite = 0

    # As its socket knows it

    @property
    def is_busy(self) -> bool:
        """Whether operations run that end by themselves."""
        return self._finite > 0

    def received(self, text: str | None) -> None:
        """Handle a message."""
        try:
            self._handle(message_of(text))
        except Closing as closing:
            self._close(closing)
        except Exception as fault:
            self._close(Closing(INTERNAL_ERROR, errors.masked(fault)["message"]))

    def check(self, now: float) -> None:
        """Close the connection if its client has not begun in time, or its token has expired."""
        if now < self._ends_at:
            return
        if self._claims is None:
            self._close(Closing(INIT_TIMEOUT, "Connection initialisation timeout"))
        else:
            self._close(Closing(UNAUTHORIZED, "The token has expired."))

    def lost(self) -> None:
        """End every operation."""
        if self._starting is not None:
            self._starting.cancel()
        for identifier in list(self._operations):
            self._cancel(identifier)
        if self._place is not None:
            self._place.close()

    # Messages

    def _handle(self, message: Message) -> None:
        """Raises: Closing."""
        match message["type"]:
            case "connection_init":
                self._begin(message)
            case "subscribe":
                if self._claims is None:
                    raise Closing(UNAUTHORIZED, "Unauthorized")
                self._subscribe(message)
            case "complete":
                self._cancel(id_of(message))
            case "ping":
                require_object(message)
                self._reply({"type": "pong"})
            case "pong":
                require_object(message)
            case other:
                raise Closing(MALFORMED, f"'type' {other!r} is not one of {SUBPROTOCOL}")

    def _begin(self, message: Message) -> None:
        """Raises: Closing."""
        if self._starting is not None or self._claims is not None:
            raise Closing(INIT_TWICE, "Too many initialisation requests")
        given, self._authorization = self._authorization, None
        credential = credential_of(message) or given
        self._ends_at = math.inf
        self._starting = self._socket.start(self._authenticate(credential), "authentication")

    async def _authenticate(self, authorization: str | None) -> None:
        """Acknowledge the connection, or close it."""
        try:
            claims = await self._endpoint.authenticator.claims(authorization)
            # the user too must exist: a client without any rights learns it at once
            viewer = await self._endpoint.authenticator.viewer_of(claims)
            self._place = self._endpoint.quotas.connections.place(viewer)
        except Unauthenticated as no:
            self._close(unauthenticated(no))
        except TooMany as too_many:
            self._close(Closing(TRY_AGAIN_LATER, f"{too_many.code}: {too_many}"))
        except Overloaded as overloaded:
            self._close(Closing(TRY_AGAIN_LATER, overloaded.message))
        except Exception as fault:
            self._close(Closing(INTERNAL_ERROR, errors.masked(fault)["message"]))
        else:
            seconds = (claims.expires_at - self._endpoint.clock()).total_seconds()
            self._ends_at = asyncio.get_running_loop().time() + seconds
            self._claims, self._starting = claims, None
            self._socket.permit_large_messages()
            self._reply({"type": "connection_ack"})

    def _subscribe(self, message: Message) -> None:
        """Raises: Closing."""
        identifier = id_of(message)
        try:
            request = GraphQLRequest.of(message.get("payload"), "'payload' of subscribe")
        except MalformedRequest as malformed:
            raise Closing(MALFORMED, str(malformed)) from None
        if identifier in self._operations:
            raise Closing(ID_IN_USE, f"Subscriber for {identifier} already exists")
        most = self._endpoint.quotas.operations
        if len(self._operations) >= most:
            rule = f"A connection can have at most {most} operations at a time."
            self._reply(_errors(identifier, [errors.top_level(rule, "TOO_MANY_OPERATIONS")]))
            return
        task = self._socket.start(self._operate(identifier, request), "graphql operation")
        self._operations[identifier] = task
        task.add_done_callback(partial(self._forget, identifier))
        if self._endpoint.operations.kind(request) is not OperationType.SUBSCRIPTION:
            self._finite += 1
            task.add_done_callback(self._forget_finite)

    def _cancel(self, identifier: str) -> None:
        """End an operation at its client's wish; the id is free from now on."""
        operation = self._operations.pop(identifier, None)
        if operation is not None:
            operation.cancel()

    def _forget(self, identifier: str, task: "asyncio.Task[None]") -> None:
        if self._operations.get(identifier) is task:
            del self._operations[identifier]

    def _forget_finite(self, _: "asyncio.Task[None]") -> None:
        self._finite -= 1

    def _close(self, closing: Closing) -> None:
        self._socket.close(closing.code, closing.reason)

    # Operations

    async def _operate(self, identifier: str, request: GraphQLRequest) -> None:
        """Carry out one operation to its end; a failure ends this operation alone."""
        assert self._claims is not None
        try:
            who = partial(self._endpoint.authenticator.viewer_now, self._claims)
            context = self._endpoint.make_context(await who(), who)
            if self._endpoint.operations.kind(request) is OperationType.SUBSCRIPTION:
                await self._follow_in_place(identifier, request, context)
            else:
                result = await self._endpoint.operations.execute(request, context)
                assert isinstance(result, ExecutionResult)
                await self._answer(identifier, request, result)
        except TooMany as too_many:
            self._reply(_errors(identifier, [errors.top_level(str(too_many), too_many.code)]))
        except Unauthenticated as no:
            self._close(unauthenticated(no))
        except Exception as error:
            self._reply(_errors(identifier, errors.of_exception(error)))

    async def _follow_in_place(
        self, identifier: str, request: GraphQLRequest, context: Any
    ) -> None:
        """Begin a subscription in a place of its viewer's. Raises: TooMany."""
        place, is_kept = self._endpoint.quotas.subscriptions.place(context.viewer), False
        try:
            is_kept = await self._follow(identifier, request, context, place)
        finally:
            if not is_kept:
                place.close()

    async def _follow(
        self, identifier: str, request: GraphQLRequest, context: Any, place: QuotaPlace
    ) -> bool:
        """Begin a subscription; from then on, the hub sends its results.

        Returns False if nothing keeps the place, because there is no subscriber.
        """
        accepted = await self._endpoint.operations.subscribe(request, context)
        if isinstance(accepted, ExecutionResult):
            self._reply(_errors(identifier, errors.formatted(accepted.errors or ())))
            return False
        if not isinstance(accepted, ActiveSubscription):
            async with aclosing(accepted) as results:
                async for delivery in results:
                    await self._send_next(identifier, delivery.payload)
            self._reply({"id": identifier, "type": "complete"})
            return False
        assert self._claims is not None
        outlet = SocketOutlet(self, identifier, place)
        subscriber = await self._endpoint.hub.subscribe(
            accepted, self._claims, context.viewer, outlet
        )
        # no await from here to the end: a client that ends it finds the task or the subscriber
        self._operations[identifier] = subscriber
        return True

    async def _answer(
        self, identifier: str, request: GraphQLRequest, result: ExecutionResult
    ) -> None:
        if errors.is_request_error(result):
            self._reply(_errors(identifier, errors.formatted(result.errors or ())))
            return
        payload = errors.encoded_within(
            errors.answer(result),
            self._endpoint.max_response_bytes,
            lambda: self._endpoint.operations.kind(request) is OperationType.MUTATION,
        )
        await self._send_next(identifier, payload)
        self._reply({"id": identifier, "type": "complete"})

    async def _send_next(self, identifier: str, payload: bytes) -> None:
        """Send a result, and wait while the client is slow."""
        frame = b'{"id":%b,"type":"next","payload":%b}' % (orjson.dumps(identifier), payload)
        if not self._socket.send_text(frame):
            await self._socket.until_writable()

    def _reply(self, message: Message) -> None:
        self._socket.reply(orjson.dumps(message))

    # As the outlets of its subscriptions know it

    def send_text(self, text: bytes) -> bool:
        """Send a frame without waiting; False if the client has to read first."""
        return self._socket.send_text(text)

    async def until_writable(self) -> None:
        """Return once the client has read, or once the connection is lost."""
        await self._socket.until_writable()

    def fail(self, identifier: str, error: Exception) -> None:
        """End a subscription with an error; without a valid token, the whole connection."""
        self._operations.pop(identifier, None)
        if isinstance(error, Unauthenticated):
            self._close(unauthenticated(error))
        else:
            self._socket.send_text(orjson.dumps(_errors(identifier, errors.of_exception(error))))


def _errors(identifier: str, told: list[errors.Formatted]) -> dict[str, Any]:
    """The message that ends an operation with errors."""
    return {"id": identifier, "type": "error", "payload": told}
