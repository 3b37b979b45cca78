"""GraphQL over WebSocket: the protocol `graphql-transport-ws`, for every kind of operation.

Each operation is a task with a context of its own; a subscription that was accepted is a subscriber
of the hub.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Final

import orjson
from graphql import ExecutionResult, OperationType
from starlette.datastructures import Headers
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import errors
from gateway.auth import Authenticator, Claims, TokenRefused, Unauthenticated
from gateway.endpoint import MakeContext
from gateway.fanout import Hub, Subscriber
from gateway.incoming.sockets import AUTHENTICATED, IS_BUSY
from gateway.operations import Operations
from gateway.quotas import Place, Quotas, TooMany
from gateway.request import GraphQLRequest, MalformedRequest
from gateway.socket_outlets import SocketOutlet, sender_of
from gateway.subscribed import Subscribed
from resolvers.storage import Clock, Overloaded
from resolvers.viewer import Viewer

logger = logging.getLogger(__name__)

SUBPROTOCOL: Final = "graphql-transport-ws"
INIT_SECONDS: Final = 10.0
ID_LENGTH: Final = 200
REASON_BYTES: Final = 123
"""What fits into the frame that closes a WebSocket."""

INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013
MALFORMED: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
WRONG_SUBPROTOCOL: Final = 4406
INIT_TIMEOUT: Final = 4408
ID_IN_USE: Final = 4409
INIT_TWICE: Final = 4429

Message = dict[str, Any]


class _Close(Exception):
    """The connection ends, with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


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
        """Serve one connection until either side ends it; then nothing of it is left running."""
        if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(WRONG_SUBPROTOCOL, f"The subprotocol must be {SUBPROTOCOL}")
            return
        connection = _Connection(self, websocket)
        await websocket.accept(SUBPROTOCOL)
        websocket.scope["headers"] = []  # which nothing needs for as long as the connection lasts
        try:
            end = await connection.run()
        except WebSocketDisconnect:
            end = None
        finally:
            await connection.stop()
        if end is not None:
            await _close(websocket, end)


class _Connection:
    """One client's connection."""

    def __init__(self, endpoint: SocketEndpoint, websocket: WebSocket) -> None:
        self._endpoint = endpoint
        self._websocket = websocket
        self._authorization: str | None = Headers(scope=websocket.scope).get("authorization")
        self._sender = sender_of(websocket.scope, self._send_text)
        self._claims: Claims | None = None
        self._operations: dict[str, asyncio.Task[None] | Subscriber] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._place: Place | None = None
        self._finite: set[asyncio.Task[None]] = set()
        websocket.scope["state"][IS_BUSY] = self._finite.__len__

    async def run(self) -> "_Close":
        """Listen until the connection is to be closed, and why. Raises: WebSocketDisconnect."""
        try:
            async with asyncio.timeout(self._endpoint.init_seconds):
                await self._begin()
        except TimeoutError:
            return _Close(INIT_TIMEOUT, "Connection initialisation timeout")
        except _Close as close:
            return close
        try:
            seconds = await self._seconds_left()
            self._websocket.scope["state"].get(AUTHENTICATED, lambda: None)()
            await self._listen(seconds)
        except _Close as close:
            return close
        except WebSocketDisconnect:
            raise
        except Overloaded as overloaded:
            return _Close(TRY_AGAIN_LATER, overloaded.message)
        except Exception as fault:
            return _Close(INTERNAL_ERROR, errors.masked(fault)["message"])
        return _Close(UNAUTHORIZED, "The token has expired.")

    async def _listen(self, seconds: float) -> None:
        """Handle messages for as long as the token lasts. Raises: _Close, WebSocketDisconnect."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._send({"type": "connection_ack"})
                while True:  # nothing refers to a message while the next one is awaited
                    await self._handle(await self._next_message())

    async def stop(self) -> None:
        """End every operation, and wait until each has closed what it reads from."""
        for identifier in list(self._operations):
            self._cancel(identifier)
        if self._place is not None:
            self._place.close()
        await asyncio.gather(*self._stopping, return_exceptions=True)

    async def _begin(self) -> None:
        """Wait for `connection_init`; an operation before it is too early."""
        while True:
            message = await self._next_message()
            match message["type"]:
                case "connection_init":
                    self._take_credential(message)
                    return
                case "subscribe":
                    raise _Close(UNAUTHORIZED, "Unauthorized")
                case other:
                    await self._handle_other(other, message)

    def _take_credential(self, message: Message) -> None:
        _require_object(message)
        for name, value in (message.get("payload") or {}).items():
            if name.lower() != "authorization":
                continue
            if not isinstance(value, str):
                raise _Close(MALFORMED, "'Authorization' must be a string")
            self._authorization = value

    async def _seconds_left(self) -> float:
        try:
            claims = self._claims = await self._endpoint.authenticator.claims(self._authorization)
            # the user too must be there: a client that may do nothing is told so at once
            viewer = await self._endpoint.authenticator.viewer(self._authorization)
            self._place = self._endpoint.quotas.connections.place(viewer)
        except Unauthenticated as no:
            raise _unauthenticated(no) from None
        except TooMany as too_many:
            raise _Close(TRY_AGAIN_LATER, f"{too_many.code}: {too_many}") from None
        return (claims.expires_at - self._endpoint.clock()).total_seconds()

    async def _next_message(self) -> Message:
        """The next message. Raises: _Close, WebSocketDisconnect."""
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        return _message(received.get("text"))

    async def _handle(self, message: Message) -> None:
        match message["type"]:
            case "subscribe":
                await self._subscribe(message)
            case "connection_init":
                raise _Close(INIT_TWICE, "Too many initialisation requests")
            case other:
                await self._handle_other(other, message)

    async def _handle_other(self, kind: str, message: Message) -> None:
        """Handle a message that is allowed at any time. Raises: _Close."""
        match kind:
            case "complete":
                self._cancel(_id(message))
            case "ping":
                _require_object(message)
                await self._send({"type": "pong"})
            case "pong":
                _require_object(message)
            case other:
                raise _Close(MALFORMED, f"'type' {other!r} is not one of {SUBPROTOCOL}")

    async def _subscribe(self, message: Message) -> None:
        identifier = _id(message)
        try:
            request = GraphQLRequest.of(message.get("payload"), "'payload' of subscribe")
        except MalformedRequest as malformed:
            raise _Close(MALFORMED, str(malformed)) from None
        if identifier in self._operations:
            raise _Close(ID_IN_USE, f"Subscriber for {identifier} already exists")
        most = self._endpoint.quotas.operations
        if len(self._operations) >= most:
            rule = f"A connection can have at most {most} operations at a time."
            await self._send_errors(identifier, [errors.top_level(rule, "TOO_MANY_OPERATIONS")])
            return
        task = asyncio.create_task(self._operate(identifier, request), name="graphql operation")
        self._operations[identifier] = task
        task.add_done_callback(lambda _: self._forget(identifier, task))
        if self._endpoint.operations.kind(request) is not OperationType.SUBSCRIPTION:
            self._finite.add(task)
            task.add_done_callback(self._finite.discard)

    def _cancel(self, identifier: str) -> None:
        """End an operation at its client's wish; the id is free from now on."""
        operation = self._operations.pop(identifier, None)
        if isinstance(operation, asyncio.Task):
            self._stopping.add(operation)
        if operation is not None:
            operation.cancel()

    def _forget(self, identifier: str, task: "asyncio.Task[None]") -> None:
        self._stopping.discard(task)
        if self._operations.get(identifier) is task:
            del self._operations[identifier]

    async def _operate(self, identifier: str, request: GraphQLRequest) -> None:
        """Carry out one operation to its end; a failure is its own end and nobody else's."""
        try:
            viewer = await self._viewer()
            context = self._endpoint.make_context(viewer, self._viewer)
            if self._endpoint.operations.kind(request) is OperationType.SUBSCRIPTION:
                place, is_kept = self._endpoint.quotas.subscriptions.place(viewer), False
                try:
                    is_kept = await self._follow(identifier, request, context, place)
                finally:
                    if not is_kept:
                        place.close()
            else:
                result = await self._endpoint.operations.execute(request, context)
                assert isinstance(result, ExecutionResult)
                await self._deliver(identifier, request, result)
        except TooMany as too_many:
            await self._send_errors(identifier, [errors.top_level(str(too_many), too_many.code)])
        except Unauthenticated as no:
            await _close(self._websocket, _unauthenticated(no))
        except WebSocketDisconnect:
            pass  # whoever listened is gone
        except Exception as error:
            await self._send_errors(identifier, errors.of_exception(error))

    async def _viewer(self) -> Viewer:
        return await self._endpoint.authenticator.viewer(self._authorization)

    async def _follow(
        self, identifier: str, request: GraphQLRequest, context: Any, place: Place
    ) -> bool:
        """Begin a subscription; from then on, the hub sends its results.

        Returns False if nothing keeps the place, because there is no subscriber.
        """
        accepted = await self._endpoint.operations.subscribe(request, context)
        if isinstance(accepted, ExecutionResult):
            await self._send_errors(identifier, errors.formatted(accepted.errors or ()))
            return False
        if not isinstance(accepted, Subscribed):
            async with aclosing(accepted) as results:
                async for delivery in results:
                    await self._send_next(identifier, delivery.payload)
            await self._send({"id": identifier, "type": "complete"})
            return False
        assert self._claims is not None
        outlet = SocketOutlet(self._sender, identifier, place, partial(self._fail, identifier))
        subscriber = await self._endpoint.hub.subscribe(
            accepted, self._claims, context.viewer, outlet
        )
        # no await from here to the end: a client that ends it finds the task or the subscriber
        self._operations[identifier] = subscriber
        return True

    def _fail(self, identifier: str, error: Exception) -> None:
        """A subscription has ended with an error."""
        self._operations.pop(identifier, None)
        if isinstance(error, Unauthenticated):
            self._closing = asyncio.create_task(_close(self._websocket, _unauthenticated(error)))
        else:
            told = {"id": identifier, "type": "error", "payload": errors.of_exception(error)}
            self._sender.send_text(orjson.dumps(told))

    async def _deliver(
        self, identifier: str, request: GraphQLRequest, result: ExecutionResult
    ) -> None:
        if errors.is_request_error(result):
            await self._send_errors(identifier, errors.formatted(result.errors or ()))
            return
        await self._next(identifier, request, result)
        await self._send({"id": identifier, "type": "complete"})

    async def _next(
        self, identifier: str, request: GraphQLRequest, result: ExecutionResult
    ) -> None:
        payload = errors.encoded_within(
            errors.answer(result),
            self._endpoint.max_response_bytes,
            lambda: self._endpoint.operations.kind(request) is OperationType.MUTATION,
        )
        await self._send_next(identifier, payload)

    async def _send_next(self, identifier: str, payload: bytes) -> None:
        frame = b'{"id":%b,"type":"next","payload":%b}'
        await self._send_text(frame % (orjson.dumps(identifier), payload))

    async def _send_errors(self, identifier: str, told: list[errors.Formatted]) -> None:
        await self._send({"id": identifier, "type": "error", "payload": told})

    async def _send(self, message: Message) -> None:
        await self._send_text(orjson.dumps(message))

    async def _send_text(self, text: bytes) -> None:
        """Send a text frame, and wait while the client is slow. Raises: WebSocketDisconnect."""
        try:
            await self._websocket.send_text(text.decode())
        except RuntimeError:  # starlette's, once the connection was closed
            raise WebSocketDisconnect(1006) from None


def _message(text: str | None) -> Message:
    """Raises: _Close, unless the frame is a message with a type."""
    if text is None:
        raise _Close(MALFORMED, "Messages are text frames")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Close(MALFORMED, f"A message must be JSON: {error}") from None
    if not isinstance(message, dict):
        raise _Close(MALFORMED, "A message must be a JSON object")
    if not isinstance(message.get("type"), str):
        raise _Close(MALFORMED, "'type' is required and must be a string")
    return message


def _require_object(message: Message) -> None:
    """Raises: _Close, unless the payload is an object or missing."""
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _Close(MALFORMED, f"'payload' of {message['type']} must be an object")


def _id(message: Message) -> str:
    """Raises: _Close."""
    identifier = message.get("id")
    if isinstance(identifier, str) and 1 <= len(identifier) <= ID_LENGTH:
        return identifier
    raise _Close(MALFORMED, f"'id' is required and must be a string of 1 to {ID_LENGTH} characters")


def _unauthenticated(no: Unauthenticated) -> _Close:
    """Without a token, or with an expired one, another may help; a refused one is forbidden."""
    return _Close(FORBIDDEN if isinstance(no, TokenRefused) else UNAUTHORIZED, str(no))


async def _close(websocket: WebSocket, close: _Close) -> None:
    reason = close.reason.encode()[:REASON_BYTES].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
        await websocket.close(close.code, reason)
